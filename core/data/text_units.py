"""Text as units that a model reads: folded letter by letter, then cut into words, so that a unit names its place."""

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\w\s]|_", re.UNICODE)
"""Runs of letters, runs of digits, single other signs; runs of ideographs are cut further."""
IDEOGRAPHS = (
    ("\u3040", "\u30ff"),
    ("\u3400", "\u4dbf"),
    ("\u4e00", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\U00020000", "\U0003ffff"),
)
"""Kana and Chinese characters: written without blanks, so that each is a word."""
FIRST_IDEOGRAPH = IDEOGRAPHS[0][0]
BLANK = " "


def fold(text: str) -> str:
    """The text in lower case and half width, controls and blanks as one kind of blank; as long as it was.

    Each letter becomes one letter, so that a place in the folded text is a place in the text.
    """
    return "".join(map(_fold_letter, text))


def split_words(folded: str, limit: int) -> list[tuple[int, int]]:
    """Start and end of the first `limit` words of a folded text.

    Words are runs of letters or digits, single ideographs, and single other signs.
    """
    spans: list[tuple[int, int]] = []
    for match in WORD.finditer(folded):
        if len(spans) >= limit:
            break
        start, end = match.span()
        if not is_ideograph(folded[start]) and not is_ideograph(folded[end - 1]):
            spans.append((start, end))
        else:
            spans.extend(_cut(folded, start, end))
    return spans[:limit]


def is_ideograph(letter: str) -> bool:
    """Whether a letter is a Chinese character or kana."""
    return letter >= FIRST_IDEOGRAPH and any(low <= letter <= high for low, high in IDEOGRAPHS)


def _cut(folded: str, start: int, end: int) -> list[tuple[int, int]]:
    """A run with ideographs: each of them alone, what stands between them together."""
    spans: list[tuple[int, int]] = []
    is_open = False
    for place in range(start, end):
        if is_ideograph(folded[place]):
            spans.append((place, place + 1))
            is_open = False
        elif is_open:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
            is_open = True
    return spans


@lru_cache(maxsize=1 << 16)
def _fold_letter(letter: str) -> str:
    if unicodedata.category(letter) in ("Cc", "Cf", "Zs", "Zl", "Zp", "Cs", "Co", "Cn"):
        return BLANK
    folded = unicodedata.normalize("NFKC", letter).lower()
    return folded if len(folded) == 1 else letter
