"""Items of a data set become a catalogue: columns by role, further tables joined by the item's id."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.catalogue import Catalogue, make_catalogue
from core.data.columns import as_word, map_columns
from core.data.interaction_config import InteractionConfig
from core.data.interaction_files import OLD_SUFFIXES, Found, read_old_movielens
from core.data.report import Rejected
from core.data.tables import read_table
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

ITEM_SPELLINGS: dict[str, tuple[str, ...]] = {
    "item_id": ("item_id", "itemid", "movie_id", "movieid", "product_id", "productid", "sku", "asin", "id"),
    "title": ("title", "name", "product_name", "product_title"),
    "description": ("description", "overview", "plot", "summary", "abstract", "body", "text"),
    "tags": ("tags", "keywords", "genres", "tag", "labels"),
    "category": ("category", "department", "product_type", "type", "genre"),
    "price": ("price", "price_eur", "price_usd", "list_price", "cost"),
    "in_stock": ("in_stock", "stock", "available", "availability", "inventory"),
    "image": ("image", "image_path", "picture", "photo"),
}
"""Common spellings of each role in a table of items, the best first."""
JOINED = ("description", "tags", "category", "price", "in_stock", "image")
"""Roles that a further table may bring."""
NO_WORDS = ("(no genres listed)",)
OUT_OF_STOCK = frozenset({"", "0", "false", "no", "out", "out_of_stock", "unavailable", "n"})


def read_catalogue(found: Found, config: InteractionConfig, notes: list[str], rejected: list[Rejected]) -> Catalogue:
    """The items of a data set; what was guessed and left out is added to `notes` and `rejected`.

    Raises:
        UserError: No item has an id.
    """
    table = read_old_movielens(found.items) if found.items.suffix in OLD_SUFFIXES else read_table(found.items)
    given = {role: getattr(config.columns, role, None) for role in ITEM_SPELLINGS}
    of_items = {role: name for role, name in given.items() if name in table.columns or role == "item_id"}
    mapped = map_columns(list(table.columns), of_items, ITEM_SPELLINGS)
    if "item_id" not in mapped.columns:
        raise UserError(
            f"{found.items.name} has no column of item ids; it has {', '.join(map(str, table.columns))}.",
            "Each item has an id, which the events use too.",
            "Name the column: --data.columns.item_id NAME.",
        )
    notes.extend(f"{found.items.name}: {note}" for note in mapped.notes)
    columns = _by_role(table, mapped.columns)
    kept = _known_once(columns["item_id"], found.items.name, rejected)
    columns = {role: [values[row] for row in kept] for role, values in columns.items()}
    more = {
        str(name): [as_word(cell) or "" for cell in table[name].iloc[kept]]
        for name in table.columns
        if name not in mapped.columns.values()
    }
    for file in found.beside:
        _join(columns, file, given, notes)
    return make_catalogue(_typed(columns), more)


def _by_role(table: "pd.DataFrame", columns: dict[str, str]) -> dict[str, list[str]]:
    return {role: [_word(cell) for cell in table[name]] for role, name in columns.items()}


def _word(cell: Any) -> str:
    """A cell as text; a list of tags as its words."""
    if isinstance(cell, list | tuple | np.ndarray):
        return "|".join(map(str, cell))
    word = as_word(cell) or ""
    return "" if word in NO_WORDS else word


def _known_once(ids: list[str], name: str, rejected: list[Rejected]) -> list[int]:
    """Rows with an id that no row before them has."""
    seen: set[str] = set()
    kept = []
    for row, item_id in enumerate(ids):
        if item_id and item_id not in seen:
            seen.add(item_id)
            kept.append(row)
            continue
        reason = "repeated_item" if item_id else "no_item_id"
        sentence = f"The item {item_id} stands there twice; the first counts." if item_id else "The item has no id."
        rejected.append(Rejected(path=f"{name} {row + 1}", reason=reason, sentence=sentence))
    if not kept:
        raise UserError(f"{name} holds no item with an id.", "One item a row, each with its own id.", "Add some.")
    return kept


def _join(columns: dict[str, list[str]], file: Path, given: dict[str, str | None], notes: list[str]) -> None:
    """Adds what a further table says of the items: all words of several rows, of other roles the first."""
    table = read_table(file)
    known = {role: name for role, name in given.items() if name in table.columns}
    mapped = map_columns(list(table.columns), known, ITEM_SPELLINGS).columns
    roles = [role for role in JOINED if role in mapped]
    if "item_id" not in mapped or not roles:
        return
    row_of = {item_id: row for row, item_id in enumerate(columns["item_id"])}
    ids = [row_of.get(_word(cell)) for cell in table[mapped["item_id"]]]
    for role in roles:
        target = columns.setdefault(role, [""] * len(row_of))
        added = 0
        for row, cell in zip(ids, table[mapped[role]], strict=True):
            word = _word(cell)
            if row is None or not word:
                continue
            if role == "tags":
                target[row] = f"{target[row]}|{word}" if target[row] else word
                added += 1
            elif not target[row]:
                target[row] = word
                added += 1
        notes.append(f"{file.name}: column {mapped[role]} adds {role} to the items ({added:,} rows)")


def _typed(columns: dict[str, list[str]]) -> dict[str, Any]:
    import pandas as pd

    typed: dict[str, Any] = dict(columns)
    if "price" in columns:
        typed["price"] = pd.to_numeric(pd.Series(columns["price"]), errors="coerce").to_numpy(np.float64)
    if "in_stock" in columns:
        typed["in_stock"] = np.array([word.casefold() not in OUT_OF_STOCK for word in columns["in_stock"]])
    return typed
