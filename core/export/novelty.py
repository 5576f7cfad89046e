"""How unlike the training data an input is: one score out of logits and embedding, higher = stranger.

Shapes: B batch, N examples, K labels, D features.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.export.feature_distance import FeatureDistance, fit_feature_distance

OUTSIDE = -1
MIN_OUTSIDE = 20
"""Fewer examples out of scope do not tell which score is best."""
FIRST = "entropy"
"""The score of answers where nothing tells otherwise."""
FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Seen:
    """What a trained model says about examples whose label is known.

    Args:
        logits_NK: Before temperature.
        embedding_ND: Features.
        label_N: Class numbers; -1 = out of scope.
    """

    logits_NK: FloatArray
    embedding_ND: FloatArray
    label_N: npt.NDArray[np.integer]


class Entropy(nn.Module):
    """How evenly probability is spread: 0 = one label has all of it, ln K = all are alike.

    A model that was taught to spread it over texts out of scope (outlier exposure) says so here first.
    """

    def forward(self, logits_BK: Tensor, embedding_BD: Tensor) -> Tensor:
        """(B,)."""
        del embedding_BD
        log_BK = torch.log_softmax(logits_BK, dim=1)
        return -(log_BK.exp() * log_BK).sum(dim=1)


class LargestLogit(nn.Module):
    """Minus the largest logit: nothing speaks for any label.

    Source: Hendrycks et al., Scaling Out-of-Distribution Detection for Real-World Settings, ICML 2022.
    """

    def forward(self, logits_BK: Tensor, embedding_BD: Tensor) -> Tensor:
        """(B,)."""
        del embedding_BD
        return -logits_BK.amax(dim=1)


class Direction(nn.Module):
    """1 - cosine between an embedding and the nearest label's mean, seen from the mean of all training features."""

    centre: Tensor
    direction: Tensor

    def __init__(self, centre_D: Tensor, mean_KD: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre_D)
        self.register_buffer("direction", _unit(mean_KD - centre_D))

    def forward(self, logits_BK: Tensor, embedding_BD: Tensor) -> Tensor:
        """(B,) in [0, 2]."""
        del logits_BK
        cosine_BK = _unit(embedding_BD - self.centre) @ self.direction.T
        return 1 - cosine_BK.amax(dim=1)


class Distance(nn.Module):
    """The Mahalanobis distance to the nearest label's mean."""

    def __init__(self, distance: FeatureDistance) -> None:
        super().__init__()
        self.distance = distance

    def forward(self, logits_BK: Tensor, embedding_BD: Tensor) -> Tensor:
        """(B,)."""
        del logits_BK
        gap_B: Tensor = self.distance(embedding_BD)
        return gap_B


class Novelty(nn.Module):
    """The score that is served.

    Args:
        name: entropy, largest_logit, direction or distance.
        score: Takes logits (B, K) and embedding (B, D), gives (B,).
    """

    def __init__(self, name: str, score: nn.Module) -> None:
        super().__init__()
        self.name, self.score = name, score

    def forward(self, logits_BK: Tensor, embedding_BD: Tensor) -> Tensor:
        """(B,)."""
        novelty_B: Tensor = self.score(logits_BK, embedding_BD)
        return novelty_B


def build_novelty(name: str, weights: Mapping[str, Tensor]) -> Novelty:
    """The score of that name, of the sizes of a served graph's weights, which are yet to be loaded."""
    sizes = {key.removeprefix("novelty.score."): value for key, value in weights.items() if key.startswith("novelty.")}
    if name == "direction":
        return Novelty(name, Direction(sizes["centre"], torch.zeros_like(sizes["direction"])))
    if name == "distance":
        whitening = sizes["distance.whitening"]
        mean = torch.zeros(len(sizes["distance.whitened_mean"]), len(whitening))
        return Novelty(name, Distance(FeatureDistance(mean, whitening)))
    return Novelty(name, LargestLogit() if name == "largest_logit" else Entropy())


def fit_novelty(train: Seen, validation: Seen) -> Novelty:
    """Chooses the score that parts strange inputs from others best on validation data; entropy where none tells.

    Args:
        train: Tells where the labels' features lie; what is out of scope there does not count.
        validation: Perhaps with examples out of scope.
    """
    first = Novelty(FIRST, Entropy())
    is_outside_N = validation.label_N == OUTSIDE
    if is_outside_N.sum() < MIN_OUTSIDE or is_outside_N.all():
        return first
    others = [Novelty("largest_logit", LargestLogit()), fit_direction(train), fit_distance(train)]
    usual = _auroc(first, validation)
    skill = [_auroc(score, validation) for score in others]
    best = int(np.argmax(skill))
    # Scores that are as good but for chance must not change places from run to run.
    return others[best] if skill[best] > usual + _standard_error(usual, is_outside_N) / 2 else first


def fit_direction(train: Seen) -> Novelty:
    """Fits the direction of each label's mean."""
    embedding_ND, label_N = _inside(train)
    mean_KD = np.stack([embedding_ND[label_N == label].mean(axis=0) for label in np.unique(label_N)])
    return Novelty("direction", Direction(torch.from_numpy(embedding_ND.mean(axis=0)), torch.from_numpy(mean_KD)))


def fit_distance(train: Seen) -> Novelty:
    """Fits the distance to each label's mean."""
    return Novelty("distance", Distance(fit_feature_distance(*_inside(train))))


def score_all(score: nn.Module, seen: Seen) -> npt.NDArray[np.float32]:
    """(N,) a score of examples."""
    with torch.no_grad():
        found: Tensor = score(
            torch.from_numpy(np.asarray(seen.logits_NK, np.float32)),
            torch.from_numpy(np.asarray(seen.embedding_ND, np.float32)),
        )
    return np.asarray(found.numpy(), np.float32)


def _inside(train: Seen) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Embedding and label of what belongs to a label."""
    is_inside_N = train.label_N != OUTSIDE
    return np.asarray(train.embedding_ND[is_inside_N], np.float32), np.asarray(train.label_N[is_inside_N], np.int64)


def _auroc(score: nn.Module, seen: Seen) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(seen.label_N == OUTSIDE, score_all(score, seen)))


def _standard_error(auroc: float, is_outside_N: npt.NDArray[np.bool_]) -> float:
    """Source: Hanley and McNeil, Radiology 1982."""
    outside, inside = int(is_outside_N.sum()), int((~is_outside_N).sum())
    first, second = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    spread = auroc * (1 - auroc) + (outside - 1) * (first - auroc**2) + (inside - 1) * (second - auroc**2)
    return float(np.sqrt(max(spread, 0.0) / (outside * inside)))


def _unit(vectors: Tensor) -> Tensor:
    unit: Tensor = vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    return unit
