"""Whether probabilities mean what they say: temperature, reliability bins, calibration error, Brier score.

Legend: N examples, K labels, B bins.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

NUM_BINS = 15
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.02, 50.0
BISECTIONS = 50


class ReliabilityBins(NamedTuple):
    """Equal-width bins (low, high] of the top label's probability; means of empty bins are nan.

    Args:
        edges: (B + 1,).
        counts: Examples in each bin, (B,).
        confidence: Mean probability of the top label, (B,).
        accuracy: Share of right top labels, (B,).
    """

    edges: FloatArray
    counts: IntArray
    confidence: FloatArray
    accuracy: FloatArray


def softmax(logits_NK: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Probabilities (N, K) of logits divided by the temperature, in float64."""
    scaled_NK = np.asarray(logits_NK, np.float64) / temperature
    powers_NK = np.exp(scaled_NK - scaled_NK.max(axis=1, keepdims=True))
    return np.asarray(powers_NK / powers_NK.sum(axis=1, keepdims=True))


def fit_temperature(logits_NK: FloatArray, targets_N: IntArray) -> float:
    """The temperature whose probabilities have the least negative log-likelihood.

    The loss is convex in 1 / temperature, so its slope is followed to zero by bisection. Targets are softened by
    1 / (N + 1), after Platt: a small validation set without a mistake must not make every answer certain.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2; Platt, Probabilistic
        outputs for support vector machines, 1999, section 2.2.
    """
    if len(targets_N) == 0:
        return 1.0
    logits_NK = np.asarray(logits_NK, np.float64)
    softening = 1 / (len(targets_N) + 1)
    right_N = logits_NK[np.arange(len(targets_N)), targets_N]
    wanted = float(np.mean((1 - softening) * right_N + softening * logits_NK.mean(axis=1)))
    low, high = -np.log(HIGHEST_TEMPERATURE), -np.log(LOWEST_TEMPERATURE)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        expected = float(np.mean(np.sum(softmax(logits_NK, float(np.exp(-middle))) * logits_NK, axis=1)))
        low, high = (middle, high) if expected < wanted else (low, middle)
    return float(np.exp(-(low + high) / 2))


def bin_indices(confidence_N: FloatArray, num_bins: int = NUM_BINS) -> npt.NDArray[np.int64]:
    """The bin (low, high] of each confidence; 0 falls into the first."""
    return np.clip(np.ceil(np.asarray(confidence_N) * num_bins).astype(np.int64) - 1, 0, num_bins - 1)


def reliability_bins(probabilities_NK: FloatArray, targets_N: IntArray, num_bins: int = NUM_BINS) -> ReliabilityBins:
    """How often the top label is right, by how probable it was said to be."""
    confidence_N = np.asarray(probabilities_NK, np.float64).max(axis=1)
    correct_N = probabilities_NK.argmax(axis=1) == targets_N
    index_N = bin_indices(confidence_N, num_bins)
    counts_B = np.bincount(index_N, minlength=num_bins)
    divisor_B = np.where(counts_B == 0, np.nan, counts_B)
    return ReliabilityBins(
        np.linspace(0, 1, num_bins + 1),
        counts_B,
        np.bincount(index_N, confidence_N, num_bins) / divisor_B,
        np.bincount(index_N, correct_N, num_bins) / divisor_B,
    )


def expected_calibration_error(probabilities_NK: FloatArray, targets_N: IntArray, num_bins: int = NUM_BINS) -> float:
    """Mean over examples of |accuracy - confidence| of their bin; nan for no examples.

    Source: Guo et al. 2017, equation 3. Small sets overstate it: each bin's accuracy is noisy.
    """
    if len(targets_N) == 0:
        return float("nan")
    bins = reliability_bins(probabilities_NK, targets_N, num_bins)
    gap_B = np.where(bins.counts == 0, 0.0, np.abs(bins.accuracy - bins.confidence))
    return float(np.sum(gap_B * bins.counts) / bins.counts.sum())


def brier_score(probabilities_NK: FloatArray, targets_N: IntArray) -> float:
    """Mean squared distance to the one-hot target, summed over labels: 0 is perfect, 2 the worst.

    Source: Brier, Verification of forecasts expressed in terms of probability, 1950.
    """
    return float(np.mean(brier_losses(probabilities_NK, targets_N)))


def brier_losses(probabilities_NK: FloatArray, targets_N: IntArray) -> FloatArray:
    """Each example's Brier loss, (N,): sum_k p_k^2 - 2 p_target + 1."""
    probabilities_NK = np.asarray(probabilities_NK, np.float64)
    right_N = probabilities_NK[np.arange(len(targets_N)), targets_N]
    return np.asarray(np.sum(probabilities_NK**2, axis=1) - 2 * right_N + 1)
