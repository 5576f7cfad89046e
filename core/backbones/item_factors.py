"""What goes with what and what comes after what, as one linear model of items in closed form, cut to few dimensions.

The score of item j for a user is the sum, over the history, of a weight that falls with age times M[i, j]. M adds up
two ridge regressions: a taste, each item foretold from all others whenever they were liked; and a sequence, the next
likings foretold from what one had to do with before. What was met and not liked counts less there, but counts: it
tells what people come across. M's truncated singular value decomposition gives each item two vectors,
what it says of who liked it (source) and who likes it (target): the score is then a dot product.

Sources: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019 (EASE); Choi et al., Session-aware
Linear Item-Item Models for Session-based Recommendation, WWW 2021 (SLIST).

Legend: N items, n of them that somebody met, P positions in histories, D dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.backbones.recommender_config import RecommenderModelConfig

FloatArray = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
DENSE_BELOW = 12_000
"""Items that somebody met up to which the regressions are solved exactly; above, similarities take their place."""
EXACT_BELOW = 1_500
"""Items up to which all singular values are computed."""
LEAST_WEIGHT = 0.02
SPREAD = 1.0
"""Standard deviation of the scores that a softmax begins with."""


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


def fit_item_factors(histories: Sequence[Met], num_items: int, config: RecommenderModelConfig) -> ItemFactors:
    """The two vectors of each item.

    Args:
        histories: Of each user.
        num_items: N.
        config: Ridges, shares, decay and dimension.
    """
    known_n = np.unique(np.concatenate([met.rows for met in histories])) if len(histories) else np.zeros(0, np.int32)
    place_N = np.full(num_items, -1)
    place_N[known_n] = np.arange(len(known_n))
    placed = [Met(place_N[met.rows], met.liked) for met in histories]
    past, coming = _positions(placed, len(known_n), config)
    liked = _liked(placed, len(known_n))
    if len(known_n) <= DENSE_BELOW:
        left, strength, right = _largest(_solved(liked, past, coming, config), config.dimension)
    else:
        from scipy.sparse.linalg import svds

        model = _similar(liked, past, coming, config)
        left, strength, right = svds(model, k=min(config.dimension, len(known_n) - 1), random_state=0)
        order = np.argsort(-strength)
        left, strength, right = left[:, order], strength[order], right[order]
    kept = slice(0, config.dimension)
    left, strength, right = left[:, kept], strength[kept], right[kept]
    root = np.sqrt(strength)
    source, target = (np.zeros((num_items, config.dimension), np.float32) for _ in range(2))
    source[known_n, : len(root)] = left * root
    target[known_n, : len(root)] = right.T * root
    spread = np.std((past[:: max(1, past.shape[0] // 2000)] @ (left * strength)) @ right) if len(root) else 1.0
    scale = np.float32(np.sqrt(SPREAD / max(float(spread), 1e-9)))
    return ItemFactors(source * scale, target * scale)


def _largest(model: Matrix, dimension: int) -> tuple[Matrix, Matrix, Matrix]:
    """The largest singular values with their vectors, exact where the matrix is small."""
    if len(model) <= EXACT_BELOW:
        left, strength, right = np.linalg.svd(model, full_matrices=False) if len(model) else (model, model[0:0], model)
        return left, strength, right
    from sklearn.utils.extmath import randomized_svd

    found: tuple[Matrix, Matrix, Matrix] = randomized_svd(
        model, min(dimension, len(model) - 1), n_iter=4, random_state=0
    )
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


def _solved(liked: Any, past: Any, coming: Any, config: RecommenderModelConfig) -> npt.NDArray[np.float64]:
    """Both regressions, each to standard deviation 1, added up."""
    from scipy.linalg import solve

    size = liked.shape[1]
    wanted = np.flatnonzero(np.asarray(liked.sum(axis=0)).ravel())
    gram = (liked[:, wanted].T @ liked[:, wanted]).toarray().astype(np.float64)
    diagonal = np.diag_indices(len(wanted))
    gram[diagonal] += config.start.taste_ridge
    inverse = np.linalg.inv(gram)
    taste = np.zeros((size, size))
    taste[np.ix_(wanted, wanted)] = inverse / -np.diag(inverse)
    taste[np.diag_indices(size)] = 0
    gram = (past.T @ past).toarray().astype(np.float64)
    gram[np.diag_indices(size)] += config.start.sequence_ridge
    sequence = np.zeros((size, size))
    crossed = (past.T @ coming[:, wanted]).toarray().astype(np.float64)
    sequence[:, wanted] = solve(gram, crossed, assume_a="pos", overwrite_a=True, overwrite_b=True)
    return _added(sequence, taste, config)


def _similar(liked: Any, past: Any, coming: Any, config: RecommenderModelConfig) -> Any:
    """The same out of shrunk cosines, which stay sparse."""
    from scipy.sparse import diags

    def shrunk(first: Any, second: Any, ridge: float) -> Any:
        sizes = [
            1 / np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel() + ridge) for matrix in (first, second)
        ]
        return diags(sizes[0]) @ (first.T @ second) @ diags(sizes[1])

    taste = shrunk(liked, liked, 10.0)
    taste.setdiag(0)
    sequence = shrunk(past, coming, 10.0)
    return sequence * (1 / max(_spread(sequence), 1e-9)) + taste * (
        config.start.taste_share / max(_spread(taste), 1e-9)
    )


def _spread(matrix: Any) -> float:
    """Standard deviation over all cells of a sparse matrix."""
    cells = matrix.shape[0] * matrix.shape[1]
    return float(np.sqrt(max(0.0, matrix.multiply(matrix).sum() / cells - (matrix.sum() / cells) ** 2)))


def _added(
    sequence: npt.NDArray[np.float64], taste: npt.NDArray[np.float64], config: RecommenderModelConfig
) -> npt.NDArray[np.float64]:
    added: npt.NDArray[np.float64] = sequence / max(float(sequence.std()), 1e-9)
    return added + config.start.taste_share * taste / max(float(taste.std()), 1e-9)
