"""Loss and metrics on the validation split, the same on every process."""

from collections.abc import Mapping

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from core.hardware import HardwarePlan
from core.tasks.task import Arrays, Task
from core.training.batches import take

SERVED_FROM = ("logits", "mask_logits", "query_vector", "text_vector", "ranks", "new_ranks")
"""Outputs of a model in training that metrics are made of."""


def validate(
    model: nn.Module, task: Task, arrays: Arrays, plan: HardwarePlan, accelerator: Accelerator
) -> dict[str, float]:
    """Runs a model over a split; each process takes its share of every batch.

    Args:
        model: With the weights to evaluate; left in evaluation mode.
        task: Loss and metrics.
        arrays: The encoded split.
        plan: Batch size and processes.
        accelerator: Gathers.

    Returns:
        `loss` and every metric of the task.
    """
    model.eval()
    with torch.no_grad():
        _share_buffers(model, plan)
        loss, outputs = _run(model, task, arrays, plan, accelerator)
    served = {name: value.float().cpu().numpy() for name, value in _as_served(outputs).items()}
    evaluation = task.evaluate(served, arrays, None, resamples=0)
    return {**{name: estimate.value for name, estimate in evaluation.metrics.items()}, "loss": loss}


def mean_over_processes(value: float, accelerator: Accelerator) -> float:
    """The mean of one number a process."""
    here = torch.tensor([value], dtype=torch.float32, device=accelerator.device)
    return float(accelerator.reduce(here, "mean").item())


def _run(
    model: nn.Module, task: Task, arrays: Arrays, plan: HardwarePlan, accelerator: Accelerator
) -> tuple[float, dict[str, Tensor]]:
    """Mean loss, and the outputs in the order of the split."""
    inputs = [spec.name for spec in task.inputs]
    rows, share = len(next(iter(arrays.values()))), plan.micro_batch_size
    loss_sum = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    outputs: list[dict[str, Tensor]] = []
    for start in range(0, rows, share * plan.num_processes):
        first = start + plan.rank * share
        wanted = np.arange(first, min(first + share, rows))
        # A process with nothing left runs one row again, so that all of them gather together.
        batch = task.trim(take(arrays, wanted if len(wanted) else np.array([rows - 1]), accelerator.device))
        output = model(**{name: batch[name] for name in inputs})
        loss_sum += task.loss(output, batch).double() * len(wanted)
        kept = {name: _padded(value, share) for name, value in output.items() if name in SERVED_FROM}
        outputs.append({name: accelerator.gather(value) for name, value in kept.items()})
    merged = {name: torch.cat([output[name] for output in outputs])[:rows] for name in outputs[0]}
    total = loss_sum.item()
    if plan.num_processes > 1:
        total = mean_over_processes(total, accelerator) * plan.num_processes
    return total / rows, merged


def _share_buffers(model: nn.Module, plan: HardwarePlan) -> None:
    """Gives every process the first one's BatchNorm statistics, which are the ones that are saved."""
    if plan.num_processes > 1:
        for buffer in model.buffers():
            buffer.copy_(broadcast(buffer))


def _as_served(outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Training outputs as the served graph would give them, uncalibrated."""
    served = {name: value for name, value in outputs.items() if not name.endswith("logits")}
    if "logits" in outputs:
        served["probabilities"] = outputs["logits"].float().softmax(dim=-1)
    if "mask_logits" in outputs:
        served["mask"] = outputs["mask_logits"].float().sigmoid()
    return served


def _padded(rows: Tensor, length: int) -> Tensor:
    """The same with its last row repeated up to a length, because gathering wants equal shapes."""
    return torch.cat([rows, rows[-1:].expand(length - len(rows), *rows.shape[1:])]) if len(rows) < length else rows
