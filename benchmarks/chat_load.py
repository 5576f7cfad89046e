"""One hundred chats at once against the running page for two minutes: errors, turns a second, how long a turn takes.

Starts `python -m apps.customer_service.demo RUN`, then each chat asks one sample question after the other through the
page's `/chat` endpoint, in one session of the page as a browser has, keeping its conversation until a person is asked
for: then a new one begins, so that every turn is judged. A turn ends when the whole reply has arrived.
"""

import argparse
import json
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from apps.customer_service.data import SAMPLE

START_S, TURN_S = 60, 60


@dataclass
class Tally:
    """What happened, over all chats."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, seconds: float, error: str = "") -> None:
        with self.lock:
            self.seconds.append(seconds)
            if error:
                self.errors.append(error)


def read_questions() -> list[str]:
    lines = [line for name in ("en", "zh") for line in (SAMPLE / f"faq_queries_{name}.jsonl").open(encoding="utf-8")]
    return [json.loads(line)["query"] for line in lines]


def take_turn(client: httpx.Client, question: str, conversation: str, session: str) -> tuple[str, str]:
    """Asks one question and gives the conversation to go on with and what went wrong; empty = a new one, nothing."""
    asked = {"data": [question, conversation], "session_hash": session}
    started = client.post("/gradio_api/call/chat", json=asked)
    if started.status_code != httpx.codes.OK:
        return conversation, f"HTTP {started.status_code}"
    event = started.json()["event_id"]
    with client.stream("GET", f"/gradio_api/call/chat/{event}") as answer:
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind == "complete":
                reply = json.loads(line.removeprefix("data: "))[0]
                following = "" if reply["kind"] == "handoff" else reply["conversation_id"]
                return following, "" if reply["answer"] else "empty answer"
            elif line.startswith("data: ") and kind == "error":
                return conversation, f"error: {line}"
    return conversation, "ended without an answer"


def chat(base: str, questions: list[str], number: int, until: float, tally: Tally) -> None:
    random_order = random.Random(number)
    with httpx.Client(base_url=base, timeout=TURN_S) as client:
        conversation = ""
        while time.monotonic() < until:
            started = time.perf_counter()
            try:
                conversation, error = take_turn(client, random_order.choice(questions), conversation, f"chat-{number}")
            except (httpx.HTTPError, ValueError, KeyError) as problem:
                error = f"{type(problem).__name__}: {problem}"
            tally.add(time.perf_counter() - started, error)


def run_chats(base: str, chats: int, seconds: float) -> Tally:
    tally, questions, until = Tally(), read_questions(), time.monotonic() + seconds
    threads = [threading.Thread(target=chat, args=(base, questions, n, until, tally)) for n in range(chats)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def start_page(run: Path, folder: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "apps.customer_service.demo", str(run), "--port", "0"]
    page = subprocess.Popen([*command, "--store", f"{folder}/store.sqlite"], stderr=subprocess.PIPE, text=True)
    assert page.stderr is not None
    for line in page.stderr:
        if line.startswith("Page: "):
            threading.Thread(target=page.stderr.read, daemon=True).start()
            return page, line.removeprefix("Page: ").strip()
    raise SystemExit("the page did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, default=Path("runs/customer_service/latest"))
    parser.add_argument("--chats", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        page, base = start_page(arguments.run, folder)
        try:
            tally = run_chats(base, arguments.chats, arguments.seconds)
        finally:
            page.send_signal(signal.SIGINT)
            page.wait(20)
    times = sorted(tally.seconds)
    p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
    print(
        f"{arguments.chats} chats, {arguments.seconds:.0f} s: {len(times):,} turns, {len(tally.errors)} errors, "
        f"{len(times) / arguments.seconds:.1f} turns/s, median {statistics.median(times) * 1000:.0f} ms, "
        f"p99 {p99 * 1000:.0f} ms"
    )
    for error in sorted(set(tally.errors))[:5]:
        print(f"  {error}")
    sys.exit(1 if tally.errors else 0)


if __name__ == "__main__":
    main()
