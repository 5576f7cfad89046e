"""What all baselines are given and give.

Shapes: U users, N items.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.interaction_splits import UserExamples

Rows = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.floating]
Scorer = Callable[[Sequence[Rows]], FloatArray]
"""Liked rows of some users, oldest first, to scores (U, N)."""


@dataclass(frozen=True)
class Liked:
    """What is learnt from.

    Args:
        histories: Rows that each user liked in training, oldest first.
        num_items: N.
    """

    histories: Sequence[Rows]
    num_items: int

    def matrix(self) -> Any:
        """Users times items, 1 where liked, sparse."""
        return as_matrix(self.histories, self.num_items)


@dataclass(frozen=True)
class Baseline:
    """A way to rank.

    Args:
        name: For tables.
        fit: Learns with some settings.
        settings: Those that validation data chooses from.
    """

    name: str
    fit: Callable[[Liked, Mapping[str, float]], Scorer]
    settings: tuple[Mapping[str, float], ...]


def as_matrix(histories: Sequence[Rows], num_items: int) -> Any:
    """Histories times items, 1 where an item stands in one, sparse."""
    from scipy.sparse import csr_matrix

    users = np.repeat(np.arange(len(histories)), [len(rows) for rows in histories])
    rows = np.concatenate(histories) if len(histories) else np.zeros(0, np.int32)
    matrix = csr_matrix((np.ones(len(rows), np.float32), (users, rows)), (len(histories), num_items))
    matrix.data[:] = 1
    return matrix


def liked_before(examples: UserExamples) -> list[Rows]:
    """Of each example all that the user liked before, oldest first, each item once."""
    found = []
    log = examples.log
    for first, stop in zip(examples.firsts, examples.stops, strict=True):
        rows = log.row_E[first:stop][log.weight_E[first:stop] > 0]
        _, places = np.unique(rows, return_index=True)
        found.append(rows[np.sort(places)])
    return found
