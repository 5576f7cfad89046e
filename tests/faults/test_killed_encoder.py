"""A run that is killed while it trains the encoder of its knowledge ends, resumed, with the same files."""

import subprocess
import sys
import time
from pathlib import Path

from core.files import sha256_of
from core.testing.commands import environment
from tests.apps.customer_service.tiny_shop import (
    FAQ_COLUMNS,
    TINY,
    log_of,
    read,
    run_app,
    train_tiny,
    write_faq,
    write_queries,
    write_utterances,
)

LIMIT_S = 120


def test_run_killed_in_the_training_of_its_encoder_ends_the_same(tmp_path: Path) -> None:
    queries = write_queries(tmp_path / "queries.jsonl")
    words = ("--knowledge.path", write_faq(tmp_path / "faq.csv"), *FAQ_COLUMNS, *queries)
    words = (*words, "--train.epochs", "2", "--search.train.epochs", "6", "--search.train.checkpoint_every_steps", "1")
    words = (*words, "--search.train.global_batch_size", "32")
    data = write_utterances(tmp_path / "chats.csv")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_tiny(data, whole, *words)
    kill_in_encoder(killed, [*TINY, "--data", data, "--output-dir", killed, *words])
    assert not (killed / "bundle").exists()
    assert run_app("train", "--resume", killed) == 0
    assert files_of(killed) == files_of(whole)
    assert read(killed, "metrics.json")["retrieval"] == read(whole, "metrics.json")["retrieval"]
    assert read(killed, "metrics.json")["test"] == read(whole, "metrics.json")["test"]
    told = log_of(killed)
    assert told.count("epoch 1/6") == 1, "the encoder began anew instead of going on"


def kill_in_encoder(run: Path, words: list[str | Path]) -> None:
    """Starts a training and kills it when the encoder has left its first checkpoints."""
    command = [sys.executable, "-m", "apps.customer_service.train", "--config", "cpu", *map(str, words)]
    process = subprocess.Popen(
        command, cwd=run.parent, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + LIMIT_S
    try:
        while not sorted((run / "encoder" / "checkpoints").glob("step-*2")):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < end
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()


def files_of(run: Path) -> dict[str, str]:
    """What the bundle holds, without what tells the time of day."""
    bundle = run / "bundle"
    files = {file.relative_to(bundle).as_posix(): file for file in bundle.rglob("*") if file.is_file()}
    timed = {"bundle.json", "metrics.json", "README.md"}
    return {name: sha256_of(file) for name, file in files.items() if name not in timed}
