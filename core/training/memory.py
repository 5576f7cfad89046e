"""A batch that does not fit into memory, and the smaller one that is tried instead."""

import math

import torch

from core.config import TrainConfig
from core.errors import UserError
from core.hardware import HardwarePlan, peak_memory_mb


def is_out_of_memory(error: BaseException) -> bool:
    """Did the device, or the host's allocator, run out of memory?"""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def halved(plan: HardwarePlan, config: TrainConfig, share: int, step: int) -> HardwarePlan:
    """The plan with half the micro batch and more accumulation.

    Args:
        plan: Whose batch did not fit.
        config: States the smallest micro batch.
        share: Examples a step on this process.
        step: Where it happened.

    Raises:
        UserError: No smaller batch is allowed.
    """
    size = plan.micro_batch_size // 2
    if size < min(config.min_micro_batch_size, plan.micro_batch_size) or plan.num_processes > 1:
        several = " and over several processes it is not changed on the way" if plan.num_processes > 1 else ""
        raise UserError(
            f"A micro batch of {plan.micro_batch_size} does not fit into the memory of {plan.device}.",
            f"The smallest allowed is train.min_micro_batch_size = {config.min_micro_batch_size}{several}.",
            f"Set --hardware.micro_batch_size {max(1, size)}, use a smaller model, or smaller images.",
        )
    reason = f"{plan.micro_batch_size} did not fit into memory at step {step}"
    return plan.with_choice(reason, micro_batch_size=size, accumulation_steps=math.ceil(share / size))


def memory_mb(device: torch.device) -> float:
    """Largest memory taken so far, of the GPU or of the process, in MiB."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else peak_memory_mb()
