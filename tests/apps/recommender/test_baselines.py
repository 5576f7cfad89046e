"""Baselines on a tiny shop whose answer is known."""

import numpy as np
import pytest

from apps.recommender.baselines.factorization import FACTORIZATION, is_installed
from apps.recommender.baselines.linear import LINEAR
from apps.recommender.baselines.sasrec import SASREC
from apps.recommender.baselines.scorer import Baseline, Liked

NUM_ITEMS = 12
GROUPS = (range(6), range(6, 12))
ALL = (*LINEAR, *FACTORIZATION, *SASREC)


@pytest.fixture(scope="module")
def liked() -> Liked:
    """Users of two kinds, each liking items of its own half."""
    random = np.random.default_rng(0)
    histories = [random.choice(list(GROUPS[user % 2]), size=4, replace=False).astype(np.int32) for user in range(60)]
    return Liked(histories, NUM_ITEMS)


@pytest.mark.parametrize("baseline", ALL, ids=lambda one: one.name)
def test_items_of_the_own_half_come_first(baseline: Baseline, liked: Liked) -> None:
    if baseline in FACTORIZATION and not is_installed():
        pytest.skip("implicit is not installed")
    settings = {**baseline.settings[0], **({"factors": 4} if "factors" in baseline.settings[0] else {})}
    scores = np.array(baseline.fit(liked, settings)([np.array([0, 1], np.int32), np.array([7, 8], np.int32)]))
    assert scores.shape == (2, NUM_ITEMS)
    if baseline.name == "popularity":
        np.testing.assert_array_equal(scores[0], scores[1])
        return
    for row, own, others in ((0, range(2, 6), range(6, 12)), (1, (6, 9, 10, 11), range(6))):
        assert scores[row, list(own)].mean() > scores[row, list(others)].mean()
