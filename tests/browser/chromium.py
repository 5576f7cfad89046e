"""A served page and a Chromium to look at it with, for browser tests and screenshots."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
START_S = 60


def find_chromium() -> str | None:
    """The path of a Chromium that is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def serve_page(run: Path, store: Path, app: str = "medical_imaging") -> Iterator[str]:
    """The address of an app's page, served by the command that users type."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", f"apps.{app}.demo", str(run), "--port", str(port), "--store", str(store)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            yield _wait(process, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(20)


def start_chromium(playwright: Playwright) -> Browser:
    """The installed Chromium without a window; each `new_context` of it is a fresh browser."""
    chromium = find_chromium()
    assert chromium, "no Chromium"
    return playwright.chromium.launch(executable_path=chromium, args=FLAGS)


def _wait(process: subprocess.Popen[str], url: str) -> str:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).read(1)
            return url
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"The page did not start: {process.stderr.read() if process.stderr else ''}")
