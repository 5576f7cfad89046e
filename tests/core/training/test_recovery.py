"""A loss that stops being finite: back to the last checkpoint, slower, three times at most."""

import math
from collections.abc import Collection
from pathlib import Path

import pytest
import torch
from faults.train_worker import make_model
from rich.console import Console
from torch import Tensor

from core.errors import UserError
from core.training.optim import learning_rate_at

from .small_run import Wrapped, make_config, run

STEPS = 3
"""Of an epoch: 48 rows in batches of 16."""


def poisoned(at: Collection[int], *, only_gradient: bool = False) -> Wrapped:
    """A model whose loss, or whose gradient alone, is not a number in some of its training passes."""

    def meddle(call: int, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if call not in at:
            return outputs
        logits = outputs["logits"]
        if only_gradient:
            logits.register_hook(lambda gradient: gradient * math.nan)
            return outputs
        return {**outputs, "logits": logits * math.nan}

    return Wrapped(make_model(plain=True), meddle)


def test_recovered_run_goes_on_from_the_checkpoint_at_half_the_rate(tmp_path: Path) -> None:
    config = make_config(epochs=3)
    with (tmp_path / "out.txt").open("w") as stream:
        model, result = run(
            tmp_path, wrap=lambda _: poisoned({STEPS + 1}), epochs=3, console=Console(file=stream, width=200)
        )
    assert [row["epoch"] for row in result.history] == [1, 2, 3]
    full = [learning_rate_at((epoch + 1) * STEPS - 1, config, STEPS) for epoch in range(3)]
    rates = [row["learning_rate"] for row in result.history]
    assert rates == pytest.approx([full[0], full[1] / 2, full[2] / 2])
    assert all(value.isfinite().all() for value in model.state_dict().values())
    assert "back to step 3 with 0.5 of the learning rate" in (tmp_path / "out.txt").read_text()


def test_three_recoveries_are_made_and_a_fourth_is_an_error(tmp_path: Path) -> None:
    # Two epochs are six calls; an epoch that fails takes three calls and is made anew.
    failing = [STEPS + 1, 2 * STEPS + 1, 3 * STEPS + 1]
    _, result = run(tmp_path / "three", wrap=lambda _: poisoned(failing))
    full = learning_rate_at(2 * STEPS - 1, make_config(), STEPS)
    assert result.history[-1]["learning_rate"] == pytest.approx(full / 8)
    with pytest.raises(UserError, match="not a number 4 times, at last near step") as caught:
        run(tmp_path / "four", wrap=lambda _: poisoned(range(STEPS, 100)))
    assert "Lower train.learning_rate (now 0.002)" in caught.value.fix


def test_loss_that_is_never_finite_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="before the first checkpoint") as caught:
        run(tmp_path, wrap=lambda _: poisoned(range(100)))
    assert "train.learning_rate" in caught.value.fix


@pytest.mark.parametrize("every", [0, 1])
def test_weights_that_are_not_finite_never_become_a_checkpoint(tmp_path: Path, every: int) -> None:
    # The loss of the last step of an epoch is fine; what it does to the weights is not.
    model, result = run(
        tmp_path,
        wrap=lambda _: poisoned({2 * STEPS - 1}, only_gradient=True),
        epochs=3,
        checkpoint_every_steps=every,
    )
    assert [row["epoch"] for row in result.history] == [1, 2, 3]
    assert all(math.isfinite(row["validation_loss"]) for row in result.history)
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
