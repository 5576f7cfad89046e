"""The process that trains: accelerate, threads, deterministic kernels, and signals that wait for the end of a step."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar, cast

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, broadcast_object_list

from core.config import TrainConfig
from core.errors import UserError
from core.hardware import HardwarePlan

T = TypeVar("T")


def decided_by_first(plan: HardwarePlan, decide: Callable[[], T]) -> T:
    """What the first process decides, told to all of them; the user's mistake that it finds stops them all."""
    if plan.num_processes == 1:
        return decide()
    state = PartialState(cpu=plan.device == "cpu")
    outcome: list[Any] = [None, None]
    if state.is_main_process:
        try:
            outcome[0] = decide()
        except UserError as error:
            outcome[1] = error
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise outcome[1]
    return cast(T, outcome[0])


def build_accelerator(plan: HardwarePlan, config: TrainConfig, folder: Path) -> Accelerator:
    """accelerate as the plan says, with trackers on the first process.

    Raises:
        UserError: It got another number of processes than were launched, or a tracker is missing.
    """
    # accelerate keeps its state for the whole process; a second run with another precision needs a fresh one.
    AcceleratorState._reset_state()
    if plan.device.startswith("cuda"):
        torch.cuda.set_device(plan.device)
    accelerator = Accelerator(
        cpu=plan.device == "cpu",
        mixed_precision="no" if plan.precision == "fp32" else plan.precision,
        log_with=list(config.trackers) if config.trackers and plan.is_main else None,
        project_dir=folder,
        # A frozen backbone has parameters without a gradient, which processes must not wait for.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=config.freeze_backbone_epochs > 0)],
    )
    if accelerator.num_processes != plan.num_processes:
        raise UserError(
            f"Launched as {plan.num_processes} processes, but accelerate runs {accelerator.num_processes}.",
            "Both must agree.",
            "On CPUs use `torchrun --standalone --nproc_per_node N -m apps.<name>.train`.",
        )
    if config.trackers and plan.is_main:
        try:
            accelerator.init_trackers("tensorboard" if "tensorboard" in config.trackers else folder.name)
        except (ImportError, ValueError) as error:
            raise UserError(
                f"A tracker could not start: {error}",
                "tensorboard, wandb.",
                "Install the extra, or change train.trackers.",
            ) from None
    return accelerator


@contextlib.contextmanager
def machine_settings(plan: HardwarePlan, config: TrainConfig) -> Iterator[None]:
    """Threads and deterministic kernels for as long as training runs."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    if config.deterministic:
        # Without it cuBLAS may choose another algorithm each time; read when the first GPU kernel starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    deterministic: Any = torch.utils.deterministic
    filled = deterministic.fill_uninitialized_memory
    torch.set_num_threads(plan.threads)
    torch.use_deterministic_algorithms(config.deterministic, warn_only=True)
    # Filling fresh memory makes reads of it repeatable; nothing here reads it, and it costs time.
    deterministic.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        deterministic.fill_uninitialized_memory = filled


@contextlib.contextmanager
def signals_kept() -> Iterator[list[int]]:
    """Collects interrupts (Ctrl+C, a cluster's SIGTERM) instead of breaking a step in two; a second one breaks it."""
    kept: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield kept
        return

    def keep(number: int, _: FrameType | None) -> None:
        if kept:
            raise KeyboardInterrupt
        kept.append(number)

    before = {number: signal.signal(number, keep) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield kept
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
