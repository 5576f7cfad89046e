"""The novelty score: larger for what is unlike the training texts."""

import numpy as np
import torch

from core.export.novelty import Seen, fit_novelty

LABELS, WIDTH = 4, 6


def make_seen(rows: int, outside: int, seed: int) -> Seen:
    draws = np.random.default_rng(seed)
    label = np.r_[np.arange(rows) % LABELS, np.full(outside, -1)]
    means = np.eye(LABELS, WIDTH) * 5
    embedding = np.where(label[:, None] >= 0, means[label], 1.0) + draws.normal(size=(len(label), WIDTH))
    logits = embedding @ means.T / 5
    return Seen(logits.astype(np.float32), embedding.astype(np.float32), label)


def score(outside: int) -> np.ndarray:
    novelty = fit_novelty(make_seen(400, 0, 0), make_seen(100, outside, 1))
    test = make_seen(200, 200, 2)
    with torch.no_grad():
        found: np.ndarray = novelty(torch.from_numpy(test.logits_NK), torch.from_numpy(test.embedding_ND)).numpy()
    return found


def test_strange_texts_score_higher_with_and_without_examples_of_them() -> None:
    for outside in (0, 50):
        novelty = score(outside)
        wins = (novelty[200:, None] > novelty[None, :200]).mean()
        assert novelty.shape == (400,)
        assert wins > 0.9
