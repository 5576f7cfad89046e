"""Novelty: small for what is like the training data, large for what is not; temperature softens."""

import numpy as np
import torch
from torch import Tensor, nn

from core.export.feature_distance import FeatureDistance
from core.export.graph import ServingGraph
from core.export.novelty import Distance, Novelty, Seen, fit_distance, score_all

LABELS, WIDTH, ROWS = 3, 12, 600


def make_features(rows: int = ROWS, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three correlated clouds."""
    draws = np.random.default_rng(seed)
    mixing = np.eye(WIDTH) + 0.15 * np.random.default_rng(99).normal(size=(WIDTH, WIDTH))
    centres = np.random.default_rng(98).normal(size=(LABELS, WIDTH)) * 8
    label = np.arange(rows) % LABELS
    features = centres[label] + draws.normal(size=(rows, WIDTH)) @ mixing
    return features.astype(np.float32), label


def fit(features: np.ndarray, label: np.ndarray) -> Novelty:
    return fit_distance(Seen(np.zeros((len(label), 1), np.float32), features, label))


def distance_of(distance: Novelty, features: np.ndarray) -> np.ndarray:
    return score_all(distance, Seen(np.zeros((len(features), 1)), features, np.zeros(len(features), np.int64)))


def test_distance_is_about_one_for_data_like_the_training_data() -> None:
    distance = fit(*make_features())
    like = distance_of(distance, make_features(seed=1)[0])
    assert abs(np.sqrt((like**2).mean()) - 1) < 0.1
    assert like.max() < 2.5


def test_distance_is_large_far_away_and_grows() -> None:
    features, label = make_features()
    distance = fit(features, label)
    mean = features.mean(axis=0)
    away = [distance_of(distance, mean + (features[:50] - mean) * factor).mean() for factor in (3, 10, 30)]
    like = distance_of(distance, make_features(seed=1)[0])
    assert away[0] > like.max()
    assert away[0] < away[1] < away[2]


def test_distance_is_that_of_mahalanobis_to_the_nearest_label() -> None:
    features, label = make_features(6000)
    distance = fit(features, label)
    means = np.stack([features[label == k].mean(axis=0) for k in range(LABELS)])
    inverse = np.linalg.inv(np.cov((features - means[label]).T))
    asked = make_features(40, seed=2)[0]
    gap = asked[:, None] - means[None]
    expected = np.sqrt(np.einsum("nkd,de,nke->nk", gap, inverse, gap).min(axis=1) / WIDTH)
    np.testing.assert_allclose(distance_of(distance, asked), expected, rtol=0.05)


def test_directions_that_never_vary_do_not_turn_rounding_into_distance() -> None:
    features, label = make_features()
    features[:, 0] = 5.0
    distance = fit(features, label)
    asked = make_features(seed=1)[0]
    asked[:, 0] = 5.0
    before = distance_of(distance, asked)
    asked[:, 0] = 5.0 * (1 + 1e-6)
    np.testing.assert_allclose(distance_of(distance, asked), before, rtol=1e-2)
    assert np.isfinite(before).all()


def test_few_examples_in_many_dimensions_still_give_a_distance() -> None:
    draws = np.random.default_rng(0)
    features, label = draws.normal(size=(20, 64)).astype(np.float32), np.arange(20) % 2
    distance = fit(features, label)
    like = distance_of(distance, draws.normal(size=(20, 64)))
    assert np.isfinite(like).all()
    assert distance_of(distance, draws.normal(size=(20, 64)) * 10).min() > like.max()


def test_labels_without_examples_do_not_matter() -> None:
    features, label = make_features()
    gapped = np.where(label == 2, 7, label)
    one, other = fit(features, label), fit(features, gapped)
    np.testing.assert_allclose(distance_of(one, features), distance_of(other, features), rtol=1e-5)


class Fixed(nn.Module):
    """A model whose outputs are given."""

    def serve(self, image: Tensor) -> dict[str, Tensor]:
        logits = torch.tensor([[2.0, 0.0, -2.0]])
        return {"logits": logits, "embedding": torch.zeros(1, 2), "evidence": image}


def test_graph_divides_logits_by_the_temperature_and_passes_on_the_explanation() -> None:
    distance = Distance(FeatureDistance(torch.ones(1, 2), torch.eye(2)))
    served = ServingGraph(Fixed(), distance, temperature=2.0)(image=torch.ones(1, 3))
    torch.testing.assert_close(served["probabilities"], torch.softmax(torch.tensor([[1.0, 0.0, -1.0]]), dim=1))
    torch.testing.assert_close(served["novelty"], torch.ones(1))
    assert list(served) == ["probabilities", "novelty", "evidence"]
