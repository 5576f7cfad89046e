"""Random numbers as pure functions of where training stands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.data.randomness import bucket_by_length, epoch_order, step_seed, uniform_draws

STEADY = settings(deadline=None, derandomize=True, max_examples=50)
SEEDS = st.integers(0, 2**63 - 1)


@STEADY
@given(size=st.integers(0, 500), seed=SEEDS, epoch=st.integers(0, 10_000))
def test_order_is_a_permutation_and_pure(size: int, seed: int, epoch: int) -> None:
    order = epoch_order(size, seed, epoch)
    assert sorted(order) == list(range(size))
    np.testing.assert_array_equal(order, epoch_order(size, seed, epoch))


def test_order_differs_by_epoch_and_seed() -> None:
    orders = {tuple(epoch_order(50, seed, epoch)) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


def test_order_does_not_touch_the_global_generator() -> None:
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    epoch_order(50, 0, 0)
    uniform_draws(0, 0, np.arange(50), 3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_weighted_order_draws_in_proportion() -> None:
    weights = np.repeat([1.0, 3.0], 10_000)
    drawn = epoch_order(20_000, 0, 0, weights)
    assert len(drawn) == 20_000
    # 0.75 within four standard errors.
    assert abs((drawn >= 10_000).mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 20_000)
    assert len(np.unique(drawn)) < 20_000


@STEADY
@given(seed=SEEDS, epoch=st.integers(0, 1000), cuts=st.lists(st.integers(1, 63), max_size=5, unique=True))
def test_draws_do_not_depend_on_how_batches_are_cut(seed: int, epoch: int, cuts: list[int]) -> None:
    whole = uniform_draws(seed, epoch, np.arange(64), 7)
    parts = [uniform_draws(seed, epoch, part, 7) for part in np.split(np.arange(64), sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_draws_do_not_depend_on_how_many_are_asked_for() -> None:
    np.testing.assert_array_equal(uniform_draws(3, 2, np.arange(10), 20)[:, :5], uniform_draws(3, 2, np.arange(10), 5))


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_draws_are_uniform_and_independent(seed: int) -> None:
    draws = uniform_draws(seed, 4, np.arange(4000), 4)
    assert draws.dtype == np.float32
    assert draws.min() >= 0
    assert draws.max() < 1
    for column in draws.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3
    neighbours = [*np.corrcoef(draws.T)[np.triu_indices(4, 1)], np.corrcoef(draws[:-1, 0], draws[1:, 0])[0, 1]]
    assert np.abs(neighbours).max() < 4 / np.sqrt(4000)


def test_draws_differ_by_seed_epoch_position_and_column() -> None:
    values = [
        tuple(row) for seed in range(4) for epoch in range(4) for row in uniform_draws(seed, epoch, np.arange(16), 3)
    ]
    assert len(set(values)) == len(values)
    flat = [value for row in values for value in row]
    assert len(set(flat)) == len(flat)


def test_step_seeds_differ_by_everything_that_they_depend_on() -> None:
    places = [(0, step, rank, micro) for step in range(24) for rank in range(8) for micro in range(8)]
    seeds = {step_seed(*place) for place in places}
    assert len(seeds) == len(places)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert step_seed(1, 2, 3, 1) == step_seed(1, 2, 3, 1)


def test_step_seeds_of_different_runs_share_nothing() -> None:
    seeds = {step_seed(seed, step, 0) for seed in range(8) for step in range(24)}
    assert len(seeds) == 8 * 24


def test_bucket_by_length_puts_like_lengths_together_and_keeps_every_example() -> None:
    lengths = np.random.default_rng(0).integers(1, 60, size=1003)
    order = epoch_order(1003, 7, 0)
    bucketed = bucket_by_length(order, lengths, 16, 7, 0)
    assert sorted(bucketed) == list(range(1003))
    assert np.array_equal(bucketed, bucket_by_length(order, lengths, 16, 7, 0))

    def spread(positions: np.ndarray) -> float:
        batches = lengths[positions[: len(positions) // 16 * 16]].reshape(-1, 16)
        return float((batches.max(axis=1) - batches.mean(axis=1)).mean())

    assert spread(bucketed) < spread(order) / 4
    longest = lengths[bucketed[:992]].reshape(-1, 16).max(axis=1)[:20]
    assert not np.array_equal(longest, np.sort(longest)), "short batches come first"
    assert not np.array_equal(bucketed, bucket_by_length(epoch_order(1003, 7, 1), lengths, 16, 7, 1))
