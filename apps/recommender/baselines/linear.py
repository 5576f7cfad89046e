"""Popularity, neighbours of items, and EASE: what needs no training but counting and one inverse.

Shapes: U users, N items, n items with likings.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from apps.recommender.baselines.scorer import Baseline, FloatArray, Liked, Rows, Scorer, as_matrix
from core.errors import UserError

MOST_DENSE = 30_000


def fit_popularity(liked: Liked, settings: Mapping[str, float]) -> Scorer:
    """How many users liked an item."""
    del settings
    count_N = np.asarray(liked.matrix().sum(axis=0), np.float64).ravel()
    return lambda histories: np.tile(count_N, (len(histories), 1))


def fit_item_knn(liked: Liked, settings: Mapping[str, float]) -> Scorer:
    """Items like those of the history, by shrunk cosine over users; the nearest of each item alone.

    Source: Sarwar et al., Item-Based Collaborative Filtering, WWW 2001.
    """
    matrix = liked.matrix()
    together = (matrix.T @ matrix).tocsr()
    size_N = np.sqrt(together.diagonal())
    together.setdiag(0)
    together.eliminate_zeros()
    together = together.tocoo()
    shrunk = together.data / (size_N[together.row] * size_N[together.col] + settings["shrink"])
    from scipy.sparse import csc_matrix

    near = csc_matrix((shrunk, (together.row, together.col)), together.shape)
    for item in range(near.shape[1]):
        cells = near.data[near.indptr[item] : near.indptr[item + 1]]
        if len(cells) > settings["neighbours"]:
            cells[cells < np.partition(cells, -int(settings["neighbours"]))[-int(settings["neighbours"])]] = 0
    near.eliminate_zeros()

    def score(histories: Sequence[Rows]) -> FloatArray:
        return np.asarray((as_matrix(histories, liked.num_items) @ near).toarray(), np.float64)

    return score


def fit_ease(liked: Liked, settings: Mapping[str, float]) -> Scorer:
    """Each item foretold from all others by ridge regression, in closed form.

    Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019.

    Raises:
        UserError: There are too many items for an inverse.
    """
    matrix = liked.matrix()
    known_n = np.flatnonzero(np.asarray(matrix.sum(axis=0)).ravel())
    if len(known_n) > MOST_DENSE:
        raise UserError(
            f"EASE inverts a matrix of {len(known_n):,} items squared.",
            f"Up to {MOST_DENSE:,} items that somebody liked.",
            "Compare on a smaller catalogue.",
        )
    matrix = matrix[:, known_n]
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    gram[np.diag_indices(len(known_n))] += settings["ridge"]
    inverse = np.linalg.inv(gram)
    model = inverse / -np.diag(inverse)
    model[np.diag_indices(len(known_n))] = 0

    def score(histories: Sequence[Rows]) -> FloatArray:
        scores_UN = np.full((len(histories), liked.num_items), -np.inf)
        scores_UN[:, known_n] = as_matrix(histories, liked.num_items)[:, known_n] @ model
        return scores_UN

    return score


LINEAR = (
    Baseline("popularity", fit_popularity, ({},)),
    Baseline(
        "item_knn",
        fit_item_knn,
        tuple({"neighbours": k, "shrink": s} for k in (50, 200, 1000) for s in (0, 10, 30)),
    ),
    Baseline("ease", fit_ease, tuple({"ridge": ridge} for ridge in (50, 100, 200, 400, 800))),
)
