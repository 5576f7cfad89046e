"""Choices of the hardware plan that only a measurement can make: number format and memory layout on a CPU."""

import copy
import itertools
import time

import numpy as np
import torch
from torch import nn

from core.hardware import HardwarePlan
from core.tasks.task import Arrays, Task
from core.training.batches import take

ROUNDS = 3
MAX_EXAMPLES = 32
WORTH = 0.95
"""A choice other than plain fp32 must take at most this share of its time."""


def measure_plan(model: nn.Module, task: Task, train: Arrays, plan: HardwarePlan) -> HardwarePlan:
    """Times one training step in each open combination and takes the fastest.

    Runs on a copy of the model and a few real examples; a second or two for small nets. Over several
    processes nothing is measured, since each might decide otherwise.
    """
    if not plan.to_measure:
        return plan
    if plan.num_processes > 1:
        kept = {name: getattr(plan, name) for name in plan.to_measure}
        return plan.with_choice("plain, so that all processes agree", **kept)
    options = {"precision": ("fp32", "bf16"), "channels_last": (False, True)}
    open_options = [options[name] for name in plan.to_measure]
    candidates = [dict(zip(plan.to_measure, values, strict=True)) for values in itertools.product(*open_options)]
    threads_before = torch.get_num_threads()
    torch.set_num_threads(plan.threads)
    try:
        times_ms = _time_each(model, task, train, plan, candidates)
    finally:
        torch.set_num_threads(threads_before)
    best = int(np.argmin(times_ms))
    if times_ms[best] > WORTH * times_ms[0]:
        best = 0
    measured = ", ".join(f"{_name(c)} {t:.0f} ms" for c, t in zip(candidates, times_ms, strict=True))
    return plan.with_choice(f"measured a step: {measured}", **candidates[best])


def _time_each(
    model: nn.Module, task: Task, train: Arrays, plan: HardwarePlan, candidates: list[dict[str, object]]
) -> list[float]:
    """Milliseconds of the fastest step of each candidate, measured in turns so that noise meets all alike."""
    device = torch.device(plan.device)
    rows = np.arange(min(MAX_EXAMPLES, plan.micro_batch_size, len(next(iter(train.values())))))
    batch = task.trim(take(train, rows, device))
    inputs = [spec.name for spec in task.inputs]
    models = []
    for candidate in candidates:
        layout = torch.channels_last if candidate.get("channels_last", plan.channels_last) else torch.contiguous_format
        models.append(copy.deepcopy(model).to(device, memory_format=layout).train())  # type: ignore[call-overload]
    best = [float("inf")] * len(candidates)
    for round_number, (index, candidate) in itertools.product(range(ROUNDS + 1), enumerate(candidates)):
        is_bf16 = candidate.get("precision", plan.precision) == "bf16"
        started = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=is_bf16):
            outputs = models[index](**{name: batch[name] for name in inputs})
        loss = task.loss({name: value.float() for name, value in outputs.items()}, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        models[index].zero_grad()
        if round_number:
            best[index] = min(best[index], (time.perf_counter() - started) * 1000)
    return best


def _name(candidate: dict[str, object]) -> str:
    layout = "" if "channels_last" not in candidate else (" channels_last" if candidate["channels_last"] else " plain")
    return f"{candidate.get('precision', '')}{layout}".strip()
