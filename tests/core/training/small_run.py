"""A training of a second or less, and models that misbehave on purpose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from faults.train_worker import VALIDATION, make_arrays, make_model, make_task
from rich.console import Console
from torch import Tensor, nn

from core.config import HardwareConfig, TrainConfig
from core.hardware import Machine, plan_hardware
from core.tasks.augment_config import AugmentConfig
from core.training.progress import FitResult
from core.training.trainer import fit

ROWS = 48


def make_config(**changes: object) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "epochs": 2,
            "global_batch_size": 16,
            "trackers": (),
            "learning_rate": 2e-3,
            "min_micro_batch_size": 1,
            **changes,
        }
    )


def run(
    folder: Path,
    *,
    model: nn.Module | None = None,
    rows: int = ROWS,
    augment: AugmentConfig | None = None,
    hardware: dict[str, object] | None = None,
    resume: bool = False,
    console: Console | None = None,
    wrap: Callable[[nn.Module], nn.Module] = lambda model: model,
    **changes: object,
) -> tuple[nn.Module, FitResult]:
    """Trains the handbook's net (or another) on the worker's pictures."""
    config = make_config(**changes)
    is_plain = model is None
    model = wrap(model or make_model(plain=True))
    settings = {"device": "cpu", "precision": "fp32", "channels_last": False, "measure": False, **(hardware or {})}
    plan = plan_hardware(HardwareConfig.model_validate(settings), config, Machine(cores=1))
    task = make_task(config, augment or AugmentConfig(), has_masks=not is_plain)
    result = fit(
        model,
        task,
        make_arrays(rows, 0),
        make_arrays(VALIDATION, 1),
        config=config,
        plan=plan,
        seed=0,
        folder=folder,
        resume=resume,
        console=console,
    )
    return model, result


class Wrapped(nn.Module):
    """A model whose training passes are counted from 0 and shown to a function that may change them."""

    def __init__(self, model: nn.Module, meddle: Callable[[int, dict[str, Tensor]], dict[str, Tensor]]) -> None:
        super().__init__()
        self.model, self.meddle, self.calls = model, meddle, 0

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = self.model(image)
        if not self.training:
            return outputs
        self.calls += 1
        return self.meddle(self.calls - 1, outputs)


def same(one: nn.Module, other: nn.Module) -> bool:
    """Are all weights and buffers equal, bit by bit?"""
    pairs: Any = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)
