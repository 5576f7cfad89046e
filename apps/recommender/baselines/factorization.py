"""ALS and BPR by the package `implicit`, where it is installed."""

import importlib.util
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from apps.recommender.baselines.scorer import Baseline, FloatArray, Liked, Rows, Scorer, as_matrix

EPOCHS_ALS, EPOCHS_BPR = 15, 100


def is_installed() -> bool:
    """Whether `implicit` is there."""
    return importlib.util.find_spec("implicit") is not None


def fit_als(liked: Liked, settings: Mapping[str, float]) -> Scorer:
    """Alternating least squares; the vector of a history is solved for anew.

    Source: Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.
    """
    model = _fit("AlternatingLeastSquares", liked, settings, iterations=EPOCHS_ALS, alpha=settings["alpha"])
    return _scorer(liked, model, lambda matrix: model.recalculate_user(np.arange(matrix.shape[0]), matrix))


def fit_bpr(liked: Liked, settings: Mapping[str, float]) -> Scorer:
    """Bayesian personalised ranking; the vector of a history is the mean of its items'.

    Source: Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009.
    """
    model = _fit(
        "BayesianPersonalizedRanking", liked, settings, iterations=EPOCHS_BPR, learning_rate=settings["learning_rate"]
    )

    def mean_of_items(matrix: Any) -> Any:
        vectors = matrix @ model.item_factors / np.maximum(1, np.asarray(matrix.sum(axis=1)))
        vectors[:, -1] = 1  # which the bias of an item is multiplied with
        return vectors

    return _scorer(liked, model, mean_of_items)


def _fit(name: str, liked: Liked, settings: Mapping[str, float], **more: float) -> Any:
    with warnings.catch_warnings():
        # It advises on environment variables of OpenBLAS.
        warnings.simplefilter("ignore")
        from implicit.als import AlternatingLeastSquares
        from implicit.bpr import BayesianPersonalizedRanking

        made = {
            "AlternatingLeastSquares": AlternatingLeastSquares,
            "BayesianPersonalizedRanking": BayesianPersonalizedRanking,
        }
        model = made[name](
            factors=int(settings["factors"]),
            regularization=settings["regularization"],
            random_state=0,
            num_threads=1,
            **more,
        )
        model.fit(liked.matrix().tocsr(), show_progress=False)
    return model


def _scorer(liked: Liked, model: Any, vectors_of: Callable[[Any], Any]) -> Scorer:
    def score(histories: Sequence[Rows]) -> FloatArray:
        matrix = as_matrix(histories, liked.num_items).tocsr()
        return np.asarray(np.asarray(vectors_of(matrix)) @ np.asarray(model.item_factors).T, np.float64)

    return score


FACTORIZATION = (
    Baseline(
        "als",
        fit_als,
        tuple(
            {"factors": factors, "regularization": regularization, "alpha": alpha}
            for factors in (32, 64)
            for regularization in (0.01, 1.0)
            for alpha in (1.0, 10.0)
        ),
    ),
    Baseline(
        "bpr",
        fit_bpr,
        tuple(
            {"factors": 64, "regularization": regularization, "learning_rate": rate}
            for regularization in (0.01, 0.05)
            for rate in (0.02, 0.05)
        ),
    ),
)
