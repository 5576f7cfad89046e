"""Changes of a knowledge base on disk: an append-only file, one line a change, that survives a kill at any point."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from core.errors import UserError
from core.files import new_file
from core.retrieval.entry import Entry
from core.texts import Text


@dataclass(frozen=True)
class Change:
    """An entry that was put, or removed.

    Args:
        entry: As it is now; None = removed.
    """

    entry_id: str
    entry: Entry | None


class Journal:
    """The file of changes in a folder, shared by all processes that open it.

    A line is `checksum {"put": entry}` or `checksum {"remove": id}` and counts once its end of line is there: what a
    killed process left without one is cut off by the next. A whole line whose checksum is wrong is reported, a
    copy of the file is kept, and the other lines count.
    """

    def __init__(self, folder: Path) -> None:
        self.problems: tuple[Text, ...] = ()
        self.num_lines = 0
        self._file = folder / "journal.jsonl"
        self._lock = folder / "journal.lock"
        self._read = 0
        self._last_line = b""
        self._seen = (0, 0, 0)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                if not self._file.exists():
                    with new_file(self._file) as aside:
                        aside.touch()
        except OSError as error:
            raise _unwritable(folder, error) from None

    def has_news(self) -> bool:
        """Whether the file holds what was not read yet."""
        try:
            return self._stamp() != self._seen
        except OSError:  # the folder is gone: what was read stays in effect, and the next change is refused
            return False

    def read_news(self) -> list[Change]:
        """Changes not read yet, in order; after another process has rewritten the file, all of its changes."""
        with self._locked():
            return self._news()

    def append(self, changes: Sequence[Change]) -> list[Change]:
        """Adds changes and returns when they are on disk; gives those that other processes had added before.

        Raises:
            UserError: They could not be written; none of them counts.
        """
        lines = [_line_of(change) for change in changes]
        try:
            with self._locked():
                news = self._news()
                self._write_at_end(lines)
                return news
        except OSError as error:
            raise _unwritable(self._file.parent, error) from None

    def rewrite(self, changes: Sequence[Change]) -> None:
        """Replaces the file by one that holds these changes only, all at once."""
        try:
            with self._locked():
                if self.has_news():  # another process was faster; the next change tries again
                    return
                lines = [_line_of(change) for change in changes]
                with new_file(self._file) as aside:
                    aside.write_bytes(b"".join(lines))
                self._read, self.num_lines = sum(map(len, lines)), len(lines)
                self._last_line, self._seen = lines[-1] if lines else b"", self._stamp()
        except OSError as error:
            raise _unwritable(self._file.parent, error) from None

    def _write_at_end(self, lines: Sequence[bytes]) -> None:
        with self._file.open("r+b") as stream:
            stream.seek(self._read)
            try:
                stream.write(b"".join(lines))
                stream.flush()
                os.fsync(stream.fileno())
            except OSError:
                with suppress(OSError):
                    stream.truncate(self._read)
                raise
        self._read += sum(map(len, lines))
        self.num_lines += len(lines)
        self._last_line, self._seen = lines[-1] if lines else self._last_line, self._stamp()

    def _news(self) -> list[Change]:
        with self._file.open("rb") as stream:
            stream.seek(self._read - len(self._last_line))
            data = stream.read()
            if self._last_line and not data.startswith(self._last_line):  # another process has rewritten the file
                self._read, self.num_lines, self._last_line = 0, 0, b""
                stream.seek(0)
                data = stream.read()
        data = data[len(self._last_line) :]
        whole = data[: data.rfind(b"\n") + 1]
        changes, damaged = [], []
        for line in whole.splitlines(keepends=True):
            self.num_lines += 1
            self._last_line = line
            change = _change_of(line[:-1])
            if change is None:
                damaged.append(self.num_lines)
            else:
                changes.append(change)
        self._read += len(whole)
        if len(whole) < len(data):  # a writer was killed: a living one would hold the lock
            os.truncate(self._file, self._read)
        self._seen = self._stamp()
        if damaged:
            self._report(damaged)
        return changes

    def _stamp(self) -> tuple[int, int, int]:
        """What changes when the file does."""
        facts = self._file.stat()
        return facts.st_ino, facts.st_size, facts.st_mtime_ns

    def _report(self, damaged: Sequence[int]) -> None:
        """Keeps a copy, as the next compaction drops the damaged lines."""
        content = self._file.read_bytes()
        copy = self._file.with_name(f"damaged-{hashlib.sha256(content).hexdigest()[:12]}.jsonl")
        if not copy.exists():
            with new_file(copy) as aside:
                aside.write_bytes(content)
        lines = ", ".join(map(str, damaged[:10]))
        self.problems += (
            Text(
                f"{len(damaged)} changes of the knowledge base are damaged and left out (lines {lines}); "
                f"a copy of the file is kept as {copy.name}.",
                f"知识库的 {len(damaged)} 条修改记录已损坏，未被采用（第 {lines} 行）；原文件已另存为 {copy.name}。",
            ),
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Only one process at a time; released by the system when a process is killed."""
        try:
            import fcntl
        except ImportError:  # Windows: one process at a time has to be kept by the one who starts them
            yield
            return
        with self._lock.open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _line_of(change: Change) -> bytes:
    record = {"remove": change.entry_id} if change.entry is None else {"put": change.entry.model_dump()}
    body = json.dumps(record).encode()
    return _checksum(body) + b" " + body + b"\n"


def _change_of(line: bytes) -> Change | None:
    """The change that a line holds; None = it is damaged."""
    checksum, _, body = line.partition(b" ")
    if checksum != _checksum(body):
        return None
    try:
        record = json.loads(body)
        if "remove" in record:
            return Change(str(record["remove"]), None)
        entry = Entry.model_validate(record["put"])
    except (ValueError, KeyError, TypeError, ValidationError):
        return None
    return Change(entry.entry_id, entry)


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:16].encode()


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"Changes of the knowledge base cannot be written to {folder}: {error.strerror or error}.",
        "A folder that can be written, on a disk with space.",
        "Free some space or name another folder, then change the entry again.",
    )
