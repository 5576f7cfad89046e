"""Figures of ranked lists, checked against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from core.evaluation.recommendation import list_metrics, paired_difference, rank_targets, user_metrics


def test_ndcg_equals_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores = random.standard_normal((40, 60))
    targets = [random.choice(60, size=random.integers(1, 15), replace=False) for _ in range(40)]
    gains = np.zeros((40, 60))
    for row, wanted in enumerate(targets):
        gains[row, wanted] = 1
    ranks, _ = rank_targets(scores.copy(), [np.zeros(0, np.int64)] * 40, targets)
    found = user_metrics(ranks)["ndcg@10"]
    wanted = [ndcg_score(gains[row : row + 1], scores[row : row + 1], k=10) for row in range(40)]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_seen_items_are_not_ranked_and_equal_scores_stand_before_what_is_right() -> None:
    scores = np.array([[5.0, 4.0, 3.0, 3.0, 1.0]])
    ranks, top = rank_targets(scores, [np.array([0])], [np.array([2, 4])], depth=3)
    assert ranks[0].tolist() == [2, 3]
    assert top.tolist() == [[1, 2, 3]]


def test_recall_and_mrr_by_hand() -> None:
    found = user_metrics([np.array([0, 9, 10, 60]), np.array([3]), np.zeros(0, np.int64)])
    np.testing.assert_allclose(found["recall@10"][:2], [2 / 4, 1])
    np.testing.assert_allclose(found["recall@50"][:2], [3 / 4, 1])
    np.testing.assert_allclose(found["mrr"][:2], [1, 1 / 4])
    assert np.isnan(found["ndcg@10"][2])


def test_difference_is_paired() -> None:
    random = np.random.default_rng(1)
    easy = random.random(300)
    better = easy + 0.02 + 0.01 * random.standard_normal(300)
    found = paired_difference(better, easy, 500)
    assert 0 < found.low < found.value < found.high
    assert found.value == pytest.approx(0.02, abs=0.003)


def test_lists_are_described() -> None:
    vectors = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    top = np.array([[0, 1, -1], [0, 2, -1]])
    found = list_metrics(top, np.array([8, 4, 2, 0]), vectors, 0)
    assert found["coverage@3"].value == 3 / 4
    assert found["diversity"].value == pytest.approx(0.5)
    assert found["popularity"].value > 0.5
    assert found["novelty"].value > 0
