"""Runs of the app on tiny data, as its command line makes them."""

import os
from pathlib import Path

from apps.medical_imaging.app import SPEC
from core.cli import app_main

TINY = (
    *("--config", "quick", "--device", "cpu", "--hardware.measure", "false", "--data.image_px", "32"),
    *("--train.epochs", "2", "--train.global_batch_size", "16", "--train.warmup_epochs", "0"),
)


def train_tiny(data: Path, run: Path, *more: str) -> Path:
    """Trains two epochs in this process; gives the folder of the run."""
    before = Path.cwd()
    run.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(run.parent)
    try:
        code = app_main(SPEC, "train", [*TINY, "--data", str(data), "--output-dir", str(run), *more])
    finally:
        os.chdir(before)
    assert code == 0
    return run
