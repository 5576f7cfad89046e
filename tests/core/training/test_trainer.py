"""The loop: it learns, accumulates, averages, freezes, stops, and each setting acts."""

import csv
from pathlib import Path

import pytest
import torch
from faults.train_worker import make_model
from rich.console import Console
from torch import nn

from core.errors import UserError
from core.training.checkpoint import load_latest
from core.training.progress import describe

from .small_run import ROWS, run, same


def test_training_learns_and_ends_with_the_best_weights(tmp_path: Path) -> None:
    model, result = run(tmp_path, rows=96, epochs=5, monitor="accuracy")
    history = result.history
    assert history[-1]["train_loss"] < 0.5 * history[0]["train_loss"]
    accuracies = [row["validation_accuracy"] for row in history]
    assert max(accuracies) > 0.9
    assert result.best_epoch == accuracies.index(max(accuracies))
    assert not model.training
    assert result.stopped_by == "all 5 epochs done"
    facts = describe(result)
    assert facts["best_epoch"] == result.best_epoch + 1
    assert facts["epochs"] == 5


def test_same_seed_trains_the_same_weights_whatever_torch_drew_before(tmp_path: Path) -> None:
    model, _ = run(tmp_path / "one", model=make_model(), mixup=0.2)
    fresh = make_model()
    torch.manual_seed(123)
    again, _ = run(tmp_path / "two", model=fresh, mixup=0.2)
    assert same(model, again)


@pytest.mark.parametrize("micro", [8, 4, 1])
def test_accumulated_micro_batches_equal_one_large_batch(tmp_path: Path, micro: int) -> None:
    whole, of_whole = run(tmp_path / "whole", label_smoothing=0.1)
    parts, of_parts = run(tmp_path / "parts", hardware={"micro_batch_size": micro}, label_smoothing=0.1)
    assert of_parts.plan.accumulation_steps == 16 // micro
    for (name, one), other in zip(whole.state_dict().items(), parts.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-5, msg=name)
    assert [row["train_loss"] for row in of_whole.history] == pytest.approx(
        [row["train_loss"] for row in of_parts.history], rel=1e-4
    )
    assert not same(whole, make_model(plain=True))


def test_evaluation_uses_the_average_and_training_does_not(tmp_path: Path) -> None:
    plain_model, plain = run(tmp_path / "plain")
    averaged_model, averaged = run(tmp_path / "averaged", ema_decay=0.9)
    losses = [[row["train_loss"] for row in result.history] for result in (plain, averaged)]
    assert losses[0] == losses[1]
    assert plain.history[-1]["validation_loss"] != averaged.history[-1]["validation_loss"]
    assert not same(plain_model, averaged_model)
    found = load_latest(tmp_path / "averaged" / "checkpoints")
    assert found is not None
    kept = found[1].average if averaged.best_epoch == 1 else None
    assert kept is not None
    assert all(torch.equal(value, kept[name]) for name, value in averaged_model.state_dict().items())


def test_early_stopping_ends_when_nothing_gets_better(tmp_path: Path) -> None:
    _, result = run(tmp_path, epochs=20, early_stopping_epochs=2, learning_rate=1e-12, monitor="accuracy")
    assert result.best_epoch == 0
    assert len(result.history) == 3
    assert result.stopped_by == "no better accuracy for 2 epochs"


def test_time_limit_ends_after_the_epoch_that_passes_it(tmp_path: Path) -> None:
    _, result = run(tmp_path, epochs=20, max_minutes=1e-6)
    assert len(result.history) == 1
    assert result.stopped_by == "train.max_minutes = 1e-06 reached"
    # Resumed, it has no time left either.
    _, resumed = run(tmp_path, epochs=20, max_minutes=1e-6, resume=True)
    assert len(resumed.history) == 1


def test_backbone_rests_while_it_is_frozen_and_learns_afterwards(tmp_path: Path) -> None:
    fresh = dict(make_model().named_parameters())

    def moved(epochs: int) -> dict[str, bool]:
        model, _ = run(tmp_path / str(epochs), model=make_model(), epochs=epochs, freeze_backbone_epochs=1)
        return {name: not torch.equal(fresh[name], value) for name, value in model.named_parameters()}

    frozen, thawed = moved(1), moved(2)
    assert {name for name, is_moved in frozen.items() if is_moved} == {
        name for name in fresh if not name.startswith("backbone.")
    }
    assert all(thawed.values())


@pytest.mark.parametrize(
    "change",
    [
        {"label_smoothing": 0.2},
        {"class_weighting": "balanced"},
        {"class_weighting": "sqrt"},
        {"mixup": 0.4},
        {"cutmix": 1.0},
        {"balanced_sampling": 1.0},
        {"optimizer": "sgd"},
        {"schedule": "constant"},
        {"warmup_epochs": 0.0},
        {"weight_decay": 0.5},
        {"gradient_clip_norm": 0.01},
        {"min_learning_rate_ratio": 1.0},
        {"ema_decay": 0.5},
        {"global_batch_size": 12},
    ],
    ids=lambda change: "-".join(map(str, next(iter(change.items())))),
)
def test_each_setting_of_training_acts(
    tmp_path: Path, change: dict[str, object], standard_model: torch.nn.Module, uneven: None
) -> None:
    changed, _ = run(tmp_path, **change)
    assert not same(changed, standard_model)


