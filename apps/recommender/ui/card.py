"""One item as a card: its picture, words, reason, and what can be done to it; nothing of an item's text is markup."""

from collections.abc import Mapping
from html import escape

from apps.recommender.ui import words
from apps.recommender.ui.icons import icon
from apps.recommender.ui.item_words import (
    category_name,
    description_of,
    highlight,
    price_words,
    title_of,
    words_for,
)
from apps.recommender.ui.looks import render_tile
from apps.recommender.ui.shelf import Shelf
from apps.recommender.ui.words import filled
from apps.recommender.wish import Ranked
from core.texts import Language, Text
from core.ui.forms import tag
from core.ui.inert import inert
from core.ui.translations import in_both, inline

SIGNS = {"because": "eye", "words": "words", "popular": "trend", "pinned": "pin", "explore": "dice"}
ACTS = (
    ("like", words.LIKE, "heart"),
    ("dismiss", words.DISMISS, "cross"),
    ("alike", words.ALIKE, "alike"),
)
"""What can be done to a card, its name and its drawing."""
DESCRIPTION_CHARS = 150


def render_card(item: Ranked, shelf: Shelf, moves: Mapping[str, int | None], because: Mapping[str, Text]) -> str:
    """A card.

    Args:
        item: To be shown.
        shelf: Where it stands.
        moves: Of the list; see `lists.Shown`.
        because: For ids of what a user had to do with, the words for what they did.
    """
    catalogue, row = shelf.catalogue, item.row
    moved = moves.get(item.item_id, 0) if moves else 0
    title = title_of(catalogue, row)
    sold_out = not catalogue.in_stock[row]
    tags = (tag(words.NEW_ITEM, "good") if item.is_new else "") + (tag(words.SOLD_OUT, "stop") if sold_out else "")
    acts = "".join(_act(act, name, drawing, title, item) for act, name, drawing in ACTS)
    price = price_words(catalogue.prices[row])

    def told(language: Language) -> str:
        matching = words_for(item.reason.words, chinese=language == "zh")
        about = highlight(description_of(catalogue, row).in_language(language), matching, DESCRIPTION_CHARS)
        view = escape(filled(words.VIEW, item=title).in_language(language))
        return (
            f'<div class="above"><p class="group" dir="auto">'
            f"{inert(category_name(catalogue, row).in_language(language), 60)}</p>{tags}</div>"
            f'<h3><button type="button" class="title" dir="auto" data-act="view" data-item="{escape(item.item_id)}" '
            f'aria-label="{view}">{highlight(title.in_language(language), matching)}</button></h3>'
            f'<p class="about" dir="auto">{about}</p>'
        )

    return (
        f'<li class="item{" fresh" if moved is None else ""}" data-id="{escape(item.item_id)}">'
        f'<div class="picture">{render_tile(shelf.look(row), item.item_id)}'
        f'<span class="rank"><span class="hidden-words">{inline(words.RANK)} </span>{item.rank}</span>'
        f"{_move(moved)}</div>"
        f'<div class="told">{in_both(told)}{_reason(item, shelf, because)}'
        f'<div class="foot"><span class="price">{price}</span>'
        f'<span class="acts">{acts}</span></div></div></li>'
    )


def _act(act: str, name: Text, drawing: str, title: Text, item: Ranked) -> str:
    return (
        f'<button type="button" class="act {act}" data-act="{act}" data-item="{escape(item.item_id)}">{icon(drawing)}'
        f'<span class="hidden-words">{inline(filled(name, item=title))}</span></button>'
    )


def _move(moved: int | None) -> str:
    """How the place has changed, told by a sign and words, not by colour alone."""
    if moved is None:
        return f'<span class="move in">{inline(words.CAME_IN)}</span>'
    if not moved:
        return ""
    sign, told, kind = ("▲", words.UP, "up") if moved > 0 else ("▼", words.DOWN, "down")
    hidden = f'<span class="hidden-words">{inline(filled(told, n=abs(moved)))}</span>'
    return f'<span class="move {kind}"><span aria-hidden="true">{sign} {abs(moved)}</span>{hidden}</span>'


def _reason(item: Ranked, shelf: Shelf, because: Mapping[str, Text]) -> str:
    reason = item.reason
    row = shelf.catalogue.row_of(reason.item_id) if reason.item_id else None
    fixed = {"popular": words.POPULAR, "pinned": words.PINNED, "explore": words.EXPLORE}.get(reason.kind)

    def told(language: Language) -> str:
        parts = [escape(fixed.in_language(language))] if fixed else []
        if row is not None:
            said = because.get(reason.item_id, words.BECAUSE_OF).in_language(language)
            seen = inert(title_of(shelf.catalogue, row).in_language(language), 90)
            parts.append(f'{escape(said)} <b dir="auto">{seen}</b>')
        matching = words_for(reason.words, chinese=language == "zh")
        if matching:
            marked = " ".join(f'<mark dir="auto">{inert(word, 40)}</mark>' for word in matching)
            parts.append(f"{escape(words.FITS.in_language(language))} {marked}")
        return "".join(f"<span>{part}</span>" for part in parts)

    sign = icon(SIGNS["because" if row is not None else reason.kind], 15)
    return f'<div class="why"><span class="sign" aria-hidden="true">{sign}</span>{in_both(told)}</div>'
