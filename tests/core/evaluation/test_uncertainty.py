"""Intervals: they cover, they repeat, they respect groups."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.uncertainty import (
    Estimate,
    bootstrap,
    bootstrap_difference,
    bootstrap_mean,
    draw_counts,
    proportion,
    weighted_mean,
)

from .simulated import STEADY


def test_estimate_prints_and_serialises():
    assert str(Estimate(0.712, 0.661, 0.76)) == "0.712 [0.661, 0.760]"
    assert str(Estimate.exact(0.5)) == "0.500"
    assert (
        json.dumps(Estimate(math.nan, 0.0, 1.0).to_json(), allow_nan=False)
        == '{"value": null, "low": 0.0, "high": 1.0}'
    )


def test_bootstrap_without_resamples_has_no_width():
    assert bootstrap_mean([0, 1, 1, 1], 0, seed=0) == Estimate(0.75, 0.75, 0.75)


def test_bootstrap_leaves_out_what_is_undefined():
    found = bootstrap(lambda counts: {"a": counts[0], "b": counts[0] * np.nan}, 3, 10, seed=0)
    assert set(found) == {"a"}


def test_bootstrap_of_a_mean_agrees_with_theory():
    values = np.random.default_rng(0).normal(size=400)
    estimate = bootstrap_mean(values, 4000, seed=1)
    half = 1.96 * values.std() / math.sqrt(400)
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.01)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.01)


def test_bootstrap_repeats_with_its_seed_only():
    values = np.arange(50) % 7
    assert bootstrap_mean(values, 200, seed=3) == bootstrap_mean(values, 200, seed=3)
    assert bootstrap_mean(values, 200, seed=3) != bootstrap_mean(values, 200, seed=4)


def test_bootstrap_covers_in_nineteen_of_twenty_cases():
    random = np.random.default_rng(0)
    intervals = [bootstrap_mean(random.random(100) < 0.7, 200, seed) for seed in range(300)]
    assert 0.91 <= np.mean([low <= 0.7 <= high for _, low, high in intervals]) <= 0.98


def test_groups_are_drawn_whole_and_widen_the_interval():
    values, groups = np.repeat(np.arange(40) % 2, 10), np.repeat(np.arange(40), 10).tolist()
    alone, together = bootstrap_mean(values, 500, seed=0), bootstrap_mean(values, 500, seed=0, groups=groups)
    assert together.high - together.low > 2 * (alone.high - alone.low)
    counts = next(draw_counts(400, 5, 0, groups))
    assert (counts.reshape(40, 10, 5) == counts.reshape(40, 10, 5)[:, :1]).all()


def test_examples_without_a_group_stand_for_themselves():
    counts = next(draw_counts(4, 50, 0, [None, None, "a", "a"]))
    assert (counts[2] == counts[3]).all()
    assert (counts[0] != counts[1]).any()


def test_paired_difference_is_tighter_than_two_intervals():
    random = np.random.default_rng(0)
    hard = random.random(500) < 0.5
    first, second = (hard | (random.random(500) < share) for share in (0.3, 0.2))

    def mean_of(values):
        return lambda counts: {"accuracy": weighted_mean(values.astype(float), counts)}

    found = bootstrap_difference(mean_of(first), mean_of(second), 500, 1000, seed=0)["accuracy"]
    assert found.value == pytest.approx(first.mean() - second.mean())
    separate = [bootstrap_mean(values, 1000, seed=0) for values in (first, second)]
    assert found.high - found.low < sum(high - low for _, low, high in separate)


def test_bias_is_taken_out_of_the_interval():
    def largest_cell(counts):
        return {"spread": np.abs(counts / counts.sum(axis=0) - 0.02).sum(axis=0)}

    estimate = bootstrap(largest_cell, 50, 500, seed=0)["spread"]
    assert 0 <= estimate.low <= estimate.value <= estimate.high


@STEADY
@given(st.integers(0, 60), st.integers(1, 60))
def test_proportion_holds_its_share_within_zero_and_one(hits, misses):
    estimate = proportion([True] * hits + [False] * misses)
    assert 0 <= estimate.low <= estimate.value <= estimate.high < 1


def test_proportion_of_all_successes_is_not_certain():
    assert proportion([True] * 10) == pytest.approx((1.0, 0.7225, 1.0), abs=1e-4)  # worked by hand: n / (n + z^2)
    assert proportion([True] * 10, groups=[0] * 5 + [1] * 5).low < 0.5
    assert math.isnan(proportion([]).value)
