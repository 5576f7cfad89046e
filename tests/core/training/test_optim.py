"""Optimiser groups, learning-rate schedule, moving average."""

import math

import pytest
import torch
from faults.train_worker import make_model
from torch import nn

from core.training.optim import (
    WeightAverage,
    build_optimizer,
    clip_gradients,
    learning_rate_at,
    set_frozen,
    set_learning_rate,
)

from .small_run import make_config

STEPS = 10


def rates(**changes: object) -> list[float]:
    config = make_config(**{"epochs": 5, "warmup_epochs": 1, "learning_rate": 1.0, **changes})
    return [learning_rate_at(step, config, STEPS) for step in range(5 * STEPS + 1)]


def test_rate_rises_linearly_then_falls_as_a_cosine() -> None:
    found = rates(min_learning_rate_ratio=0.1)
    assert found[:STEPS] == pytest.approx([(step + 1) / 11 for step in range(STEPS)])
    assert found[STEPS] == 1.0
    assert found[30] == pytest.approx(0.1 + 0.9 / 2)
    assert found[50] == pytest.approx(0.1)
    assert all(later < earlier for earlier, later in zip(found[STEPS:], found[STEPS + 1 :], strict=False))


def test_rate_may_stay_constant_and_warm_up_may_be_off() -> None:
    assert rates(schedule="constant")[STEPS:] == [1.0] * 41
    assert rates(schedule="constant", warmup_epochs=0) == [1.0] * 51
    assert rates(warmup_epochs=0)[0] == 1.0


def test_warm_up_longer_than_training_never_reaches_the_peak() -> None:
    found = rates(warmup_epochs=10)
    assert all(math.isfinite(rate) and 0 < rate < 1 for rate in found)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_vectors_do_not_decay_and_the_backbone_has_its_own_rate(optimizer: str) -> None:
    model = make_model()
    built = build_optimizer(model, make_config(optimizer=optimizer, backbone_learning_rate_scale=0.1))
    set_learning_rate(built, 0.5)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    seen = set()
    for group in built.param_groups:
        for parameter in group["params"]:
            name = names[id(parameter)]
            seen.add(name)
            assert group["weight_decay"] == (0.05 if parameter.ndim > 1 else 0.0), name
            assert group["lr"] == pytest.approx(0.05 if name.startswith("backbone.") else 0.5), name
    assert seen == set(names.values())


def test_freezing_touches_the_backbone_alone_and_can_be_undone() -> None:
    model = make_model()
    set_frozen(model, is_frozen=True)
    assert {name for name, p in model.named_parameters() if not p.requires_grad} == {
        name for name, _ in model.named_parameters() if name.startswith("backbone.")
    }
    set_frozen(model, is_frozen=False)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_average_follows_its_recurrence() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = WeightAverage(model, 0.9)
    expected = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(0)
    for step in range(200):
        model.train()(torch.randn(4, 2))
        with torch.no_grad():
            model[0].weight.add_(0.01)
        average.update(model, step)
        decay = min(0.9, (1 + step) / (10 + step))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                expected[name] = decay * expected[name] + (1 - decay) * value
            else:
                expected[name] = value.clone()
    for name, value in average.state.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)
    assert average.state["1.num_batches_tracked"] == 200


def test_average_does_not_follow_the_model_by_reference() -> None:
    model = nn.Linear(2, 2)
    average = WeightAverage(model, 0.9)
    before = average.state["weight"].clone()
    with torch.no_grad():
        model.weight.add_(1)
    assert torch.equal(average.state["weight"], before)


def test_gradients_are_clipped_to_their_norm() -> None:
    model = nn.Linear(3, 3)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 10.0)
    clip_gradients(model.parameters(), 0.5)
    norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    torch.testing.assert_close(norm, torch.tensor(0.5), rtol=1e-4, atol=0)
