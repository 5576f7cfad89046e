"""What an item is called and said to be, in both languages; columns named `..._zh` hold the Chinese words."""

import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from core.data.catalogue import Catalogue
from core.texts import Text
from core.ui.inert import plain

TITLE_CHARS, TEXT_CHARS = 160, 240
NO_TITLE = "—"
LEAD = 60
"""Characters before the first matching word, of a description that is cut."""
SHOWN_WORDS = 3
_CJK = re.compile(r"[\u3400-\u9fff]")


def title_of(catalogue: Catalogue, row: int) -> Text:
    """The title, or the id of an item that has none."""
    title = catalogue.titles[row] or catalogue.ids[row]
    return Text(_line(title), _line(_more(catalogue, row, "title_zh") or title))


def description_of(catalogue: Catalogue, row: int) -> Text:
    """The description, or the tags of an item that has none."""
    told = catalogue.descriptions[row] or " · ".join(part for part in catalogue.tags[row].split("|") if part)
    english, chinese = (_more(catalogue, row, f"description_{language}") for language in ("en", "zh"))
    return Text(_line(english or told, 2000), _line(chinese or told, 2000))


def category_name(catalogue: Catalogue, row: int) -> Text:
    """The category in readable words."""
    category = group_of(catalogue, row)
    readable = category.replace("_", " ")
    readable = readable[:1].upper() + readable[1:]
    return Text(_line(readable), _line(_more(catalogue, row, "category_zh") or readable))


def group_of(catalogue: Catalogue, row: int) -> str:
    """What decides the look of an item: its category, or its first tag where there are no categories."""
    tags = catalogue.tags[row]
    return catalogue.categories[row] or (tags.split("|") if "|" in tags else tags.split() or [""])[0]


def price_words(price: float) -> str:
    """A price without a currency, which catalogues do not name; empty where it is not known."""
    return "" if np.isnan(price) else f"{price:,.2f}"


def highlight(text: str, words: Sequence[str], limit: int = TEXT_CHARS) -> str:
    """Escaped HTML of a text in which some words are marked; a long text is cut around the first of them."""
    pattern = _pattern(words)
    found = pattern.search(text) if pattern else None
    start = 0
    if found and found.end() > limit:
        start = max(0, found.start() - LEAD)
    shown = text[start : start + limit]
    if start + limit < len(text):
        shown = shown.rstrip() + " …"
    parts = ["… " if start else ""]
    last = 0
    for match in pattern.finditer(shown) if pattern else ():
        parts += [escape(shown[last : match.start()]), f"<mark>{escape(match.group())}</mark>"]
        last = match.end()
    return "".join([*parts, escape(shown[last:])])


def words_for(words: Iterable[str], *, chinese: bool) -> list[str]:
    """Of the words that carried a match the first in one language; of all where none is."""
    kept = [plain(word, 40) for word in words]
    of_language = [word for word in kept if bool(_CJK.search(word)) == chinese]
    return (of_language or kept)[:SHOWN_WORDS]


def _pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    parts = [re.escape(word) if _CJK.search(word) else rf"(?<!\w){re.escape(word)}(?!\w)" for word in words if word]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _more(catalogue: Catalogue, row: int, name: str) -> str:
    column = catalogue.more.get(name)
    return column[row] if column else ""


def _line(text: str, limit: int = TITLE_CHARS) -> str:
    return plain(" ".join(text.split()), limit) or NO_TITLE
