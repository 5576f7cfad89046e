"""Ranking figures against cases worked by hand and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from core.evaluation.ranking import (
    gains_of_lists,
    ndcg_at,
    ranked_gains,
    ranking_metrics,
    recall_at,
    reciprocal_ranks,
)


def test_figures_of_a_case_worked_by_hand() -> None:
    gains = ranked_gains([[0.9, 0.1, 0.5, 0.7]], [[0, 1, 1, 0]])
    assert gains.tolist() == [[0, 0, 1, 1]]
    assert recall_at(gains, 2).tolist() == [0.0]
    assert recall_at(gains, 3).tolist() == [0.5]
    assert reciprocal_ranks(gains).tolist() == [pytest.approx(1 / 3)]
    best = 1 + 1 / math.log2(3)
    assert ndcg_at(gains, 4).tolist() == [pytest.approx((1 / math.log2(4) + 1 / math.log2(5)) / best)]


def test_ties_are_broken_against_the_right_one() -> None:
    gains = ranked_gains(np.zeros((1, 4)), [[1, 0, 0, 0]])
    assert recall_at(gains, 3).tolist() == [0.0]
    assert reciprocal_ranks(gains).tolist() == [0.25]


def test_undefined_scores_stand_last() -> None:
    assert ranked_gains([[math.nan, -5.0]], [[1, 0]]).tolist() == [[0, 1]]


@given(seed=st.integers(0, 1000), k=st.integers(1, 12))
def test_ndcg_equals_scikit_learn(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    scores, gains = random.permuted(np.arange(60.0).reshape(5, 12), axis=1), random.integers(0, 4, (5, 12))
    gains[:, 0] = 1
    ours = ndcg_at(ranked_gains(scores, gains), k)
    assert ours.mean() == pytest.approx(ndcg_score(gains, scores, k=k))


def test_rank_beyond_the_depth_counts_nothing() -> None:
    gains = np.zeros((1, 12))
    gains[0, 10] = 1
    assert reciprocal_ranks(gains).tolist() == [0.0]
    assert reciprocal_ranks(gains, depth=11).tolist() == [pytest.approx(1 / 11)]


def test_lists_of_ids_count_what_they_miss() -> None:
    gains = gains_of_lists([["a", "b"], ["c"], []], [{"b"}, {"x", "c"}, {"y"}], depth=3)
    assert recall_at(gains, 3).tolist() == [1.0, 0.5, 0.0]
    assert reciprocal_ranks(gains, depth=3).tolist() == [0.5, 1.0, 0.0]


def test_examples_without_anything_right_are_left_out() -> None:
    gains = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    metrics = ranking_metrics(gains, recall_depths=(1,), ndcg_depths=(2,), resamples=50, groups=["u", "v", "w"])
    assert metrics["recall@1"].value == 0.5
    assert metrics["mrr"].value == 0.75
    assert metrics["mrr"].low <= 0.75 <= metrics["mrr"].high
    assert set(metrics) == {"recall@1", "mrr", "ndcg@2"}
