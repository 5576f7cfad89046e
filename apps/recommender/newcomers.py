"""New items: one place of a list is kept for one that its texts speak for.

What people did puts an item higher than any text can, so that new items, ranked among the others, would hardly ever be
seen, however well they fit. A place of their own shows them at a price that is known.

Shapes: B users, N items, D dimensions, M known items to compare with.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UserError

FILE = "known_by_text.npz"
"""In assets/."""
COMPARED_WITH, FITS_AMONG = 2000, 20
"""Of so many known items, told by their texts as it is, fewer than so many stand before a new one that fits a user."""
FloatArray = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class KnownByText:
    """Some known items as if they were new.

    Args:
        rows_M: Of the catalogue.
        told_MD: Their targets and biases as texts tell them, (M, D + 1).
    """

    rows_M: npt.NDArray[np.int64]
    told_MD: FloatArray

    def least_score(self, user_D: FloatArray, gone_N: npt.NDArray[np.bool_]) -> float:
        """The score from which on a new item fits a user (D + 1,), by the known items that can stand in the list.

        Args:
            user_D: Of the user.
            gone_N: Those that cannot, such as what the user has seen: it would stand before all others.
        """
        score_m = self.told_MD[~gone_N[self.rows_M]] @ user_D
        if not len(score_m):
            return 0.0
        last = min(len(score_m), FITS_AMONG) - 1
        return float(-np.partition(-score_m, last)[last])


def draw_known(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """As many as are compared with, of the rows of all known items."""
    return rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:COMPARED_WITH])]


def write_known(folder: Path, known: KnownByText) -> None:
    """Keeps them in assets/."""
    np.savez(folder / FILE, rows=known.rows_M, told=known.told_MD)


def open_known(folder: Path) -> KnownByText:
    """What `write_known` kept.

    Raises:
        UserError: It is missing or damaged.
    """
    try:
        with np.load(folder / FILE, allow_pickle=False) as kept:
            return KnownByText(kept["rows"], kept["told"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{folder / FILE} cannot be read: {error}.", "A file that the suite wrote.", "Export the model again."
        ) from None


def give_place(
    score_BN: FloatArray, user_BD: FloatArray, seen: Sequence[Rows], new: Rows, known: KnownByText, place: int
) -> None:
    """Lifts in each row of scores the best new item that fits to a place, unless it stands before it already.

    Args:
        score_BN: Written over.
        user_BD: Of each row.
        seen: Rows that cannot stand in the list of each user.
        new: Rows of new items.
        known: To compare with.
        place: From 1.
    """
    for score_N, user_D, gone in zip(score_BN, user_BD, seen, strict=True):
        there = np.setdiff1d(new, gone)
        if not len(there):
            continue
        best = there[np.argmax(score_N[there])]
        gone_N = np.zeros(len(score_N), np.bool_)
        gone_N[gone] = True
        others_N = np.where(gone_N, -np.inf, score_N)
        others_N[best] = -np.inf
        if score_N[best] >= known.least_score(user_D, gone_N) and place < len(others_N):
            at_place = -np.partition(-others_N, place - 1)[place - 1]
            score_N[best] = max(score_N[best], np.nextafter(at_place, np.float32(np.inf)))
