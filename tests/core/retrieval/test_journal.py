"""Changes on disk: whole, in order, whatever happened to the writer."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UserError
from core.retrieval.journal import Change, Journal
from core.retrieval.knowledge_base import KnowledgeBase

from .toy_encoder import SHOP, entry

ROOT = Path(__file__).resolve().parents[3]
WRITER = """
import sys
from pathlib import Path
from core.retrieval.entry import Entry
from core.retrieval.journal import Journal
from core.retrieval.knowledge_base import KnowledgeBase
base = KnowledgeBase([], Journal(Path(sys.argv[1])))
for number in range(int(sys.argv[2]), 10**6):
    base.put(Entry(entry_id=f"n{number % 1500}", question=f"question {number}", answer=str(number)))
    print(number, flush=True)
"""


def put(number: int) -> Change:
    return Change(f"n{number}", entry(f"n{number}", f"question {number}"))


def test_changes_are_read_back_in_order(tmp_path: Path) -> None:
    changes = [put(1), put(2), Change("n1", None)]
    Journal(tmp_path).append(changes)
    assert Journal(tmp_path).read_news() == changes


def test_a_torn_last_line_is_dropped_and_written_over(tmp_path: Path) -> None:
    Journal(tmp_path).append([put(1), Change("n2", entry("n2", "longer than what is written over it"))])
    file = tmp_path / "journal.jsonl"
    whole = file.read_bytes()
    for length in range(whole.index(b"\n") + 1, len(whole)):
        file.write_bytes(whole[:length])
        journal = Journal(tmp_path)
        assert journal.read_news() == [put(1)]
        assert journal.problems == ()
    Journal(tmp_path).append([put(3)])
    assert Journal(tmp_path).read_news() == [put(1), put(3)]


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"\x00" * 8, b"{}"])
def test_a_damaged_line_is_reported_and_the_others_count(tmp_path: Path, damage: bytes) -> None:
    Journal(tmp_path).append([put(1), put(2), put(3)])
    file = tmp_path / "journal.jsonl"
    lines = file.read_bytes().split(b"\n")
    lines[1] = damage + lines[1][len(damage) :]
    file.write_bytes(b"\n".join(lines))
    base = KnowledgeBase([], Journal(tmp_path))
    assert [shown.entry_id for shown in base.entries()] == ["n1", "n3"]
    assert "lines 2" in base.problems[0].en
    assert len(list(tmp_path.glob("damaged-*.jsonl"))) == 1


def test_many_changes_of_one_entry_do_not_pile_up(tmp_path: Path) -> None:
    Journal(tmp_path).append([put(1)] * 1200)
    base, other = (KnowledgeBase(SHOP, Journal(tmp_path)) for _ in range(2))
    base.remove("ship")
    base.put(entry("n1", "last"))
    assert (tmp_path / "journal.jsonl").stat().st_size < 2000
    for reader in (base, other, KnowledgeBase(SHOP, Journal(tmp_path))):
        assert reader.get("ship") is None
        shown = reader.get("n1")
        assert shown is not None
        assert shown.question == "last"


def test_a_folder_that_cannot_be_written_is_an_error_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        Journal(tmp_path / "file" / "below")


def test_a_change_that_cannot_be_written_has_no_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = KnowledgeBase(SHOP, Journal(tmp_path))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(UserError, match="No space left"):
            base.put(entry("gift", "Do you wrap gifts?"))
    assert base.get("gift") is None
    base.put(entry("hours", "Opening hours"))
    again = KnowledgeBase(SHOP, Journal(tmp_path))
    assert again.get("gift") is None
    assert again.get("hours") is not None


def test_a_killed_writer_leaves_what_it_acknowledged(tmp_path: Path) -> None:
    """Killed again and again at other moments, compactions among them."""
    Journal(tmp_path).append([put(number % 3 + 2000) for number in range(995)])
    begin = 0
    for wanted in (1, 7, 18, 3, 30):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(begin)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(wanted):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        acknowledged = [begin + wanted - 1, *map(int, writer.stdout.read().split())][-1]
        writer.wait()
        writer.stdout.close()
        base = KnowledgeBase([], Journal(tmp_path))
        assert base.problems == ()
        numbers = sorted(int(shown.answer) for shown in base.entries() if shown.answer.isdigit())
        assert numbers in (list(range(acknowledged + 1)), list(range(acknowledged + 2)))
        assert len(base) == len(numbers) + 3
        begin = numbers[-1] + 1
