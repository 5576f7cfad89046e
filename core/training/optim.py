"""Optimiser, learning-rate schedule and moving average of weights, each a function of the step."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from core.config import TrainConfig

MOMENTUM = 0.9
ADAM_BETAS = (0.9, 0.999)


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW or SGD with Nesterov momentum; vectors (biases, normalisation) do not decay.

    Each group carries `scale`, its share of the learning rate: the backbone may learn slower than the head.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        scale = config.backbone_learning_rate_scale if is_backbone(name) else 1.0
        groups.setdefault((decay, scale), []).append(parameter)
    listed = [{"params": group, "weight_decay": decay, "scale": scale} for (decay, scale), group in groups.items()]
    # One fused kernel a step where there is one; the loop over parameters costs more than small nets compute.
    is_fused = all(parameter.device.type in ("cpu", "cuda") for parameter in model.parameters())
    if config.optimizer == "sgd":
        return torch.optim.SGD(listed, lr=config.learning_rate, momentum=MOMENTUM, nesterov=True, fused=is_fused)
    return torch.optim.AdamW(listed, lr=config.learning_rate, betas=ADAM_BETAS, fused=is_fused)


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Loads a saved state, each tensor laid out in memory as its parameter is.

    Fused kernels walk a parameter and its moments in the order of memory, so a plain copy of a
    channels_last moment would be read in another order.
    """
    optimizer.load_state_dict(dict(state))
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def is_backbone(name: str) -> bool:
    """Does this parameter belong to the part of a model that may be pretrained?"""
    return name.removeprefix("module.").startswith("backbone.")


def learning_rate_at(step: int, config: TrainConfig, steps_per_epoch: int) -> float:
    """Learning rate of a step: linear warm-up, then a cosine to its end or constant.

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, for the cosine.
    """
    total, warmup = config.epochs * steps_per_epoch, config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return config.learning_rate * (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return config.learning_rate
    share = min(1.0, (step - warmup) / max(1.0, total - warmup))
    floor = config.min_learning_rate_ratio
    return config.learning_rate * (floor + (1 - floor) * (1 + math.cos(math.pi * share)) / 2)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Gives each group its share."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["scale"]


def set_frozen(model: nn.Module, is_frozen: bool) -> None:
    """Freezes or thaws the backbone's parameters, but for those that the model keeps frozen (`kept_frozen`)."""
    kept: frozenset[str] = getattr(model, "kept_frozen", frozenset())
    for name, parameter in model.named_parameters():
        if is_backbone(name):
            parameter.requires_grad_(not is_frozen and name not in kept)


class WeightAverage:
    """Exponential moving average of weights and buffers; the average is what is evaluated and kept.

    The decay rises with the step, min(decay, (1 + step) / (10 + step)), so that early weights are forgotten.

    torch.optim.swa_utils.AveragedModel counts steps in a tensor and keeps a second module; here the
    decay follows from the step alone, so that a resumed run repeats it exactly.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def update(self, model: nn.Module, step: int) -> None:
        """Moves the average towards the weights after optimiser step `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averaged, current = [], []
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                averaged.append(self.state[name])
                current.append(value.detach())
            else:
                self.state[name].copy_(value)
        torch._foreach_lerp_(averaged, current, 1 - decay)


@contextmanager
def evaluated_weights(model: nn.Module, average: WeightAverage | None) -> Iterator[None]:
    """Puts the moving average, if there is one, into a model for as long as it is evaluated."""
    if average is None:
        yield
        return
    own = {name: value.detach().clone() for name, value in model.state_dict().items()}
    model.load_state_dict(average.state)
    try:
        yield
    finally:
        model.load_state_dict(own)


def clip_gradients(parameters: Iterable[nn.Parameter], max_norm: float) -> Tensor:
    """Scales gradients down to a norm of at most `max_norm`; nothing is read back to the host."""
    return nn.utils.clip_grad_norm_(parameters, max_norm)
