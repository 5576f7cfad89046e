"""Events of a data set become numbers, batch after batch, so that a log of any length is read in bounded memory."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.data.columns import map_columns
from core.data.interaction_files import COLUMNS_1M, COLUMNS_100K, OLD_SUFFIXES
from core.data.tables import DELIMITERS
from core.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

EVENT_SPELLINGS: dict[str, tuple[str, ...]] = {
    "user_id": ("user_id", "userid", "customer_id", "visitor_id", "visitorid", "session_id", "reviewer_id", "user"),
    "item_id": ("item_id", "itemid", "movie_id", "movieid", "product_id", "productid", "sku", "asin", "item"),
    "timestamp": ("timestamp", "time", "ts", "event_time", "datetime", "date", "created_at", "unixreviewtime"),
    "event": ("event", "event_type", "kind", "action", "behavior", "behaviour", "type"),
    "value": ("value", "rating", "score", "stars", "overall"),
}
"""Common spellings of each role in a table of events, the best first."""
NEEDED = ("user_id", "item_id")
BLOCK_BYTES = 16 << 20
LINES = 50_000
KEPT_REJECTED = 1000
MS_FROM, US_FROM = 1e11, 1e14
"""Times of at least so much are milliseconds or microseconds."""
Batch = Mapping[str, "pa.Array"]
Rows = Iterator["pa.RecordBatch"]


@dataclass
class RejectedRows:
    """Rows that cannot be read: how many of each reason, and the first of them as they stand."""

    counts: dict[str, int] = field(default_factory=dict)
    first: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, file: str, reason: str, rows: Sequence[str], count: int | None = None) -> None:
        """Counts rows, and keeps the first of them."""
        number = len(rows) if count is None else count
        if number:
            self.counts[reason] = self.counts.get(reason, 0) + number
            self.first.extend((file, reason, row) for row in rows[: max(0, KEPT_REJECTED - len(self.first))])

    def write(self, file: Path) -> None:
        """Writes those that were kept as CSV."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("file", "reason", "row"))
            writer.writerows(self.first)


@dataclass(frozen=True)
class EventBatch:
    """Events of one batch: names of users and items as they stand, the rest as numbers.

    Args:
        user: Names.
        item: Names.
        time: Seconds since 1970 (E,); None = the file has no times.
        event: Names of kinds; None = the file has none.
        value: (E,), nan = none; None = the file has none.
    """

    user: "pa.Array"
    item: "pa.Array"
    time: npt.NDArray[np.int64] | None
    event: "pa.Array | None"
    value: npt.NDArray[np.float64] | None


