"""How good ranked lists are: a user's nDCG, recall and MRR by the ranks of what was right; of lists, what they show.

Ranks count from 0 among all items that a user has not seen; of equal scores what was right stands last, so that a
scorer that cannot tell items apart earns nothing by it.

Legend: U users, N items, K places of a list, D dimensions.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluation.uncertainty import Estimate, bootstrap_difference, bootstrap_mean, weighted_mean

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
DEPTH, DEEPER = 10, 50
USER_METRICS = (f"ndcg@{DEPTH}", f"recall@{DEPTH}", f"recall@{DEEPER}", "mrr")
CHUNK = 256


def rank_targets(
    scores_UN: FloatArray, seen: Sequence[IntArray], targets: Sequence[IntArray], depth: int = DEEPER
) -> tuple[list[IntArray], IntArray]:
    """The rank of each target, user by user, and the first `depth` items of each list (-1 where there are fewer).

    Args:
        scores_UN: Written over: what was seen becomes minus infinity.
        seen: Rows of items that are not ranked for the user.
        targets: Rows of what was right.
        depth: Places of the lists.
    """
    ranks: list[IntArray] = []
    top_UK = np.full((len(scores_UN), depth), -1, np.int64)
    for row, (scores_N, gone, wanted) in enumerate(zip(scores_UN, seen, targets, strict=True)):
        scores_N[gone] = -np.inf
        rising = np.sort(scores_N)
        ranks.append(len(rising) - 1 - np.searchsorted(rising, scores_N[wanted]))
        kept = min(depth, len(scores_N) - len(gone))
        if kept > 0:
            best = np.argpartition(-scores_N, kept - 1)[:kept]
            top_UK[row, :kept] = best[np.lexsort((best, -scores_N[best]))]
    return ranks, top_UK


def user_metrics(ranks: Sequence[IntArray], depth: int = DEPTH, deeper: int = DEEPER) -> dict[str, FloatArray]:
    """One value a user: nDCG and recall at `depth`, recall at `deeper`, and 1 / rank of the first right item.

    What is right counts alike; the best list has as many right ones in front as there are, `depth` at most.
    """
    discount_K = 1 / np.log2(np.arange(depth) + 2)
    best_K = discount_K.cumsum()
    found = {name: np.full(len(ranks), math.nan) for name in USER_METRICS}
    for user, ranks_T in enumerate(ranks):
        if not len(ranks_T):
            continue
        hit = ranks_T[ranks_T < depth]
        found[f"ndcg@{DEPTH}"][user] = discount_K[hit].sum() / best_K[min(depth, len(ranks_T)) - 1]
        found[f"recall@{DEPTH}"][user] = len(hit) / len(ranks_T)
        found[f"recall@{DEEPER}"][user] = (ranks_T < deeper).sum() / len(ranks_T)
        found["mrr"][user] = 1 / (1 + ranks_T.min())
    return found


def estimate_users(found: dict[str, FloatArray], resamples: int, seed: int = 0) -> dict[str, Estimate]:
    """The mean over users of each figure with its 95 % interval; users without a figure are left out."""
    return {name: bootstrap_mean(value_U[np.isfinite(value_U)], resamples, seed) for name, value_U in found.items()}


def paired_difference(first_U: FloatArray, second_U: FloatArray, resamples: int, seed: int = 0) -> Estimate:
    """Mean of first minus second over the same users, with its 95 % interval."""
    assert first_U.shape == second_U.shape, (first_U.shape, second_U.shape)
    kept = np.isfinite(first_U) & np.isfinite(second_U)

    def mean_of(value_U: FloatArray) -> Callable[[FloatArray], dict[str, FloatArray]]:
        return lambda counts_UR: {"mean": weighted_mean(value_U[kept], counts_UR)}

    first, second = mean_of(first_U), mean_of(second_U)
    return bootstrap_difference(first, second, int(kept.sum()), resamples, seed)["mean"]


def list_metrics(
    top_UK: IntArray,
    popularity_N: npt.NDArray[Any],
    vectors_ND: FloatArray | None,
    resamples: int,
    seed: int = 0,
) -> dict[str, Estimate]:
    """What lists show, whether right or not.

    `coverage`: share of the catalogue that stands in some list. `popularity`: mean share of items less popular than
    what is shown; 0.5 = no bias. `novelty`: mean bits of surprise, -log2 of an item's share of the likings.
    `diversity`: 1 - mean cosine of the items of a list.

    Args:
        top_UK: Rows of the items of each list; -1 = none.
        popularity_N: Likings of each item in training.
        vectors_ND: Of items, for diversity; None = it is left out.
        resamples: Bootstrap resamples.
        seed: Of the resamples.
    """
    lists = [top_K[top_K >= 0] for top_K in top_UK]
    lists = [rows for rows in lists if len(rows)]
    shown = np.unique(np.concatenate(lists)) if lists else np.zeros(0)
    share_N = (popularity_N + 1) / (popularity_N + 1).sum()
    rising = np.sort(popularity_N)
    below_N = (np.searchsorted(rising, popularity_N) + np.searchsorted(rising, popularity_N, side="right")) / 2
    below_N = below_N / len(popularity_N)
    bits_N = -np.log2(share_N)
    found = {
        f"coverage@{top_UK.shape[1]}": Estimate.exact(len(shown) / max(1, len(popularity_N))),
        "popularity": bootstrap_mean([below_N[rows].mean() for rows in lists], resamples, seed),
        "novelty": bootstrap_mean([bits_N[rows].mean() for rows in lists], resamples, seed),
    }
    if vectors_ND is not None:
        alike = [_mean_cosine(vectors_ND[rows]) for rows in lists if len(rows) > 1]
        found["diversity"] = bootstrap_mean(1 - np.asarray(alike), resamples, seed)
    return found


def chunks(total: int, size: int = CHUNK) -> Iterator[slice]:
    """Pieces of a range, so that scores of all users and items never stand side by side."""
    return (slice(start, min(total, start + size)) for start in range(0, total, size))


def _mean_cosine(vectors_KD: FloatArray) -> float:
    normed = vectors_KD / np.maximum(np.linalg.norm(vectors_KD, axis=1, keepdims=True), 1e-9)
    cosine_KK = normed @ normed.T
    size = len(vectors_KD)
    return float((cosine_KK.sum() - np.trace(cosine_KK)) / (size * (size - 1)))
