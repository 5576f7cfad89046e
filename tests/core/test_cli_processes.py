"""What several processes of one command tell when they fail."""

from pathlib import Path

import pytest

from core.testing.commands import run_module

WORKER = Path(__file__).with_name("failing_worker.py")


@pytest.mark.parametrize(("first_sleeps_s", "first_fails"), [("1", "yes"), ("60", "no")], ids=["all", "only_another"])
def test_one_process_tells_the_error(first_sleeps_s: str, first_fails: str, tmp_path: Path) -> None:
    """Also where the first is the slower one, and where the first has no error at all."""
    launch = ("--standalone", "--nproc_per_node", "2", WORKER)
    done = run_module("torch.distributed.run", *launch, first_sleeps_s, first_fails, cwd=tmp_path)
    assert done.code != 0
    assert done.stderr.count("Error: The disk is full.") == 1
    assert done.stderr.count("What to do: Make room.") == 1
