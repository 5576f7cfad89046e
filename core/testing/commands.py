"""Commands as a user types them, in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

LIMIT_S = 300


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    stdout: str
    stderr: str
    heavy: tuple[str, ...] = ()
    """Heavy packages it imported, where it was probed."""


def environment() -> dict[str, str]:
    """This process's environment, with its import path, so that a subprocess sees the packages that a test sees."""
    path = os.pathsep.join([str(Path(entry).resolve()) for entry in sys.path if entry])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}


def run_module(module: str, *arguments: str | Path, cwd: Path) -> Done:
    """`python -m MODULE ARGUMENTS` to its end."""
    words = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        words, cwd=cwd, env=environment(), capture_output=True, encoding="utf-8", timeout=LIMIT_S, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def probe_module(module: str, *arguments: str | Path, cwd: Path) -> Done:
    """The same, and which heavy packages it imported."""
    report = cwd / "imported.json"
    done = run_module("core.testing.probe", report, module, *arguments, cwd=cwd)
    return Done(done.code, done.stdout, done.stderr, tuple(json.loads(report.read_text(encoding="utf-8"))))


@contextmanager
def running(module: str, *arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; its standard error can be read, and it is ended at the latest with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    watchdog = Timer(LIMIT_S, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def read_until(process: subprocess.Popen[str], start: str) -> str:
    """The first line of its standard error that starts so; AssertionError with all lines if it ends before."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith(start):
            return line.strip()
    raise AssertionError(f"it ended without a line that starts with {start!r}:\n{''.join(lines)}")
