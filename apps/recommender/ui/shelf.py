"""What the page knows of a catalogue at one moment: the names of its categories, the looks, what can be filtered by."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from apps.recommender.ui.item_words import category_name, group_of
from apps.recommender.ui.looks import NO_LOOK, Look, make_looks
from core.data.catalogue import Catalogue
from core.texts import Text

SHELVES_KEPT = 4
MAX_CATEGORIES = 40
"""More than these are not offered as a filter."""


@dataclass(frozen=True, eq=False)
class Shelf:
    """A catalogue as the page shows it.

    Args:
        catalogue: The items.
        categories: Name to readable words, the largest first; empty = the data has none.
        looks: Of each group of items.
        prices: The lowest and the highest; None = none is known.
        has_sold_out: Something is out of stock.
    """

    catalogue: Catalogue
    categories: dict[str, Text]
    looks: dict[str, Look]
    prices: tuple[float, float] | None
    has_sold_out: bool

    def look(self, row: int) -> Look:
        """How an item is drawn."""
        return self.looks.get(group_of(self.catalogue, row), NO_LOOK)


class _ById:
    """A catalogue that is compared by what it is, not by what is in it."""

    def __init__(self, items: Catalogue) -> None:
        self.items = items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.items is self.items

    def __hash__(self) -> int:
        return id(self.items)


def shelf_of(catalogue: Catalogue) -> Shelf:
    """The shelf of a catalogue, which is read once; a changed one is another."""
    return _open_shelf(_ById(catalogue))


@lru_cache(maxsize=SHELVES_KEPT)
def _open_shelf(catalogue: _ById) -> Shelf:
    items = catalogue.items
    groups = Counter(group_of(items, row) for row in range(len(items)))
    first: dict[str, int] = {}
    for row in range(len(items)):
        first.setdefault(group_of(items, row), row)
    names = {name: category_name(items, first[name]) for name, _ in groups.most_common() if name}
    own = set(items.categories)
    known = items.prices[~np.isnan(items.prices)]
    return Shelf(
        items,
        {name: words for name, words in list(names.items())[:MAX_CATEGORIES] if name in own},
        make_looks(names),
        (float(known.min()), float(known.max())) if len(known) else None,
        not bool(items.in_stock.all()),
    )
