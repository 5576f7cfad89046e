"""What goes with what and what comes after what, as two linear models of items in closed form, cut to few dimensions.

The score of item j for a user is a sum over the history of M[i, j]. Two such models are added up. A sequence: the next
likings foretold by ridge regression from what one had to do with before, weighted by age; what was met and not liked
counts less there, but counts: it tells what people come across. And a taste: each item foretold from all others that
the same user liked, whenever that was, where items with like texts count as liked together. The truncated singular
value decomposition of each gives every item two vectors, what it says of who met it (source) and who likes it
(target), and the score is a dot product. Sequence and taste stand in turns, so that the first dimensions, which are the
strongest, hold some of both: even ones are of the sequence, odd ones of the taste.

Sources: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019 (EASE); Jeunen, Van Balen and Goethals,
Closed-Form Models for Collaborative Filtering with Side-Information, RecSys 2020 (CEASE); Choi et al., Session-aware
Linear Item-Item Models for Session-based Recommendation, WWW 2021 (SLIST).

Legend: N items, n of them that somebody met, P positions in histories, D dimensions, V units of texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.backbones.recommender_config import RecommenderModelConfig

FloatArray = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.floating]
DENSE_BELOW = 12_000
"""Items that somebody met up to which the regressions are solved exactly; above, similarities take their place."""
EXACT_BELOW = 1_500
"""Items up to which all singular values are computed."""
LEAST_WEIGHT = 0.02
SPREAD = 1.0
"""Standard deviation of the scores that a softmax begins with."""
SPREAD_OVER = 2_000
"""So many histories tell it."""
SHRUNK_BY = 10.0
"""Similarities of items that were met this seldom are halved."""


@dataclass(frozen=True)
class ItemFactors:
    """Vectors of items (N, D); those of items that nobody met are zero.

    Args:
        source: What liking it says of a user.
        target: Who likes it.
    """

    source: FloatArray
    target: FloatArray


@dataclass(frozen=True)
class Met:
    """What one user had to do with, oldest first, each item once.

    Args:
        rows: Of the items.
        liked: Whether they were liked.
    """

    rows: npt.NDArray[np.integer]
    liked: npt.NDArray[np.bool_]


def fit_item_factors(
    histories: Sequence[Met], num_items: int, config: RecommenderModelConfig, bag_NV: Any = None
) -> ItemFactors:
    """The two vectors of each item.

    Args:
        histories: Of each user.
        num_items: N.
        config: Ridges, shares, decay and dimension.
        bag_NV: How much each unit of its texts says of an item, sparse; None = nothing is known of texts.
    """
    known_n = np.unique(np.concatenate([met.rows for met in histories])) if len(histories) else np.zeros(0, np.int32)
    place_N = np.full(num_items, -1)
    place_N[known_n] = np.arange(len(known_n))
    placed = [Met(place_N[met.rows], met.liked) for met in histories]
    past, coming = _positions(placed, len(known_n), config)
    liked = _liked(placed, len(known_n))
    if len(known_n) <= DENSE_BELOW:
        bag_nV = None if bag_NV is None else bag_NV[known_n]
        models = _sequence(past, coming, liked, config), _taste(liked, bag_nV, config)
    else:
        models = _similar(past, coming), _similar(liked, liked)
    source, target = (np.zeros((num_items, config.dimension), np.float32) for _ in range(2))
    spread = 0.0
    for part, (model, share, seen) in enumerate(
        zip(models, (1.0, config.start.taste_share), (past, liked), strict=True)
    ):
        left, strength, right = _largest(model, config.dimension // 2)
        strength = strength * share / max(_spread(model), 1e-9)
        taken = slice(part, part + 2 * len(strength), 2)
        source[known_n, taken], target[known_n, taken] = left * np.sqrt(strength), right.T * np.sqrt(strength)
        some = seen[:: max(1, seen.shape[0] // SPREAD_OVER)]
        spread += float(np.var((some @ (left * strength)) @ right)) if some.shape[0] else 0.0
    scale = np.float32((SPREAD / max(np.sqrt(spread), 1e-9)) ** 0.5) if spread else np.float32(1)
    return ItemFactors(source * scale, target * scale)


def _largest(model: Any, dimension: int) -> tuple[Matrix, Matrix, Matrix]:
    """The largest singular values with their vectors; of a small matrix all are computed."""
    size = model.shape[0]
    if size <= EXACT_BELOW:
        dense = model if isinstance(model, np.ndarray) else model.toarray()
        left, strength, right = np.linalg.svd(dense, full_matrices=False) if size else (dense, dense[:0, 0], dense)
        return left[:, :dimension], strength[:dimension], right[:dimension]
    from sklearn.utils.extmath import randomized_svd

    found: tuple[Matrix, Matrix, Matrix] = randomized_svd(model, min(dimension, size - 1), n_iter=4, random_state=0)
    return found


def _liked(histories: Sequence[Met], size: int) -> Any:
    from scipy.sparse import csr_matrix

    liked = [met.rows[met.liked] for met in histories]
    users = np.repeat(np.arange(len(liked)), [len(rows) for rows in liked])
    items = np.concatenate(liked) if liked else np.zeros(0, np.int64)
    matrix = csr_matrix((np.ones(len(items), np.float32), (users, items)), (len(histories), size))
    matrix.data[:] = 1
    return matrix


def _positions(histories: Sequence[Met], size: int, config: RecommenderModelConfig) -> Any:
    """Before each liking: what came before by its age in likings, and what comes from here on by how soon; (P, n)."""
    from scipy.sparse import csr_matrix

    user = config.user
    rows: list[list[Any]] = [[], []]
    columns: list[list[Any]] = [[], []]
    weights: list[list[Any]] = [[], []]
    count = 0
    furthest = int(np.ceil(-np.log(LEAST_WEIGHT) * config.start.next_events))
    for met in histories:
        counted = np.cumsum(met.liked)
        share = np.where(met.liked, 1.0, user.disliked_share)
        likings = np.flatnonzero(met.liked)
        for number, at in enumerate(likings.tolist()):
            if at == 0:
                continue
            age = counted[at - 1] - counted[:at]
            ahead = met.rows[likings[number : number + furthest]]
            soon = np.exp(-np.arange(len(ahead)) / config.start.next_events)
            before = share[:at] * (user.old_share + (1 - user.old_share) * np.exp(-age / user.recent_events))
            for side, items, weight in ((0, met.rows[:at], before), (1, ahead, soon / soon.sum())):
                rows[side].append(np.full(len(items), count))
                columns[side].append(items)
                weights[side].append(weight)
            count += 1
    if not count:
        return csr_matrix((0, size), dtype=np.float32), csr_matrix((0, size), dtype=np.float32)
    return tuple(
        csr_matrix(
            (
                np.concatenate(weights[side]).astype(np.float32),
                (np.concatenate(rows[side]), np.concatenate(columns[side])),
            ),
            (count, size),
        )
        for side in (0, 1)
    )


def _sequence(past: Any, coming: Any, liked: Any, config: RecommenderModelConfig) -> Matrix:
    """What comes next, by ridge regression, (n, n); the ridge is large enough for single precision."""
    from scipy.linalg import solve

    size = past.shape[1]
    wanted = _wanted(liked)
    gram = (past.T @ past).toarray().astype(np.float32)
    gram[np.diag_indices(size)] += config.start.sequence_ridge
    crossed = (past.T @ coming[:, wanted]).toarray().astype(np.float32)
    model = np.zeros((size, size), np.float32)
    if len(wanted):
        model[:, wanted] = solve(gram, crossed, assume_a="pos", overwrite_a=True, overwrite_b=True)
    return model


def _taste(liked: Any, bag_nV: Any, config: RecommenderModelConfig) -> Matrix:
    """What goes with what, by ridge regression without items foretelling themselves, (n, n)."""
    size = liked.shape[1]
    wanted = _wanted(liked)
    gram = (liked[:, wanted].T @ liked[:, wanted]).toarray().astype(np.float64)
    if bag_nV is not None and config.start.text_weight:
        gram += config.start.text_weight * (bag_nV[wanted] @ bag_nV[wanted].T).toarray()
    gram[np.diag_indices(len(wanted))] += config.start.taste_ridge
    inverse = np.linalg.inv(gram)
    model = np.zeros((size, size), np.float32)
    model[np.ix_(wanted, wanted)] = inverse / -np.diag(inverse)
    model[np.diag_indices(size)] = 0
    return model


def _wanted(liked: Any) -> npt.NDArray[np.int64]:
    """Items that somebody liked."""
    return np.flatnonzero(np.asarray(liked.sum(axis=0)).ravel())


def _similar(first: Any, second: Any) -> Any:
    """In the place of a regression, where there are too many items for one: shrunk cosines, which stay sparse."""
    from scipy.sparse import diags

    sizes = [
        1 / np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel() + SHRUNK_BY) for matrix in (first, second)
    ]
    model = (diags(sizes[0]) @ (first.T @ second) @ diags(sizes[1])).tocsr()
    if first is second:
        model.setdiag(0)
    return model


def _spread(model: Any) -> float:
    """Standard deviation over all cells of a matrix, sparse or not."""
    cells = model.shape[0] * model.shape[1]
    if isinstance(model, np.ndarray):
        return float(model.std()) if cells else 0.0
    return float(np.sqrt(max(0.0, model.multiply(model).sum() / cells - (model.sum() / cells) ** 2)))
