"""Events of a data set become arrays, batch after batch: columns find their roles, cells become words and numbers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.data.columns import as_word, map_columns
from core.data.event_files import open_events
from core.data.rejected_rows import RejectedRows
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
NONE = -1
SECOND_OF = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""Numbers of at least the first are times of so many a second: nano-, micro-, milliseconds."""
LARGEST_S = 1e11


@dataclass(frozen=True)
class Names:
    """A column of words, each distinct one kept once.

    Args:
        words: Distinct; several may be equal.
        at_E: Which of them each row has; -1 = none.
    """

    words: tuple[str, ...]
    at_E: npt.NDArray[np.int64]

    def only(self, kept_E: npt.NDArray[np.bool_]) -> "Names":
        """Some rows."""
        return Names(self.words, self.at_E[kept_E])


@dataclass(frozen=True)
class EventBatch:
    """Events of one batch.

    Args:
        file: Where they stand.
        user: Names.
        item: Names.
        time: Seconds since 1970 (E,); None = the file has no times.
        event: Names of kinds; None = the file has none.
        value: (E,), nan = none; None = the file has none.
    """

    file: str
    user: Names
    item: Names
    time: npt.NDArray[np.int64] | None
    event: Names | None
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
        given: Column of each role as the user named it; a file that lacks it is guessed.
        notes: What was guessed is added.
        rejected: What cannot be read is added.
        progress: Called with (bytes done, all bytes).

    Raises:
        UserError: A file has no column of users or items, or is damaged.
    """
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        opened = open_events(file, rejected)
        known = {role: name for role in EVENT_SPELLINGS if (name := given.get(role)) in opened.names}
        mapped = map_columns(opened.names, known, EVENT_SPELLINGS)
        notes.extend(f"{file.name}: {note}" for note in mapped.notes)
        for role in NEEDED:
            if role not in mapped.columns:
                raise UserError(
                    f"{file.name} has no column for {role}; it has {', '.join(opened.names)}.",
                    "An event names a user and an item.",
                    f"Name the column: --data.columns.{role} NAME.",
                )
        for batch, read in opened.read(list(mapped.columns.values())):
            yield _as_events(batch, mapped.columns, file.name, rejected)
            progress(done + read, total)
        done += file.stat().st_size
        progress(done, total)


def _as_events(batch: "pa.RecordBatch", columns: Mapping[str, str], name: str, rejected: RejectedRows) -> EventBatch:
    """Roles as arrays, without rows that lack a user, an item, or a time or kind where the file has them."""
    column = {role: batch.column(batch.schema.get_field_index(column)) for role, column in columns.items()}
    names = {role: _names(column[role], name, columns[role]) for role in (*NEEDED, "event") if role in column}
    time = _seconds(column["timestamp"]) if "timestamp" in column else None
    bad = {f"no_{role}": found.at_E == NONE for role, found in names.items()}
    if time is not None:
        bad["unreadable_time"] = np.isnan(time)
    kept = np.ones(batch.num_rows, np.bool_)
    for reason, is_bad in bad.items():
        rows = np.flatnonzero(is_bad & kept)
        rejected.add(name, reason, _lines(batch, rows[: rejected.room]), len(rows))
        kept &= ~is_bad
    value = _numbers(column["value"]) if "value" in column else None
    return EventBatch(
        file=name,
        user=names["user_id"].only(kept),
        item=names["item_id"].only(kept),
        time=None if time is None else time[kept].astype(np.int64),
        event=names["event"].only(kept) if "event" in names else None,
        value=None if value is None else value[kept],
    )


def _names(array: "pa.Array", file: str, column: str) -> Names:
    """Any column as words; an empty cell is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_nested(array.type):
        raise UserError(
            f"Column {column} of {file} holds lists or records.",
            "A user, an item or a kind of event is one word or number a row.",
            "Name another column: --data.columns.ROLE NAME.",
        )
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    words = [as_word(cell) or "" for cell in encoded.dictionary.to_pylist()]
    at_E = pc.fill_null(pc.cast(encoded.indices, pa.int64()), NONE).to_numpy(zero_copy_only=False)
    empty = [place for place, word in enumerate(words) if not word]
    return Names(tuple(words), np.where(np.isin(at_E, empty), NONE, at_E) if empty else at_E)


def _numbers(array: "pa.Array") -> npt.NDArray[np.float64]:
    """Any column as numbers, nan where there is none."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        found: npt.NDArray[np.float64] = pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found = pd.to_numeric(array.to_pandas().astype(str).str.strip(), errors="coerce").to_numpy(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _seconds(array: "pa.Array") -> npt.NDArray[np.float64]:
    """Times in whole seconds, nan where they cannot be read: numbers since 1970 in any usual unit, or dates."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        zone = getattr(array.type, "tz", None)
        whole = pc.cast(pc.cast(array, pa.timestamp("s", zone), safe=False), pa.int64())
        return pc.cast(whole, pa.float64()).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    number_E = _numbers(array)
    for least, parts in SECOND_OF:
        number_E = np.where(np.abs(number_E) >= least, number_E / parts, number_E)
    words = np.flatnonzero(np.isnan(number_E))
    if len(words) and (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        dates = pd.to_datetime(array.take(pa.array(words)).to_pandas(), errors="coerce", utc=True, format="mixed")
        number_E[words] = ((dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy(np.float64)
    number_E = np.floor(number_E)
    return np.where(np.abs(number_E) < LARGEST_S, number_E, np.nan)


def _lines(batch: "pa.RecordBatch", rows: npt.NDArray[np.int64]) -> list[str]:
    import pyarrow as pa

    found = batch.take(pa.array(rows)).to_pylist()
    return [",".join("" if cell is None else str(cell) for cell in row.values()) for row in found]
