"""Rows that several tabs show: something to choose, and an item at its place in a list; all escaped HTML."""

from html import escape

from apps.recommender.ui.item_words import title_of
from apps.recommender.ui.looks import render_tile
from apps.recommender.ui.shelf import Shelf
from apps.recommender.wish import Ranked
from core.texts import Text
from core.ui.translations import inline


def choice_row(act: str, key: str, value: str, shown: str, note: Text | None, *, is_chosen: bool) -> str:
    """A button that says what is chosen.

    Args:
        act: What it does.
        key: Under which the server gets the value.
        value: What it stands for.
        shown: On it, as HTML.
        note: Beside it, small.
        is_chosen: It is the one.
    """
    told = f'<span class="fine">{inline(note)}</span>' if note else ""
    return (
        f'<button type="button" class="entry" data-act="{act}" data-{key}="{escape(value)}" '
        f'aria-pressed="{str(is_chosen).lower()}">{shown}{told}</button>'
    )


def item_choice(row: int, shelf: Shelf, note: Text | None, *, chosen_id: str) -> str:
    """A button that chooses an item."""
    item_id = shelf.catalogue.ids[row]
    shown = f'{render_tile(shelf.look(row), item_id)}<span dir="auto">{inline(title_of(shelf.catalogue, row))}</span>'
    return choice_row("item", "item", item_id, shown, note, is_chosen=item_id == chosen_id)


def ranked_row(item: Ranked, shelf: Shelf, below: Text | None, note: str, *, is_marked: bool) -> str:
    """An item at its place.

    Args:
        item: The item.
        shelf: Where it stands.
        below: Under its title, small.
        note: Beside it, as HTML.
        is_marked: It differs from the list beside this one, or is alike: what the tab looks for.
    """
    told = f'<span class="fine" dir="auto">{inline(below)}</span>' if below else ""
    return (
        f'<li class="{"both" if is_marked else ""}"><span class="number">{item.rank}</span>'
        f'{render_tile(shelf.look(item.row), item.item_id)}<span class="named"><strong dir="auto">'
        f"{inline(title_of(shelf.catalogue, item.row))}</strong>{told}</span>{note}</li>"
    )
