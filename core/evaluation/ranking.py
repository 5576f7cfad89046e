"""How well a ranking puts what is right first: recall, reciprocal rank and nDCG, with intervals.

Candidates of equal score stand in the worst order, the right ones last: a scorer that cannot tell them apart earns
nothing by it. Examples without anything right have no figure and are left out.

Legend: N examples, C candidates in ranked order. A gain is how right a candidate is: 0 = wrong, 1 = right, or graded.
"""

import math
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from core.evaluation.uncertainty import Estimate, bootstrap_mean

FloatArray = npt.NDArray[np.floating]

MRR_DEPTH = 10


def ranked_gains(scores_NC: npt.ArrayLike, gains_NC: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The gains (N, C) in the order of falling scores, ties in the worst order; nan scores stand last."""
    score_NC, gain_NC = np.asarray(scores_NC, np.float64), np.asarray(gains_NC, np.float64)
    assert score_NC.shape == gain_NC.shape, (score_NC.shape, gain_NC.shape)
    falling_NC = np.where(np.isnan(score_NC), np.inf, -score_NC)
    return np.take_along_axis(gain_NC, np.lexsort((gain_NC, falling_NC), axis=1), axis=1)


def gains_of_lists(
    found: Sequence[Sequence[str]], right: Sequence[Collection[str]], depth: int
) -> npt.NDArray[np.float64]:
    """Gains of lists of ids, best first, each right id being worth 1.

    Right ids that a list does not name stand beyond `depth`, so that they count as missed at every k up to it.

    Args:
        found: The ids of each example, without repeats; those beyond `depth` are not looked at.
        right: The right ids of each example.
        depth: The largest k that will be asked for.
    """
    most = max((len(ids) for ids in right), default=0)
    gains_NC = np.zeros((len(found), depth + most))
    for row, (ids, wanted) in enumerate(zip(found, right, strict=True)):
        hits = [float(item in wanted) for item in ids[:depth]]
        assert len(set(ids[:depth])) == len(hits), "an id stands in a list once"
        gains_NC[row, : len(hits)] = hits
        gains_NC[row, depth : depth + len(wanted) - int(sum(hits))] = 1
    return gains_NC


def recall_at(gains_NC: FloatArray, k: int) -> npt.NDArray[np.float64]:
    """Share of the right candidates among the first k, (N,); nan where nothing is right."""
    right_NC = np.asarray(gains_NC) > 0
    return _over(right_NC[:, :k].sum(axis=1), right_NC.sum(axis=1))


def reciprocal_ranks(gains_NC: FloatArray, depth: int = MRR_DEPTH) -> npt.NDArray[np.float64]:
    """1 / rank of the first right candidate, 0 if it stands beyond `depth`, (N,); nan where nothing is right."""
    right_NC = np.asarray(gains_NC) > 0
    first_N = right_NC.argmax(axis=1) if right_NC.shape[1] else np.zeros(len(right_NC), np.int64)
    value_N = np.where(first_N < depth, 1 / (first_N + 1), 0.0)
    return np.where(right_NC.any(axis=1), value_N, math.nan)


def ndcg_at(gains_NC: FloatArray, k: int) -> npt.NDArray[np.float64]:
    """Discounted gain of the first k over that of the best order, (N,); nan where nothing is right.

    DCG = sum over ranks r of gain / log2(r + 1): linear in the gain.

    Source: Jarvelin and Kekalainen, Cumulated gain-based evaluation of IR techniques, TOIS 2002.
    """
    gain_NC = np.asarray(gains_NC, np.float64)
    discount_K = 1 / np.log2(np.arange(min(k, gain_NC.shape[1])) + 2)
    ideal_NC = -np.sort(-gain_NC, axis=1)
    return _over(gain_NC[:, : len(discount_K)] @ discount_K, ideal_NC[:, : len(discount_K)] @ discount_K)


def ranking_metrics(
    gains_NC: FloatArray,
    *,
    recall_depths: Sequence[int] = (1, 3, 10),
    ndcg_depths: Sequence[int] = (10,),
    resamples: int = 0,
    seed: int = 0,
    groups: Sequence[object] | None = None,
) -> dict[str, Estimate]:
    """`recall@k`, `mrr` (of the first ten) and `ndcg@k`, each the mean over examples with its 95 % interval.

    Args:
        gains_NC: In ranked order: see `ranked_gains` and `gains_of_lists`.
        recall_depths: Each k of recall.
        ndcg_depths: Each k of nDCG.
        resamples: Bootstrap resamples; 0 = no intervals.
        seed: Of the resamples.
        groups: One value an example, where examples are not independent (user, conversation).
    """
    values = {f"recall@{k}": recall_at(gains_NC, k) for k in recall_depths}
    values["mrr"] = reciprocal_ranks(gains_NC)
    values |= {f"ndcg@{k}": ndcg_at(gains_NC, k) for k in ndcg_depths}
    counted = np.flatnonzero(np.isfinite(values["mrr"]))
    kept = None if groups is None else [groups[int(index)] for index in counted]
    return {name: bootstrap_mean(value_N[counted], resamples, seed, kept) for name, value_N in values.items()}


def _over(top_N: FloatArray, bottom_N: FloatArray) -> npt.NDArray[np.float64]:
    top_N = np.asarray(top_N, np.float64)
    return np.asarray(np.divide(top_N, bottom_N, out=np.full(top_N.shape, math.nan), where=np.asarray(bottom_N) > 0))