def read_event_batches(
    files: Sequence[Path],
    given: Mapping[str, str | None],
    notes: list[str],
    rejected: RejectedRows,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Iterator[EventBatch]:
    """The events of all files.

    Args:
        files: CSV, TSV, JSONL, Parquet, or the old MovieLens forms.
        given: Column of each role as the user named it.
        notes: What was guessed is added.
        rejected: What cannot be read is added.
        progress: Called with (bytes done, all bytes).

    Raises:
        UserError: A file has no column of users or items, or is damaged.
    """
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        names, batches = _open(file, rejected)
        mapped = map_columns(names, {role: given.get(role) for role in EVENT_SPELLINGS}, EVENT_SPELLINGS)
        notes.extend(f"{file.name}: {note}" for note in mapped.notes)
        for role in NEEDED:
            if role not in mapped.columns:
                raise UserError(
                    f"{file.name} has no column for {role}; it has {', '.join(names)}.",
                    "An event names a user and an item.",
                    f"Name the column: --data.columns.{role} NAME.",
                )
        size, read = file.stat().st_size, 0
        for batch in batches:
            yield _as_events(batch, mapped.columns, file.name, rejected)
            read += batch.nbytes
            progress(done + min(size, read), total)
        done += size
        progress(done, total)


def _as_events(batch: "pa.RecordBatch", columns: Mapping[str, str], name: str, rejected: RejectedRows) -> EventBatch:
    """Roles as arrays, without rows that lack a user, an item, or a readable time where there are times."""
    import pyarrow.compute as pc

    text = {role: _as_text(batch.column(batch.schema.get_field_index(column))) for role, column in columns.items()}
    bad = {f"no_{role}": pc.equal(pc.fill_null(text[role], ""), "").to_numpy(zero_copy_only=False) for role in NEEDED}
    time = _seconds(text["timestamp"]) if "timestamp" in text else None
    if time is not None:
        bad["unreadable_time"] = np.isnan(time)
    kept = np.ones(batch.num_rows, np.bool_)
    for reason, is_bad in bad.items():
        rows = np.flatnonzero(is_bad & kept)
        rejected.add(name, reason, [_line(batch, int(row)) for row in rows[:KEPT_REJECTED]], len(rows))
        kept &= ~is_bad
    chosen = {role: array.filter(kept) for role, array in text.items()}
    return EventBatch(
        user=chosen["user_id"],
        item=chosen["item_id"],
        time=None if time is None else time[kept].astype(np.int64),
        event=chosen.get("event"),
        value=_numbers(chosen["value"]) if "value" in chosen else None,
    )


def _as_text(array: "pa.Array") -> "pa.Array":
    """Any column as text; whole numbers that were stored as fractions lose their `.0`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type):
        array = pc.cast(pc.cast(array, pa.timestamp("s"), safe=False), pa.int64())
    if pa.types.is_floating(array.type):
        text = pc.cast(array, pa.string())
        return pc.replace_substring_regex(text, r"\.0$", "")
    return pc.utf8_trim_whitespace(pc.cast(array, pa.string()))


def _numbers(text: "pa.Array") -> npt.NDArray[np.float64]:
    import pandas as pd

    numbers: npt.NDArray[np.float64] = pd.to_numeric(text.to_pandas(), errors="coerce").to_numpy(np.float64)
    return numbers


def _seconds(text: "pa.Array") -> npt.NDArray[np.float64]:
    """Times in seconds, nan where they cannot be read: numbers since 1970 in any usual unit, or dates."""
    import pandas as pd

    number = _numbers(text)
    if len(number) and np.isnan(number).mean() > 0.5:
        dates = pd.to_datetime(text.to_pandas(), errors="coerce", utc=True, format="mixed")
        seconds = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
        found: npt.NDArray[np.float64] = seconds.to_numpy(np.float64)
        return found
    size = np.nanmedian(number) if len(number) and not np.isnan(number).all() else 0.0
    whole: npt.NDArray[np.float64] = np.floor(number / (1e6 if size >= US_FROM else 1e3 if size >= MS_FROM else 1.0))
    return whole


def _line(batch: "pa.RecordBatch", row: int) -> str:
    return ",".join("" if cell is None else str(cell) for cell in batch.slice(row, 1).to_pylist()[0].values())


# ---- one kind of file each -----------------------------------------------------------------------


def _open(file: Path, rejected: RejectedRows) -> tuple[list[str], Rows]:
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        return _open_parquet(file)
    if suffix in (".jsonl", ".ndjson", ".json"):
        return _open_json(file, rejected)
    if suffix in OLD_SUFFIXES:
        names = COLUMNS_1M["ratings.dat"] if suffix == ".dat" else COLUMNS_100K
        return list(names), _split_lines(file, list(names), "::" if suffix == ".dat" else "\t", rejected)
    return _open_csv(file, rejected)


def _open_parquet(file: Path) -> tuple[list[str], Rows]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"{file} is not a readable Parquet file: {error}", "A Parquet file.", "Write it again."
        ) from None
    return list(opened.schema_arrow.names), opened.iter_batches(batch_size=1 << 20)


def _open_csv(file: Path, rejected: RejectedRows) -> tuple[list[str], Rows]:
    import pyarrow as pa
    from pyarrow import csv as arrow

    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        header = stream.readline()
    delimiter = "\t" if file.suffix.lower() == ".tsv" else max(DELIMITERS, key=header.count)
    names = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter), [])
    names = [name.strip() for name in names]
    if not any(names):
        raise UserError(f"{file} is empty.", "A table has a line of column names and at least one row.", "Fill it.")

    def skip(row: Any) -> str:
        rejected.add(file.name, "wrong_number_of_cells", [row.text or ""])
        return "skip"

    try:
        reader = arrow.open_csv(
            file,
            arrow.ReadOptions(column_names=names, skip_rows=1, block_size=BLOCK_BYTES),
            arrow.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
            arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), check_utf8=False),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return names, iter(())
        raise UserError(f"{file} is not a regular table: {error}", "A CSV table.", "Correct it.") from None
    return names, iter(reader)


def _open_json(file: Path, rejected: RejectedRows) -> tuple[list[str], Rows]:
    with file.open(encoding="utf-8-sig") as stream:
        first = next((line for line in stream if line.strip()), "{}")
    try:
        row = json.loads(first)
    except json.JSONDecodeError:
        row = None
    if not isinstance(row, dict):
        raise UserError(
            f"{file} does not hold one JSON object a line.",
            "JSON lines: an event a line.",
            "Convert it to JSONL or CSV.",
        )
    return list(row), _parse_lines(file, list(row), rejected)


def _parse_lines(file: Path, names: list[str], rejected: RejectedRows) -> Rows:
    import pyarrow as pa

    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        while lines := list(islice(stream, LINES)):
            columns: dict[str, list[str | None]] = {name: [] for name in names}
            for line in lines:
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    cells = [row.get(name) for name in names]
                except (json.JSONDecodeError, AttributeError):
                    rejected.add(file.name, "not_json", [line.rstrip()[:500]])
                    continue
                for name, cell in zip(names, cells, strict=True):
                    columns[name].append(None if cell is None else str(cell))
            yield pa.RecordBatch.from_pydict({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def _split_lines(file: Path, names: list[str], delimiter: str, rejected: RejectedRows) -> Rows:
    import pyarrow as pa

    with file.open(encoding="latin-1") as stream:
        while lines := list(islice(stream, LINES)):
            rows = [line.rstrip("\r\n").split(delimiter) for line in lines if line.strip()]
            bad = [delimiter.join(row) for row in rows if len(row) != len(names)]
            rejected.add(file.name, "wrong_number_of_cells", bad)
            good = [row for row in rows if len(row) == len(names)]
            columns = zip(*good, strict=True) if good else [()] * len(names)
            yield pa.RecordBatch.from_pydict(
                {name: pa.array(list(cells), pa.string()) for name, cells in zip(names, columns, strict=True)}
            )
