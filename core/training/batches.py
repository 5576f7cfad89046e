"""Batches out of encoded arrays: which examples, in which order, varied how, on which device."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.data.randomness import bucket_by_length, epoch_order, uniform_draws
from core.tasks.task import Arrays, Task

T = TypeVar("T")


def sampling_weights(strata: npt.NDArray[np.int64] | None, balance: float) -> npt.NDArray[np.float64] | None:
    """Chance of each example: count of its stratum to the power of -balance; None = all alike, none twice."""
    if balance == 0 or strata is None:
        return None
    strata = strata - strata.min()
    counts = np.bincount(strata).astype(np.float64)
    return counts[strata] ** -balance


class TrainBatches:
    """The batches of an epoch, a pure function of (seed, epoch, step, rank).

    A global batch is a run of the epoch's order; each rank takes its part of it, cut into micro
    batches. Augmentation depends on the position in that order alone.

    Args:
        arrays: The encoded training split.
        task: Augments.
        global_batch_size: Examples a step over all ranks.
        seed: The run's seed.
        rank: Of this process.
        num_processes: Of the run.
        device: Where batches go.
        balance: 0 = as they come, 1 = every stratum equally often.
        epochs: Of the whole run.
    """

    def __init__(
        self,
        arrays: Arrays,
        task: Task,
        *,
        global_batch_size: int,
        seed: int,
        rank: int,
        num_processes: int,
        device: torch.device,
        balance: float,
        epochs: int,
    ) -> None:
        self.arrays, self.task, self.seed, self.device = arrays, task, seed, device
        self.epochs = epochs
        self.num_examples = len(next(iter(arrays.values())))
        # A split smaller than one batch is one batch; what is left over each epoch is another part each time.
        self.batch_size = min(global_batch_size, self.num_examples // num_processes * num_processes)
        self.steps_per_epoch = self.num_examples // self.batch_size
        self.share = self.batch_size // num_processes
        self.offset = rank * self.share
        self.weights = sampling_weights(task.strata(arrays), balance)
        self.lengths = task.lengths(arrays)

    def epoch(self, epoch: int, first_step: int, micro_batch_size: Callable[[], int]) -> "Iterator[list[Batch]]":
        """The micro batches of each step from `first_step` on.

        The size is asked anew at each step, because a batch that does not fit is halved.
        """
        order = epoch_order(self.num_examples, self.seed, epoch, self.weights)
        if self.lengths is not None:
            order = bucket_by_length(order, self.lengths, self.batch_size, self.seed, epoch)
        steps = (self._positions(step) for step in range(first_step, self.steps_per_epoch))
        batches = (
            [self._read(order, epoch, part) for part in _cut(positions, micro_batch_size())] for positions in steps
        )
        return _one_ahead(batches) if self.device.type == "cuda" else batches

    def _positions(self, step: int) -> npt.NDArray[np.int64]:
        start = step * self.batch_size + self.offset
        return np.arange(start, start + self.share)

    def _read(self, order: npt.NDArray[np.int64], epoch: int, positions: npt.NDArray[np.int64]) -> "Batch":
        batch = self.task.trim(take(self.arrays, order[positions], self.device))
        if not self.task.num_draws:
            return batch
        draws = torch.from_numpy(uniform_draws(self.seed, epoch, positions, self.task.num_draws))
        return self.task.augment(batch, draws.to(self.device), epoch / self.epochs)


Batch = dict[str, Tensor]


def take(arrays: Arrays, rows: npt.NDArray[np.int64], device: torch.device) -> Batch:
    """Rows of every array as tensors on a device."""
    host = {name: torch.from_numpy(np.take(array, rows, axis=0)) for name, array in arrays.items()}
    if device.type == "cpu":
        return host
    return {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in host.items()}


def split_batch(batch: Batch, size: int) -> list[Batch]:
    """Smaller batches of at most `size` examples."""
    rows = len(next(iter(batch.values())))
    return [{name: value[start : start + size] for name, value in batch.items()} for start in range(0, rows, size)]


def _cut(positions: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]


def _one_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each prepared in a thread while the one before it is used."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
