"""A process that is killed while it changes the knowledge of an assistant leaves the old or the new state."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apps.customer_service.assistant import open_assistant
from apps.customer_service.session import Session
from tests.apps.customer_service.tiny_shop import train_shop

ROOT = Path(__file__).resolve().parents[2]
LONG = "x" * 200_000
"""Makes each change take a while to write."""
EDITOR = """
import sys
from pathlib import Path
from apps.customer_service.assistant import open_assistant
from core.retrieval.entry import Entry
knowledge = open_assistant(Path(sys.argv[1]), Path(sys.argv[2])).knowledge
long, begin = "x" * int(sys.argv[3]), int(sys.argv[4])
for number in range(begin, begin + 10**6):
    answer = f"It is {number}. {long}"
    asked = {name: f"What is the {name} of the zeppelin?" for name in ("age", "size")}
    knowledge.put_all([Entry(entry_id=name, question=asked[name], answer=answer) for name in asked])
    if number % 3 == 0:
        knowledge.remove("f4")
    else:
        knowledge.put(Entry(entry_id="f4", question="Which shoe sizes do you have?", answer="All of them."))
    print(number, flush=True)
"""


@pytest.fixture(scope="module")
def tiny_shop(shared_folder: Path) -> Path:
    return train_shop(shared_folder)


def test_killed_editor_leaves_whole_changes_and_an_assistant_that_answers(tiny_shop: Path, tmp_path: Path) -> None:
    draws, last = random.Random(0), 0
    for _ in range(4):
        words = [sys.executable, "-c", EDITOR, str(tiny_shop), str(tmp_path / "changes"), str(len(LONG)), str(last + 1)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        editor = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert editor.stdout is not None
        seen = last
        for _ in range(draws.randrange(1, 12)):
            seen = int(editor.stdout.readline())
        try:
            editor.wait(timeout=draws.uniform(0, 0.02))
        except subprocess.TimeoutExpired:
            editor.send_signal(signal.SIGKILL)
        seen = max([seen, *map(int, editor.stdout.read().split())])
        editor.wait()
        editor.stdout.close()
        last = check_state(tiny_shop, tmp_path / "changes", seen)


def check_state(run: Path, changes: Path, acknowledged: int) -> int:
    """AssertionError unless all that was acknowledged is there, and nothing is there in part; gives the last change."""
    assistant = open_assistant(run, changes)
    assert assistant.knowledge.problems == ()
    age, size = (assistant.knowledge.get(name) for name in ("age", "size"))
    assert age is not None
    assert size is not None
    assert age.answer == size.answer, "two entries that were changed together are not of one change"
    number = int(age.answer.removeprefix("It is ").split(".")[0])
    assert number in (acknowledged, acknowledged + 1)
    if number == acknowledged:
        assert (assistant.knowledge.get("f4") is None) is (number % 3 == 0)
    reply, _ = assistant.dialogue.reply(Session(), "What is the age of the zeppelin?")
    assert reply.retrieval is not None
    assert reply.retrieval.hits[0].entry == age
    reply, _ = assistant.dialogue.reply(Session(), "where is my parcel")
    assert reply.sources[0].entry_id == "f1", "the entries of the bundle are still there"
    return number
