"""The index of item vectors: the largest dot products found as the nearest by angle.

Shapes: N items, B users, D dimensions.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UserError
from core.retrieval.vectors import VectorIndex, build_vector_index, load_vector_index

INDEX = "index"
"""Folder in assets/."""
CHECKED_AT, WANTED_RECALL = 100, 0.98
"""The index is searched as hard as it takes to find this share of so many best items."""
FloatArray = npt.NDArray[np.float32]


def lifted(targets: FloatArray) -> FloatArray:
    """Item vectors of length 1 whose cosine with a lifted query falls in the order of the dot products, (N, D + 2).

    Source: Bachrach et al., Speeding Up the Xbox Recommender System Using a Euclidean Transformation, RecSys 2014.
    """
    square = np.square(targets).sum(axis=1, dtype=np.float64)
    longest = max(float(square.max(initial=0.0)), 1e-12)
    rest = np.sqrt(np.maximum(0.0, longest - square))
    unit: FloatArray = (np.concatenate([targets, rest[:, None]], axis=1) / np.sqrt(longest)).astype(np.float32)
    return unit


def lifted_query(user: FloatArray) -> FloatArray:
    """(D + 2,) of length 1."""
    whole = np.append(user, np.float32(0))
    normed: FloatArray = (whole / max(float(np.linalg.norm(whole)), 1e-12)).astype(np.float32)
    return normed


def build_item_index(targets: FloatArray, users: FloatArray) -> VectorIndex:
    """An index of item vectors that finds nearly all of the best items of some users.

    Args:
        targets: (N, D + 1).
        users: (B, D + 1), such as will ask; none = it is checked with vectors between two items.
    """
    queries = np.stack([lifted_query(user) for user in users]) if len(users) else None
    return build_vector_index(lifted(targets), queries=queries, nearest=CHECKED_AT, wanted_recall=WANTED_RECALL)


def write_index(folder: Path, targets: FloatArray, users: FloatArray) -> None:
    """Builds the index of assets/."""
    build_item_index(targets, users).save(folder / INDEX)


def open_index(folder: Path, targets: FloatArray) -> VectorIndex:
    """The index of assets/.

    Raises:
        UserError: It is of other vectors than these.
    """
    index = load_vector_index(folder / INDEX)
    facts = index.facts
    shape = (len(targets), targets.shape[1] + 1)
    if (facts.num_vectors, facts.dimension) == shape:
        probed = np.arange(0, len(targets), max(1, len(targets) // 16))
        same = np.allclose(index.vectors(probed), lifted(targets)[probed], atol=0.02)
        if same:
            return index
    raise UserError(
        f"The index {folder / INDEX} is not of the items beside it.",
        "Model, items and index come from one training.",
        "Copy the bundle again from where it came, or export it again.",
    )
