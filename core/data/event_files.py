"""Tables of events are read batch after batch, whatever kind of file they are, so that a log may have any length."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.csv_blocks import read_blocks
from core.data.interaction_files import COLUMNS_1M, COLUMNS_100K, OLD_SUFFIXES
from core.data.rejected_rows import RejectedRows
from core.data.tables import DELIMITERS
from core.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

LINES = 50_000
ROWS = 1 << 20
BUFFER_BYTES = 1 << 20
PEEKED = 1000
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
Batches = Iterator[tuple["pa.RecordBatch", int]]
"""A batch of the wanted columns, and how many bytes of the file are done."""


@dataclass(frozen=True)
class EventFile:
    """A table that is opened.

    Args:
        names: Of its columns.
        read: Gives batches of some of the columns.
    """

    names: tuple[str, ...]
    read: Callable[[Sequence[str]], Batches]


def columns_of(file: Path) -> tuple[str, ...]:
    """Names of the columns of a table, reading no more than its beginning.

    Raises:
        UserError: It is empty or damaged.
    """
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        return tuple(_opened_parquet(file).schema_arrow.names)
    if suffix in JSON_SUFFIXES:
        return _json_columns(file)
    if suffix in OLD_SUFFIXES:
        return COLUMNS_1M["ratings.dat"] if suffix == ".dat" else COLUMNS_100K
    return _csv_columns(file, _delimiter(file))


def open_events(file: Path, rejected: RejectedRows) -> EventFile:
    """Opens a table; rows that cannot be read are added to `rejected` while it is read.

    Raises:
        UserError: It is empty or damaged.
    """
    suffix = file.suffix.lower()
    names = columns_of(file)
    if suffix == ".parquet":
        return EventFile(names, lambda wanted: _read_parquet(file, wanted))
    if suffix in JSON_SUFFIXES:
        return EventFile(names, lambda wanted: _read_json(file, wanted, rejected))
    if suffix in OLD_SUFFIXES:
        return EventFile(names, lambda wanted: _read_old(file, names, wanted, rejected))
    return EventFile(names, lambda wanted: read_blocks(file, names, wanted, _delimiter(file), rejected))


# ---- Parquet -------------------------------------------------------------------------------------


def _opened_parquet(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # By default all that was read of the file stays in memory until it is closed.
        return pq.ParquetFile(file, pre_buffer=False, buffer_size=BUFFER_BYTES)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(file, error) from None


def _read_parquet(file: Path, wanted: Sequence[str]) -> Batches:
    import pyarrow as pa

    opened, size, done = _opened_parquet(file), file.stat().st_size, 0
    try:
        for batch in opened.iter_batches(batch_size=ROWS, columns=list(wanted)):
            done += batch.num_rows
            yield batch, size * done // max(1, opened.metadata.num_rows)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> UserError:
    reason = str(error).strip().split("\n")[0][:200]
    return UserError(f"{file} is not a readable Parquet file: {reason}", "A whole Parquet file.", "Write it again.")


# ---- CSV -----------------------------------------------------------------------------------------


def _header(file: Path) -> str:
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        return stream.readline().rstrip("\r\n")


def _delimiter(file: Path) -> str:
    return "\t" if file.suffix.lower() == ".tsv" else max(DELIMITERS, key=_header(file).count)


def _csv_columns(file: Path, delimiter: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in next(csv.reader([_header(file)], delimiter=delimiter), []))
    if not any(names):
        raise UserError(f"{file} is empty.", "A table has a line of column names and at least one row.", "Fill it.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{file} has two columns called `{twice}`.", "Each column has its own name.", "Rename one.")
    return names


# ---- JSON lines ----------------------------------------------------------------------------------


def _json_columns(file: Path) -> tuple[str, ...]:
    """Keys of the first thousand rows: not every event has every key."""
    names: dict[str, None] = {}
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        for line in islice(stream, PEEKED):
            names |= dict.fromkeys(_json_row(line) or ())
    if not names:
        raise UserError(
            f"{file} does not hold one JSON object a line.",
            "JSON lines: one event a line.",
            "Convert it to JSONL or CSV.",
        )
    return tuple(names)


def _json_row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _read_json(file: Path, wanted: Sequence[str], rejected: RejectedRows) -> Batches:
    import pyarrow as pa

    done = 0
    with file.open("rb") as stream:
        while lines := list(islice(stream, LINES)):
            columns: dict[str, list[str | None]] = {name: [] for name in wanted}
            for line in lines:
                done += len(line)
                text = line.decode("utf-8-sig", "replace").strip()
                row = _json_row(text)
                if row is None:
                    rejected.add(file.name, "not_json", [text] if text else [])
                    continue
                for name, cells in columns.items():
                    cells.append(_json_cell(row.get(name)))
            arrays = [pa.array(cells, pa.string()) for cells in columns.values()]
            yield pa.RecordBatch.from_arrays(arrays, list(columns)), done


def _json_cell(cell: Any) -> str | None:
    if cell is None or isinstance(cell, dict | list):
        return None
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


# ---- MovieLens-1M and -100K ----------------------------------------------------------------------


def _read_old(file: Path, names: Sequence[str], wanted: Sequence[str], rejected: RejectedRows) -> Batches:
    import pyarrow as pa

    delimiter, done = "::" if file.suffix == ".dat" else "\t", 0
    places = [names.index(name) for name in wanted]
    with file.open("rb") as stream:
        while lines := list(islice(stream, LINES)):
            done += sum(map(len, lines))
            texts = [line.decode("latin-1").strip() for line in lines]
            rows = [text.split(delimiter) for text in texts if text]
            rejected.add(
                file.name, "wrong_number_of_cells", [delimiter.join(row) for row in rows if len(row) != len(names)]
            )
            good = [row for row in rows if len(row) == len(names)]
            arrays = [pa.array([row[place] for row in good], pa.string()) for place in places]
            yield pa.RecordBatch.from_arrays(arrays, list(wanted)), done