@pytest.fixture
def uneven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels that are not equally frequent, so that weights and sampling can act."""
    import faults.train_worker as worker

    schema, arrays = worker.make_schema, worker.make_arrays

    def uneven_arrays(rows: int, seed: int) -> dict:  # type: ignore[type-arg]
        made = arrays(rows, seed)
        made["label"][: rows // 3] = 0
        return made

    monkeypatch.setattr(worker, "make_schema", lambda: schema().model_copy(update={"label_counts": (26, 11, 11)}))
    monkeypatch.setattr("training.small_run.make_arrays", uneven_arrays)


@pytest.fixture
def standard_model(tmp_path: Path, uneven: None) -> torch.nn.Module:
    return run(tmp_path / "standard")[0]


def test_backbone_may_learn_slower_than_the_head(tmp_path: Path) -> None:
    fresh = dict(make_model(dropout=0.0).named_parameters())

    def distance(scale: float) -> float:
        model, _ = run(
            tmp_path / str(scale), model=make_model(dropout=0.0), epochs=1, backbone_learning_rate_scale=scale
        )
        moves = [
            (value - fresh[n]).detach().norm() for n, value in model.named_parameters() if n.startswith("backbone.")
        ]
        return float(torch.stack(moves).norm())

    assert 0 < distance(0.01) < 0.1 * distance(1.0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_training_runs_in_each_format_and_layout(tmp_path: Path, precision: str, channels_last: bool) -> None:
    hardware: dict[str, object] = {"precision": precision, "channels_last": channels_last}
    _, result = run(tmp_path, model=make_model(), hardware=hardware, epochs=4, warmup_epochs=0)
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"]


def test_split_smaller_than_a_batch_is_one_batch(tmp_path: Path) -> None:
    _, result = run(tmp_path, rows=10, global_batch_size=64)
    assert len(result.history) == 2


def test_metrics_file_has_a_row_for_each_epoch(tmp_path: Path) -> None:
    _, result = run(tmp_path, epochs=3)
    with (tmp_path / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["epoch"]) for row in rows] == [1, 2, 3]
    for row, expected in zip(rows, result.history, strict=True):
        assert {name: float(value) for name, value in row.items()} == pytest.approx(expected, nan_ok=True)


def test_monitor_that_is_no_metric_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.monitor is `accurracy`") as caught:
        run(tmp_path, monitor="accurracy")
    assert "balanced_accuracy" in caught.value.allowed
    assert "loss" in caught.value.allowed


def test_monitored_value_that_is_undefined_at_first_does_not_block_better_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.tasks.image import ImageTask

    evaluate, calls = ImageTask.evaluate, []

    def undefined_at_first(self, *args, **options):  # type: ignore[no-untyped-def]
        evaluation = evaluate(self, *args, **options)
        calls.append(1)
        if len(calls) == 1:
            nan = evaluation.metrics["accuracy"]._replace(value=float("nan"))
            evaluation.metrics["accuracy"] = nan  # type: ignore[index]
        return evaluation

    monkeypatch.setattr(ImageTask, "evaluate", undefined_at_first)
    _, result = run(tmp_path, rows=96, epochs=3, monitor="accuracy")
    assert result.best_epoch > 0


def test_progress_is_told_in_plain_lines(tmp_path: Path) -> None:
    with (tmp_path / "out.txt").open("w") as stream:
        run(tmp_path, console=Console(file=stream, width=200), monitor="accuracy")
    lines = (tmp_path / "out.txt").read_text().splitlines()
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [line.split()[1] for line in epochs] == ["1/2", "2/2"]
    assert all("train_loss" in line and "validation_accuracy" in line for line in epochs)
    assert "best so far" in epochs[0]


def test_tracker_writes_curves(tmp_path: Path) -> None:
    run(tmp_path, trackers=("tensorboard",))
    assert list(tmp_path.rglob("events.out.tfevents.*"))


def test_settings_of_torch_are_given_back(tmp_path: Path) -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    run(tmp_path, hardware={"threads": 2}, rows=ROWS)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_model_trained_in_bf16_is_left_without_a_wrapper_around_its_forward_pass(tmp_path: Path) -> None:
    seen: list[torch.dtype] = []

    class Watched(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            outputs: dict[str, torch.Tensor] = self.model(image)
            seen.append((image.float() @ image.float().transpose(-1, -2)).dtype)
            return outputs

    model, _ = run(tmp_path, wrap=Watched, hardware={"precision": "bf16"}, epochs=1)
    assert torch.bfloat16 in seen, "training did not run in bf16"
    seen.clear()
    with torch.no_grad():
        model(torch.zeros(2, 32, 32, 3, dtype=torch.uint8))
    assert seen == [torch.float32]
