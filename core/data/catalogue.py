"""What is offered: items with their texts and facts, as columns; read from and written to Parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import UserError

TEXT_ROLES = {
    "title": "titles",
    "description": "descriptions",
    "tags": "tags",
    "category": "categories",
    "image": "images",
}
TEXTS = ("ids", *TEXT_ROLES.values())


@dataclass(frozen=True)
class Catalogue:
    """Items; an item's row is its place here.

    Args:
        ids: As the data names them, each once.
        titles: May be empty.
        descriptions: May be empty.
        tags: Words separated by blanks or `|`; may be empty.
        categories: May be empty.
        prices: (N,); nan = unknown.
        in_stock: (N,).
        images: Paths; empty = none.
        more: Any other column.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    descriptions: tuple[str, ...]
    tags: tuple[str, ...]
    categories: tuple[str, ...]
    prices: npt.NDArray[np.float64]
    in_stock: npt.NDArray[np.bool_]
    images: tuple[str, ...] = ()
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item_id: row for row, item_id in enumerate(self.ids)}

    @cached_property
    def category_codes(self) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
        """A number for each category, and that of each item (N,)."""
        codes: dict[str, int] = {}
        code_N = np.fromiter((codes.setdefault(name, len(codes)) for name in self.categories), np.int32, len(self))
        return codes, code_N

    def row_of(self, item_id: str) -> int | None:
        """Where an item stands; None = it is not offered."""
        return self._rows.get(item_id)

    def text_of(self, row: int) -> dict[str, str]:
        """The texts of one item by name."""
        return {
            "title": self.titles[row],
            "tags": " ".join(part for part in (self.tags[row].replace("|", " "), self.categories[row]) if part),
            "description": self.descriptions[row],
        }


def make_catalogue(columns: Mapping[str, Sequence[Any]], more: Mapping[str, Sequence[Any]] | None = None) -> Catalogue:
    """A catalogue of columns by role; only `item_id` must be there.

    Args:
        columns: item_id, title, description, tags, category, price, in_stock, image; each as long as item_id.
        more: Other columns.
    """
    size = len(columns["item_id"])

    def words(role: str) -> tuple[str, ...]:
        return tuple(map(str, columns[role])) if role in columns else ("",) * size

    prices = np.asarray(columns.get("price", np.full(size, np.nan)), np.float64)
    stock = np.asarray(columns.get("in_stock", np.ones(size, np.bool_)), np.bool_)
    others = {name: tuple(map(str, values)) for name, values in (more or {}).items()}
    return Catalogue(
        ids=words("item_id"),
        titles=words("title"),
        descriptions=words("description"),
        tags=words("tags"),
        categories=words("category"),
        prices=prices,
        in_stock=stock,
        images=words("image"),
        more=others,
    )


def changed(catalogue: Catalogue, changes: Sequence[tuple[str, Mapping[str, Any]]]) -> Catalogue:
    """With other facts of some items: rows stay where they are, and items that are new stand behind them.

    Args:
        catalogue: As it was.
        changes: Id of an item, and its facts by the names of `make_catalogue`; other names are other columns.
    """
    ids = dict.fromkeys((*catalogue.ids, *(item_id for item_id, _ in changes)))
    size, missing = len(ids), len(ids) - len(catalogue)
    rows = dict(zip(ids, range(size), strict=True))
    told: dict[str, dict[int, Any]] = {}
    for item_id, facts in changes:
        for name, value in facts.items():
            told.setdefault(name, {})[rows[item_id]] = value

    def column(values: Sequence[Any], facts: Mapping[int, Any], empty: Any) -> tuple[Any, ...]:
        """A column of which nothing is told stays the same object, by which one sees that it did not change."""
        if isinstance(values, tuple) and not missing and not facts:
            return values
        longer = [*values, *[empty] * missing]
        for row, value in facts.items():
            longer[row] = value
        return tuple(longer)

    texts = {name: column(getattr(catalogue, name), told.pop(role, {}), "") for role, name in TEXT_ROLES.items()}
    prices = column(catalogue.prices.tolist(), told.pop("price", {}), np.nan)
    in_stock = column(catalogue.in_stock.tolist(), told.pop("in_stock", {}), True)
    nothing = ("",) * len(catalogue)
    more = dict.fromkeys((*catalogue.more, *told))
    return Catalogue(
        ids=tuple(ids) if missing else catalogue.ids,
        **texts,
        prices=np.array(prices, np.float64),
        in_stock=np.array(in_stock, np.bool_),
        more={name: column(catalogue.more.get(name, nothing), told.get(name, {}), "") for name in more},
    )


def write_catalogue(catalogue: Catalogue, file: Path) -> None:
    """Writes one Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {name: list(getattr(catalogue, name)) for name in TEXTS}
    columns |= {"prices": catalogue.prices, "in_stock": catalogue.in_stock}
    columns |= {f"more.{name}": list(values) for name, values in catalogue.more.items()}
    pq.write_table(pa.table(columns), file)


def open_catalogue(file: Path) -> Catalogue:
    """Reads what `write_catalogue` wrote.

    Raises:
        UserError: It is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
        texts = {name: tuple(table[name].to_pylist()) for name in TEXTS}
        prices, stock = (table[name].to_numpy() for name in ("prices", "in_stock"))
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise UserError(
            f"The catalogue {file} cannot be read: {error}.", "A file that the suite wrote.", "Export the model again."
        ) from None
    more = {
        name.removeprefix("more."): tuple(table[name].to_pylist())
        for name in table.column_names
        if name.startswith("more.")
    }
    return Catalogue(**texts, prices=prices.astype(np.float64), in_stock=stock.astype(np.bool_), more=more)
