"""A shop's rules as they bear on the rows of one catalogue.

Shapes: N items.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.data.catalogue import Catalogue
from core.serving.rules import Rule

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ShopRules:
    """What may stand where.

    Args:
        blocked_N: Never in a list.
        buried_N: Behind all others.
        boosts: Row to how far it rises, in ways from the last place of a list to the first.
        pins: (place from 0, row), the first place first.
        category_N: Number of each item's category.
        most: Number of a category to how many of it a list may hold; one that is not here is not capped.
    """

    blocked_N: Flags
    buried_N: Flags
    boosts: dict[int, float]
    pins: tuple[tuple[int, int], ...]
    category_N: npt.NDArray[np.int32]
    most: dict[int, int]


def read_rules(rules: Sequence[Rule], catalogue: Catalogue) -> ShopRules | None:
    """The rules by row; None = there are none. What is not in the catalogue any more bears on nothing."""
    if not rules:
        return None
    codes, category_N = catalogue.category_codes
    blocked_N, buried_N = (np.zeros(len(catalogue), np.bool_) for _ in range(2))
    boosts: dict[int, float] = {}
    pins: list[tuple[int, int]] = []
    most: dict[int, int] = {}
    # What is said of a category holds for its items unless something else is said of them.
    for rule in sorted(rules, key=lambda rule: bool(rule.item_id)):
        rows = _rows(rule, catalogue)
        if rule.kind == "block":
            blocked_N[rows] = True
        elif rule.kind == "bury":
            buried_N[rows] = True
        elif rule.kind == "boost":
            boosts |= dict.fromkeys(rows.tolist(), rule.value)
        elif rule.kind == "pin":
            pins.extend((int(rule.value) - 1, row) for row in rows.tolist())
        elif rule.category:
            most |= {codes[rule.category]: int(rule.value)} if rule.category in codes else {}
        else:
            most = dict.fromkeys(codes.values(), int(rule.value)) | most
    return ShopRules(blocked_N, buried_N, boosts, tuple(sorted(pins)), category_N, most)


def _rows(rule: Rule, catalogue: Catalogue) -> npt.NDArray[np.int64]:
    if rule.item_id:
        row = catalogue.row_of(rule.item_id)
        return np.array([] if row is None else [row], np.int64)
    codes, category_N = catalogue.category_codes
    return np.flatnonzero(category_N == codes.get(rule.category, -1))
