"""Temperature finds the truth and changes no answer; bins and errors by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.calibration import (
    brier_score,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
    softmax,
)

from .simulated import STEADY, simulate


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_temperature_recovers_the_true_sharpness(sharpness):
    logits, targets = simulate(20_000, sharpness=sharpness)
    assert fit_temperature(logits, targets) == pytest.approx(sharpness, rel=0.05)


def test_temperature_is_the_minimum_of_the_loss():
    logits, targets = simulate(500, sharpness=2.5)
    grid = np.exp(np.linspace(-1, 2, 601))
    losses = [-np.mean(np.log(softmax(logits, t)[np.arange(500), targets])) for t in grid]
    assert fit_temperature(logits, targets) == pytest.approx(grid[np.argmin(losses)], rel=0.02)


def test_temperature_of_a_faultless_small_set_does_not_promise_certainty():
    logits = np.eye(3)[[0, 1, 2, 0, 1]] * 2.0
    calibrated = softmax(logits, fit_temperature(logits, np.array([0, 1, 2, 0, 1])))
    assert 0.8 < calibrated.max() < 0.95
    assert fit_temperature(np.empty((0, 3)), np.empty(0, int)) == 1.0


@STEADY
@given(st.integers(0, 100), st.floats(0.05, 20))
def test_temperature_changes_no_answer(seed, temperature):
    logits, _ = simulate(20, seed=seed)
    np.testing.assert_array_equal(softmax(logits, temperature).argmax(axis=1), logits.argmax(axis=1))


def test_softmax_survives_large_logits():
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])), [[1, 0], [0.5, 0.5]])


def test_calibration_error_of_a_case_worked_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    targets = np.array([0, 1, 0, 0])
    assert expected_calibration_error(probabilities, targets) == pytest.approx((2 * 0.4 + 2 * 0.4) / 4)
    assert brier_score(probabilities, targets) == pytest.approx((0.02 + 1.62 + 0.32 + 0.32) / 4)


def test_bins_are_open_below_and_closed_above():
    bins = reliability_bins(np.array([[0.6, 0.4], [0.61, 0.39], [1.0, 0.0]]), np.array([0, 1, 0]), num_bins=10)
    assert bins.counts.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 1]
    assert bins.accuracy[[5, 6, 9]].tolist() == [1, 0, 1]
    assert np.isnan(bins.accuracy[0])
