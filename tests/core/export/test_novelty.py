"""The novelty score: larger for what is unlike the training texts, chosen where examples out of scope tell."""

import numpy as np
import pytest
import torch

from core.export.novelty import Novelty, Seen, build_novelty, fit_direction, fit_novelty, score_all

LABELS, WIDTH = 4, 6


def make_seen(rows: int, outside: int, seed: int, *, logits_tell: bool = True) -> Seen:
    """Clouds around the labels' means, and others between them; or far off, where logits are sure all the same."""
    draws = np.random.default_rng(seed)
    label = np.r_[np.arange(rows) % LABELS, np.full(outside, -1)]
    means = np.eye(LABELS, WIDTH) * 5
    strange = np.ones(WIDTH) if logits_tell else means[0] + 9 * (np.arange(WIDTH) >= LABELS)
    embedding = np.where(label[:, None] >= 0, means[label], strange) + draws.normal(size=(len(label), WIDTH))
    logits = embedding[:, :LABELS] * 2
    return Seen(logits.astype(np.float32), embedding.astype(np.float32), label)


def fit(outside: int, *, logits_tell: bool = True) -> Novelty:
    train = make_seen(400, 10, 0, logits_tell=logits_tell)
    return fit_novelty(train, make_seen(100, outside, 1, logits_tell=logits_tell))


def share_of_wins(novelty: Novelty, *, logits_tell: bool = True) -> float:
    found = score_all(novelty, make_seen(200, 200, 2, logits_tell=logits_tell))
    return float((found[200:, None] > found[None, :200]).mean())


@pytest.mark.parametrize("outside", [0, 50])
def test_strange_texts_score_higher_with_and_without_examples_of_them(outside: int) -> None:
    assert share_of_wins(fit(outside)) > 0.9


def test_entropy_is_kept_where_nothing_tells_against_it() -> None:
    assert fit(0).name == "entropy"
    assert fit(5).name == "entropy"
    assert fit(0, logits_tell=False).name == "entropy"


def test_another_score_is_chosen_where_logits_do_not_tell() -> None:
    novelty = fit(50, logits_tell=False)
    assert novelty.name in ("direction", "distance")
    assert share_of_wins(novelty, logits_tell=False) > 0.95
    assert share_of_wins(fit(0, logits_tell=False), logits_tell=False) < 0.8


@pytest.mark.parametrize("fitted", [fit(0), fit(50, logits_tell=False), fit_direction(make_seen(90, 0, 4))])
def test_a_score_is_built_again_from_its_weights(fitted: Novelty) -> None:
    weights = {f"novelty.{name}": value for name, value in fitted.state_dict().items()}
    again = build_novelty(fitted.name, weights)
    again.load_state_dict(fitted.state_dict())
    seen = make_seen(20, 20, 5)
    assert np.array_equal(score_all(again, seen), score_all(fitted, seen))


def test_scores_are_finite_for_an_empty_text() -> None:
    for novelty in (fit(0), fit(50, logits_tell=False)):
        found = novelty(torch.zeros(1, LABELS), torch.zeros(1, WIDTH))
        assert found.shape == (1,)
        assert torch.isfinite(found).all()


def test_validation_of_strange_texts_alone_is_no_reason_to_choose() -> None:
    only = make_seen(0, 50, 3)
    assert fit_novelty(make_seen(100, 0, 0), only).name == "entropy"
