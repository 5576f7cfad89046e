"""Training that is killed at any moment and resumed ends with the same bits as one that never was.

Half of the kills hit a checkpoint while it is being written.
"""

import csv
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

FAULTS = Path(__file__).resolve().parent
ROOT = FAULTS.parents[1]
STEPS = 24
"""Optimiser steps of a whole run of the worker, with a checkpoint after each."""


class Worker:
    """The worker's command line: where it trains, where its weights go, how many processes, which model."""

    def __init__(self, base: Path, *, processes: int = 1, plain: bool = False) -> None:
        self.folder, self.weights = base / "run", base / "weights.safetensors"
        words = [str(FAULTS / "train_worker.py"), str(self.folder), str(self.weights), *(["--plain"] if plain else [])]
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        self.command = [sys.executable, *(launcher if processes > 1 else []), *words]

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it, silent."""
        return subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def finish(self) -> bytes:
        """Runs it to its end and gives the bytes of its weights."""
        assert self.start().wait() == 0
        return self.weights.read_bytes()

    def writes(self) -> set[str]:
        """Checkpoints that are being written, or were when their writer was killed."""
        return {path.name for path in (self.folder / "checkpoints").glob(".step-*.aside")}

    def newest(self) -> str:
        return max((path.name for path in (self.folder / "checkpoints").glob("step-*")), default="")

    def kill_inside_a_write(self, draws: random.Random) -> bool:
        """Kills it while a checkpoint is being written; False if it was too late, or the worker ended."""
        wanted, seen = draws.randrange(1, 6), self.writes()
        left_over = len(seen)
        process = self.start()
        while is_running(process):
            now = self.writes() - seen
            seen |= now
            if now and len(seen) - left_over >= wanted:
                kill_family(process)
                # What is still there was never renamed: the kill came before the checkpoint was whole.
                return now <= self.writes()
        return False

    def kill_at_random(self, draws: random.Random) -> bool:
        """Kills it some milliseconds after its first new checkpoint; False if the worker ended before."""
        before, delay_s, started_s = self.newest(), draws.uniform(0, 0.2), None
        process = self.start()
        while is_running(process):
            if self.newest() != before:
                started_s = started_s or time.monotonic()
                if time.monotonic() - started_s >= delay_s:
                    kill_family(process)
                    return True
        return False


def is_running(process: subprocess.Popen[bytes]) -> bool:
    """Looks about once a millisecond, and leaves the processor to the worker in between."""
    try:
        process.wait(timeout=0.001)
    except subprocess.TimeoutExpired:
        return True
    return False


def kill_family(process: subprocess.Popen[bytes]) -> None:
    """Kills the process and all that it started: torchrun's workers are in sessions of their own."""
    workers = psutil.Process(process.pid).children(recursive=True)
    for worker in workers:
        worker.kill()
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def check_kills(worker: Worker, expected: bytes, *, kills: int, seed: int) -> None:
    """Kills and resumes so many times, every other time inside a write; every end must have the expected bits."""
    draws = random.Random(seed)
    for number in range(kills):
        kill = worker.kill_inside_a_write if number % 2 == 0 else worker.kill_at_random
        while not kill(draws):
            if worker.weights.exists():
                # It ended before it could be caught: its weights must be right, and another run is begun.
                assert worker.weights.read_bytes() == expected
                worker.weights.unlink()
                shutil.rmtree(worker.folder)
    assert worker.folder.exists()
    assert worker.finish() == expected
    assert worker.newest() == f"step-{STEPS:09d}"
    assert not worker.writes()


def losses(folder: Path) -> list[dict[str, float]]:
    with (folder / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return [{name: float(row[name]) for name in ("epoch", "train_loss", "validation_loss")} for row in rows]


# ---- one process -------------------------------------------------------------------------------------


def test_three_kills_and_the_weights_are_the_same_bits(tmp_path: Path) -> None:
    expected = Worker(tmp_path / "whole").finish()
    check_kills(Worker(tmp_path / "killed"), expected, kills=3, seed=0)
    with (tmp_path / "killed" / "run" / "metrics.csv").open() as stream:
        assert [float(row["epoch"]) for row in csv.DictReader(stream)] == [1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_ten_kills_and_the_weights_are_the_same_bits(tmp_path: Path, seed: int) -> None:
    expected = Worker(tmp_path / "whole").finish()
    check_kills(Worker(tmp_path / "killed"), expected, kills=10, seed=100 + seed)


# ---- two processes -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain_pair(shared_folder: Path) -> Worker:
    """Two processes that trained, undisturbed, the net in which nothing depends on how batches are cut."""
    worker = Worker(shared_folder / "pair", processes=2, plain=True)
    with FileLock(shared_folder / "pair.lock"):
        if not worker.weights.exists():
            worker.finish()
    return worker


def test_two_processes_learn_what_one_does(plain_pair: Worker, tmp_path: Path) -> None:
    alone = Worker(tmp_path, plain=True)
    alone.finish()
    assert len(losses(alone.folder)) == 4
    for one, two in zip(losses(alone.folder), losses(plain_pair.folder), strict=True):
        assert two == pytest.approx(one, rel=1e-4)
    one_weights, two_weights = load_file(alone.weights), load_file(plain_pair.weights)
    for name, value in one_weights.items():
        torch.testing.assert_close(two_weights[name], value, rtol=1e-3, atol=1e-4)


def test_two_processes_killed_together_end_with_the_same_bits(plain_pair: Worker, tmp_path: Path) -> None:
    worker = Worker(tmp_path, processes=2, plain=True)
    check_kills(worker, plain_pair.weights.read_bytes(), kills=1, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_two_processes_killed_often_end_with_the_same_bits(tmp_path: Path, seed: int) -> None:
    expected = Worker(tmp_path / "whole", processes=2).finish()
    check_kills(Worker(tmp_path / "killed", processes=2), expected, kills=6, seed=200 + seed)
