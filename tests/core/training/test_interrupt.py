"""An interrupt saves a checkpoint, and the resumed run equals one that was never interrupted."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from faults.train_worker import make_model
from PIL import Image
from rich.console import Console
from torch import Tensor

from core.training.checkpoint import load_latest

from .small_run import Wrapped, run, same

ROOT = Path(__file__).resolve().parents[3]
STEPS = 3
SETTINGS = {"epochs": 3, "ema_decay": 0.9, "mixup": 0.3, "balanced_sampling": 0.5}


def signalled(at: int, numbers: tuple[int, ...] = (signal.SIGINT,), *, plain: bool = False) -> Wrapped:
    """A model during one of whose training passes this process gets signals."""

    def meddle(call: int, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if call == at:
            for number in numbers:
                os.kill(os.getpid(), number)
        return outputs

    return Wrapped(make_model(plain=plain), meddle)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Wrapped, Path]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    return run(folder, model=signalled(-1), **SETTINGS)[0], folder  # type: ignore[return-value, arg-type]


def epochs_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as stream:
        return [
            {name: value for name, value in row.items() if name != "examples_per_second"}
            for row in csv.DictReader(stream)
        ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at", [0, STEPS - 1, STEPS + 1, 3 * STEPS - 1])
def test_resumed_run_equals_an_uninterrupted_one(
    tmp_path: Path, uninterrupted: tuple[Wrapped, Path], at: int, number: int
) -> None:
    whole, folder = uninterrupted
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, model=signalled(at, (number,)), **SETTINGS)  # type: ignore[arg-type]
    found = load_latest(tmp_path / "checkpoints")
    assert found is not None
    assert found[0] == at + 1
    resumed, _ = run(tmp_path, model=signalled(-1), resume=True, **SETTINGS)  # type: ignore[arg-type]
    assert same(resumed, whole)
    assert epochs_of(tmp_path) == epochs_of(folder)


def test_interrupted_again_and_again_it_still_ends_the_same(
    tmp_path: Path, uninterrupted: tuple[Wrapped, Path]
) -> None:
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, model=signalled(1), resume=True, **SETTINGS)  # type: ignore[arg-type]
    resumed, _ = run(tmp_path, model=signalled(-1), resume=True, **SETTINGS)  # type: ignore[arg-type]
    assert same(resumed, uninterrupted[0])
    assert epochs_of(tmp_path) == epochs_of(uninterrupted[1])


def test_resume_passes_over_a_damaged_checkpoint_says_so_and_ends_the_same(
    tmp_path: Path, uninterrupted: tuple[Wrapped, Path]
) -> None:
    settings = {**SETTINGS, "checkpoint_every_steps": 1}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, model=signalled(STEPS + 1), **settings)  # type: ignore[arg-type]
    newest = max((tmp_path / "checkpoints").glob("step-*"))
    (newest / "model.safetensors").write_bytes(b"damaged")
    with (tmp_path / "out.txt").open("w") as stream:
        console = Console(file=stream, width=200)
        resumed, _ = run(tmp_path, model=signalled(-1), resume=True, console=console, **settings)  # type: ignore[arg-type]
    assert same(resumed, uninterrupted[0])
    assert f"Checkpoint {newest.name} is damaged" in (tmp_path / "out.txt").read_text()


def test_second_signal_breaks_the_step(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, wrap=lambda _: signalled(1, (signal.SIGINT, signal.SIGINT), plain=True))
    assert load_latest(tmp_path / "checkpoints") is None


def test_handlers_of_signals_are_given_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run(tmp_path, epochs=1)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_resuming_a_finished_run_trains_no_more(tmp_path: Path) -> None:
    model, result = run(tmp_path)
    again, of_again = run(tmp_path, resume=True)
    assert same(model, again)
    assert of_again.history == result.history


def test_resume_where_nothing_is_starts_from_the_beginning(tmp_path: Path) -> None:
    fresh, _ = run(tmp_path / "one")
    resumed, _ = run(tmp_path / "two", resume=True)
    assert same(fresh, resumed)


def test_resume_across_the_end_of_the_frozen_epochs_equals_an_uninterrupted_run(tmp_path: Path) -> None:
    settings = {"freeze_backbone_epochs": 1, "epochs": 2}
    whole, _ = run(tmp_path / "whole", model=signalled(-1), **settings)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", model=signalled(STEPS - 1), **settings)  # type: ignore[arg-type]
    resumed, _ = run(tmp_path / "cut", model=signalled(-1), resume=True, **settings)  # type: ignore[arg-type]
    assert same(resumed, whole)


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    """Forty small pictures of two kinds."""
    draws = np.random.default_rng(0)
    for number in range(40):
        kind, base = ("dark", 60) if number % 2 else ("light", 190)
        folder = tmp_path / "data" / kind
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.clip(base + draws.integers(-60, 61, (32, 32, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "data"


def test_interrupted_command_exits_with_130_and_says_how_to_go_on(tmp_path: Path, class_folders: Path) -> None:
    words = (
        f"--config quick --data {class_folders} --data.image_px 32 --model.backbone handbook_cnn --model.options {{}} "
        f"--train.epochs 100000 --train.trackers [] --hardware.measure false --output-dir {tmp_path / 'run'}"
    )
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "apps.medical_imaging.train", *words.split()],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AI_APP_SUITE_CACHE": str(tmp_path / "cache")},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("epoch 1/"):
                process.send_signal(signal.SIGINT)
    assert process.returncode == 130, "".join(said)
    assert any("Interrupted after step" in line and "--resume" in line for line in said)
    assert not any("Traceback" in line for line in said)
    found = load_latest(tmp_path / "run" / "checkpoints")
    assert found is not None
