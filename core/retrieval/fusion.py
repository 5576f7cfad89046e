"""Several rankings become one: reciprocal rank fusion."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)
RANK_OFFSET = 60


def fuse_rankings(rankings: Sequence[Sequence[Item]], weights: Sequence[float]) -> dict[Item, float]:
    """Score of every item that stands in a ranking, best first: the sum of weight / (60 + rank), ranks from 1.

    Items with the same score stand in the order of their first appearance.

    Source: Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods", SIGIR 2009; the weights are an addition.
    """
    scores: dict[Item, float] = defaultdict(float)
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, item in enumerate(ranking, 1):
            scores[item] += weight / (RANK_OFFSET + rank)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))
