"""A batch that does not fit is halved, said, and trained all the same."""

from pathlib import Path

import pytest
import torch
from faults.train_worker import make_model
from rich.console import Console
from torch import Tensor

from core.errors import UserError

from .small_run import Wrapped, run, same


class Cramped(Wrapped):
    """A model in whose memory only so many rows fit."""

    def __init__(self, fitting: int, error: Exception | None = None) -> None:
        super().__init__(make_model(plain=True), lambda _, outputs: outputs)
        self.fitting = fitting
        self.error = error or torch.OutOfMemoryError("out of memory")

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        if self.training and len(image) > self.fitting:
            raise self.error
        return super().forward(image)


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", ERRORS, ids=["gpu", "cpu"])
def test_micro_batch_is_halved_until_it_fits_and_the_plan_says_why(tmp_path: Path, error: Exception) -> None:
    with (tmp_path / "out.txt").open("w") as stream:
        _, result = run(tmp_path, wrap=lambda _: Cramped(4, error), console=Console(file=stream, width=200))
    assert (result.plan.micro_batch_size, result.plan.accumulation_steps) == (4, 4)
    assert result.plan.reasons["micro_batch_size"] == "8 did not fit into memory at step 0"
    assert len(result.history) == 2
    said = (tmp_path / "out.txt").read_text()
    assert "Out of memory: micro batch 8, accumulation 2." in said
    assert "Out of memory: micro batch 4, accumulation 4." in said


def test_halved_batches_train_as_if_they_had_been_small_from_the_start(tmp_path: Path) -> None:
    halved, _ = run(tmp_path / "halved", wrap=lambda _: Cramped(4))
    small, _ = run(tmp_path / "small", wrap=lambda _: Cramped(100), hardware={"micro_batch_size": 4})
    # The first step was varied in one piece and cut afterwards, with the same draws.
    assert same(halved, small)


def test_uneven_halves_still_weigh_every_example_alike(tmp_path: Path) -> None:
    _, of_odd = run(tmp_path / "odd", wrap=lambda _: Cramped(3), global_batch_size=12)
    _, of_whole = run(tmp_path / "whole", wrap=lambda _: Cramped(100), global_batch_size=12)
    assert (of_odd.plan.micro_batch_size, of_odd.plan.accumulation_steps) == (3, 4)
    assert of_odd.history[-1]["train_loss"] == pytest.approx(of_whole.history[-1]["train_loss"], rel=1e-4)
    _, of_odd_5 = run(tmp_path / "five", wrap=lambda _: Cramped(2), global_batch_size=10)
    _, of_whole_5 = run(tmp_path / "whole_five", wrap=lambda _: Cramped(100), global_batch_size=10)
    assert (of_odd_5.plan.micro_batch_size, of_odd_5.plan.accumulation_steps) == (2, 5)
    assert of_odd_5.history[-1]["train_loss"] == pytest.approx(of_whole_5.history[-1]["train_loss"], rel=1e-4)


@pytest.mark.parametrize(("minimum", "proposal"), [(8, 4), (1, 1)])
def test_smallest_batch_that_does_not_fit_is_an_error(tmp_path: Path, minimum: int, proposal: int) -> None:
    with pytest.raises(UserError, match="does not fit into the memory of cpu") as caught:
        run(tmp_path, wrap=lambda _: Cramped(0), min_micro_batch_size=minimum)
    assert f"train.min_micro_batch_size = {minimum}" in caught.value.allowed
    assert f"--hardware.micro_batch_size {proposal}" in caught.value.fix


def test_other_errors_are_not_taken_for_lack_of_memory(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run(tmp_path, wrap=lambda _: Cramped(4, RuntimeError("shapes cannot be multiplied")))
