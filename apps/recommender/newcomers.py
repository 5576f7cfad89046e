"""New items: one place of a list is kept for one that its texts speak for.

What people did puts an item higher than any text can, so that new items, ranked among the others, would hardly ever be
seen, however well they fit. A place of their own shows them at a price that is known.

Shapes: B users, N items, D dimensions, M known items to compare with.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UserError

FILE = "known_by_text.npy"
"""In assets/."""
COMPARED_WITH, FITS_AMONG = 2000, 20
"""Of so many known items, told by their texts as it is, fewer than so many stand before a new one that fits a user."""
FloatArray = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]


def write_known(folder: Path, told_ND: FloatArray) -> None:
    """Keeps some of what texts tell of known items, (N, D + 1)."""
    some = np.random.default_rng(0).permutation(len(told_ND))[:COMPARED_WITH]
    np.save(folder / FILE, told_ND[np.sort(some)])


def open_known(folder: Path) -> FloatArray:
    """(M, D + 1).

    Raises:
        UserError: It is missing or damaged.
    """
    try:
        known: FloatArray = np.load(folder / FILE)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder / FILE} cannot be read: {error}.", "A file that the suite wrote.", "Export the model again."
        ) from None
    return known


def least_score(user_BD: FloatArray, known_MD: FloatArray) -> FloatArray:
    """The score from which on a new item fits each user, (B,)."""
    if not len(known_MD):
        return np.zeros(len(user_BD), np.float32)
    scores_BM = user_BD @ known_MD.T
    last = min(len(known_MD), FITS_AMONG) - 1
    least_B: FloatArray = -np.partition(-scores_BM, last, axis=1)[:, last]
    return least_B


def give_place(score_BN: FloatArray, seen: Sequence[Rows], new: Rows, least_B: FloatArray, place: int) -> None:
    """Lifts in each row of scores the best new item that fits to a place, unless it stands before it already.

    Args:
        score_BN: Written over.
        seen: Rows that cannot stand in the list of each user.
        new: Rows of new items.
        least_B: See `least_score`.
        place: From 1.
    """
    for score_N, gone, least in zip(score_BN, seen, least_B, strict=True):
        there = np.setdiff1d(new, gone)
        if not len(there):
            continue
        best = there[np.argmax(score_N[there])]
        others_N = score_N.copy()
        others_N[gone] = -np.inf
        others_N[best] = -np.inf
        if score_N[best] >= least and place < len(others_N):
            at_place = -np.partition(-others_N, place - 1)[place - 1]
            score_N[best] = max(score_N[best], np.nextafter(at_place, np.float32(np.inf)))
