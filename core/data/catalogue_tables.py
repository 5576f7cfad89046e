"""Items of a data set become a catalogue: columns by role, further tables joined by the item's id."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.catalogue import Catalogue, make_catalogue
from core.data.columns import as_word, map_columns, normalise
from core.data.event_files import columns_of
from core.data.event_tables import EVENT_SPELLINGS
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
LARGEST_JOINED = 64 << 20
NO_WORDS = ("(no genres listed)",)
OUT_OF_STOCK = frozenset({"", "0", "false", "no", "out", "out_of_stock", "unavailable", "n"})


def read_catalogue(found: Found, config: InteractionConfig, notes: list[str], rejected: list[Rejected]) -> Catalogue:
    """The items of a data set; what was guessed and left out is added to `notes` and `rejected`.

    Raises:
        UserError: No item has an id.
    """
    table = read_old_movielens(found.items) if found.items.suffix in OLD_SUFFIXES else read_table(found.items)
    given = {role: getattr(config.columns, role) for role in ITEM_SPELLINGS}
    mapped = map_columns(list(table.columns), _of(given, table.columns), ITEM_SPELLINGS)
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
        _join(columns, more, file, given, notes)
    return make_catalogue(_typed(columns, notes), more)


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


def _join(
    columns: dict[str, list[str]],
    more: dict[str, list[str]],
    file: Path,
    given: Mapping[str, str | None],
    notes: list[str],
) -> None:
    """Adds what a further table says of the items.

    Of several rows on one item all tags are added, and of other roles the first cell. Other columns are added where the
    table has one row an item. Of a table that users wrote, only tags are taken.
    """
    try:
        names = columns_of(file)
    except UserError:
        notes.append(f"{file.name} is no table: not read")
        return
    spellings = ITEM_SPELLINGS | {"item_id": tuple(name for name in ITEM_SPELLINGS["item_id"] if name != "id")}
    mapped = map_columns(names, _of(given, names), spellings).columns
    of_users = {normalise(name) for name in names} & set(EVENT_SPELLINGS["user_id"])
    roles = [role for role in (("tags",) if of_users else JOINED) if role in mapped]
    others = [] if of_users else [name for name in names if name not in mapped.values()]
    if "item_id" not in mapped or not (roles or others):
        return
    if file.stat().st_size > LARGEST_JOINED and not roles:
        notes.append(f"{file.name} has more than {LARGEST_JOINED >> 20} MB and no column that is known: not read")
        return
    table = read_table(file)
    row_of = {item_id: row for row, item_id in enumerate(columns["item_id"])}
    rows = [row_of.get(_word(cell)) for cell in table[mapped["item_id"]]]
    for role in roles:
        added = _add(columns.setdefault(role, [""] * len(row_of)), rows, table[mapped[role]], role == "tags")
        notes.append(f"{file.name}: column {mapped[role]} adds {role} to the items ({added:,} rows)")
    if max(Counter(row for row in rows if row is not None).values(), default=0) == 1:
        for name in others:
            _add(more.setdefault(name, [""] * len(row_of)), rows, table[name], False)


def _add(target: list[str], rows: Sequence[int | None], cells: Iterable[Any], several: bool) -> int:
    """Puts cells where their rows are: all of them, or into empty places only; how many were."""
    added = 0
    for row, cell in zip(rows, cells, strict=True):
        word = _word(cell)
        if row is None or not word or (target[row] and not several):
            continue
        target[row] = f"{target[row]}|{word}" if target[row] else word
        added += 1
    return added


def _of(given: Mapping[str, str | None], names: Iterable[str]) -> dict[str, str | None]:
    """What the user named, of the columns that this table has."""
    there = set(names)
    return {role: name for role, name in given.items() if name in there}


def _typed(columns: Mapping[str, list[str]], notes: list[str]) -> dict[str, Any]:
    typed: dict[str, Any] = dict(columns)
    if "price" in columns:
        typed["price"] = np.array([_price(word) for word in columns["price"]])
        unread = int(np.isnan(typed["price"]).sum()) - columns["price"].count("")
        if unread:
            notes.append(f"{unread:,} prices cannot be read: taken for unknown")
    if "in_stock" in columns:
        typed["in_stock"] = np.array([_is_in_stock(word) for word in columns["in_stock"]], np.bool_)
    return typed


def _price(word: str) -> float:
    """A price with or without its currency, with a point or a comma before the last two digits; nan if it is none."""
    number = re.sub(r"[^\d.,-]", "", word)
    if re.search(r",\d{1,2}$", number):
        number = number.replace(".", "").replace(",", ".")
    try:
        price = float(number.replace(",", ""))
    except ValueError:
        return np.nan
    return price if price >= 0 else np.nan


def _is_in_stock(word: str) -> bool:
    try:
        return float(word) > 0
    except ValueError:
        return word.casefold() not in OUT_OF_STOCK
