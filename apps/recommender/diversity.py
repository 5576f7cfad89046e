"""Lists that are not all of a kind: maximal marginal relevance, and a penalty on what everybody likes.

Shapes: P items to choose from, K chosen, D dimensions.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Rows = npt.NDArray[np.int64]


def diversify(
    rows_P: Rows,
    scores_P: FloatArray,
    targets_ND: FloatArray,
    likings_N: npt.NDArray[np.int64],
    k: int,
    *,
    diversity: float = 0.0,
    novelty: float = 0.0,
) -> tuple[Rows, FloatArray, float]:
    """The chosen rows with their scores, and the share of the list's worth that this took.

    An item is worth its score, as a share of the span of all scores; of two alike the second is worth less.

    Source: Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents, SIGIR 1998.

    Args:
        rows_P: To choose from, the best first.
        scores_P: Of the model.
        targets_ND: Of all items.
        likings_N: Of all items.
        k: How many to choose.
        diversity: 0 = by worth alone, 1 = by unlikeness alone.
        novelty: How much of its worth the item that everybody likes loses.
    """
    k = min(k, len(rows_P))
    if not (diversity or novelty) or k == 0:
        return rows_P[:k], scores_P[:k], 0.0
    span = max(float(scores_P.max() - scores_P.min()), 1e-9)
    worth_P = (scores_P - scores_P.min()) / span
    fame_P = np.log1p(likings_N[rows_P]) / max(float(np.log1p(likings_N.max(initial=0))), 1e-9)
    wanted_P = worth_P - novelty * fame_P
    vectors_PD = targets_ND[rows_P]
    vectors_PD = vectors_PD / np.maximum(np.linalg.norm(vectors_PD, axis=1, keepdims=True), 1e-9)
    nearest_P = np.zeros(len(rows_P))
    is_free_P = np.ones(len(rows_P), np.bool_)
    chosen = []
    for _ in range(k):
        marginal_P = (1 - diversity) * wanted_P - diversity * nearest_P
        best = int(np.argmax(np.where(is_free_P, marginal_P, -np.inf)))
        chosen.append(best)
        is_free_P[best] = False
        nearest_P = np.maximum(nearest_P, vectors_PD @ vectors_PD[best])
    discount_K = 1 / np.log2(np.arange(k) + 2)
    best_worth = float(worth_P[:k] @ discount_K)
    cost = 1 - float(worth_P[chosen] @ discount_K) / best_worth if best_worth > 0 else 0.0
    return rows_P[chosen], scores_P[chosen], max(0.0, cost)
