"""Two processes really train, started as a user starts them."""

import csv
from pathlib import Path

from tiny_images import draw_classes
from tiny_runs import TINY

from core.export.bundle import load_bundle
from core.testing.commands import run_module


def test_two_processes_train_one_model_and_say_that_they_are_two(tmp_path: Path) -> None:
    draw_classes(tmp_path / "data", {"melanoma": 16, "nevus": 16})
    launch = ("--standalone", "--nproc_per_node", "2", "-m", "apps.medical_imaging.train")
    done = run_module("torch.distributed.run", *launch, *TINY, "--data", "data", "--output-dir", "run", cwd=tmp_path)
    assert done.code == 0, done.stderr
    row = next(line for line in done.stderr.splitlines() if line.strip().startswith("num_processes"))
    assert row.split()[1] == "2"
    assert "16 = 8 x 1 x 2" in done.stderr
    assert done.stderr.count("Machine and plan") == 1, "one of the two speaks"
    assert load_bundle(tmp_path / "run").manifest.app == "medical_imaging"
    with (tmp_path / "run" / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["1.0", "2.0"]


def test_batch_that_two_processes_cannot_share_fails_in_words(tmp_path: Path) -> None:
    launch = ("--standalone", "--nproc_per_node", "2", "-m", "apps.medical_imaging.train")
    done = run_module("torch.distributed.run", *launch, *TINY, "--train.global_batch_size", "15", cwd=tmp_path)
    assert done.code != 0
    assert "Error: global_batch_size 15 over 2 processes." in done.stderr
