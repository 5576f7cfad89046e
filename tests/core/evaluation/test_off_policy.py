"""Estimates from logs of known chances against the truth."""

import numpy as np
import pytest

from core.evaluation.off_policy import OffPolicy, estimate_off_policy

NUM_ITEMS, PLACES = 8, 3
WORTH = np.linspace(0.05, 0.6, NUM_ITEMS)
PLACE_WORTH = np.array([1.0, 0.7, 0.5])


def logged(num_lists: int, new: list[int], seed: int = 0) -> tuple[OffPolicy, float]:
    """Lists of three places, filled at random with known chances, and the true worth of the new list."""
    random = np.random.default_rng(seed)
    chance_PI = random.dirichlet(np.ones(NUM_ITEMS), PLACES) * 0.6 + 0.4 / NUM_ITEMS
    drawn_LP = np.stack([random.choice(NUM_ITEMS, num_lists, p=chance_PI[place]) for place in range(PLACES)], axis=1)
    places = np.broadcast_to(np.arange(PLACES), drawn_LP.shape)
    reward_LP = random.random(drawn_LP.shape) < WORTH[drawn_LP] * PLACE_WORTH[places]
    found = estimate_off_policy(
        np.repeat(np.arange(num_lists), PLACES),
        chance_PI[places, drawn_LP].ravel(),
        (drawn_LP == np.array(new)).ravel().astype(float),
        reward_LP.ravel().astype(float),
        num_lists,
    )
    return found, float((WORTH[new] * PLACE_WORTH).sum())


def test_estimates_come_to_the_truth() -> None:
    found, truth = logged(40_000, [7, 6, 5])
    assert found.inverse_propensity.value == pytest.approx(truth, rel=0.05)
    assert found.self_normalised.value == pytest.approx(truth, rel=0.1)
    assert found.inverse_propensity.low < truth < found.inverse_propensity.high
    assert found.logged.value < truth
    assert 0 < found.effective_lists < 40_000


def test_inverse_chances_are_right_on_average_and_their_intervals_hold_the_truth() -> None:
    results = [logged(400, [7, 0, 5], seed) for seed in range(60)]
    # Each seed draws other chances; the truth stays.
    truth = results[0][1]
    values = [found.inverse_propensity.value for found, _ in results]
    assert np.mean(values) == pytest.approx(truth, abs=3 * np.std(values) / np.sqrt(len(values)))
    held = [found.inverse_propensity.low <= truth <= found.inverse_propensity.high for found, _ in results]
    assert np.mean(held) > 0.85


def test_self_normalised_is_steadier() -> None:
    results = [logged(100, [7, 6, 5], seed)[0] for seed in range(60)]
    assert np.std([found.self_normalised.value for found in results]) < np.std(
        [found.inverse_propensity.value for found in results]
    )


def test_lists_as_they_were_are_worth_what_they_earned() -> None:
    chance = np.array([0.5, 0.25, 1.0, 1.0])
    found = estimate_off_policy(np.array([0, 0, 1, 1]), chance, chance, np.array([1.0, 0, 1, 1]), 2)
    assert found.logged.value == found.inverse_propensity.value == found.self_normalised.value == 1.5
    assert found.effective_lists == 2


def test_no_list_tells_nothing() -> None:
    none = np.zeros(0)
    found = estimate_off_policy(none.astype(int), none, none, none, 0)
    assert np.isnan(found.inverse_propensity.value)
    assert found.effective_lists == 0
