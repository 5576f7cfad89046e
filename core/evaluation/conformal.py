"""Prediction sets that hold the right label in a stated share of cases.

Why this score: among sets of a given coverage, those that take every label above one probability threshold are the
smallest on average (Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers with Bounded Error Levels,
JASA 2019, theorem 1). They can be empty, so here the most probable label always belongs to the set, in the score
itself and not as an afterthought: coverage stays exact instead of growing. RAPS and APS need randomisation to be
exact and give larger sets; they adapt better to hard cases, which the refusal gate looks after here.
mapie is a reference and not a dependency: this is five lines, and serving must not import scikit-learn.

Legend: N examples, K labels.
"""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]


def scores(probabilities_NK: FloatArray) -> FloatArray:
    """Nonconformity of every label, (N, K): 1 - probability, and 0 for the most probable label (first of ties)."""
    scores_NK = 1 - np.asarray(probabilities_NK, np.float64)
    scores_NK[np.arange(len(scores_NK)), np.argmax(probabilities_NK, axis=1)] = 0
    return scores_NK


def fit_quantile(probabilities_NK: FloatArray, targets_N: IntArray, coverage: float) -> float:
    """The largest score that a label may have and still belong to the set, in [0, 1].

    The ceil((N + 1) coverage)-th smallest score of the right labels; 1 (every label belongs) where N is too small.
    On exchangeable data the sets then hold the right label with probability at least `coverage`, whatever the model.

    Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, section 4.1 (split conformal).
    """
    rank = math.ceil((len(targets_N) + 1) * coverage - 1e-9)
    if rank > len(targets_N):
        return 1.0
    right_N = scores(probabilities_NK)[np.arange(len(targets_N)), targets_N]
    return float(np.sort(right_N)[rank - 1])


def prediction_sets(probabilities_NK: FloatArray, quantile: float) -> npt.NDArray[np.bool_]:
    """Which labels belong to each example's set, (N, K); never empty, and the same for the same probabilities."""
    return np.asarray(scores(probabilities_NK) <= quantile)
