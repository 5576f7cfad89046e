"""A CSV table of any length is read block after block; a line that breaks the table costs that line and no other.

A streaming CSV parser takes an opening quote that is never closed for the beginning of a cell that lasts to the end of
the file. So blocks are cut at the ends of lines, and lines with an odd number of quotes are looked at before they are
parsed: those that together make one row, a cell of which has several lines, are joined; the others are left out.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core.data.rejected_rows import RejectedRows

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_BYTES = 16 << 20
MAX_LINES = 200
"""Lines that one row may have."""
BOM = b"\xef\xbb\xbf"
QUOTE = b'"'


def read_blocks(
    file: Path, names: Sequence[str], wanted: Sequence[str], delimiter: str, rejected: RejectedRows
) -> "Iterator[tuple[pa.RecordBatch, int]]":
    """Batches of some columns as text, each with the number of bytes read so far.

    Args:
        file: In UTF-8, its first line being the header.
        names: Of all columns, in order.
        wanted: Of the columns to give.
        delimiter: Between cells.
        rejected: Rows that cannot be read are added.
    """
    with file.open("rb") as stream:
        done = len(stream.readline())
        for block in _blocks(stream):
            done += len(block)
            clean = _as_text(block, file.name, rejected)
            if QUOTE in clean:
                clean = _close_quotes(clean, len(names), delimiter, file.name, rejected)
            if clean.strip():
                for batch in _parse(clean, names, wanted, delimiter, file.name, rejected):
                    yield batch, done


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Pieces of a file that end at the end of a line."""
    rest = b""
    while piece := stream.read(BLOCK_BYTES):
        end = piece.rfind(b"\n") + 1
        if not end:
            rest += piece
            continue
        yield rest + piece[:end]
        rest = piece[end:]
    if rest:
        yield rest


def _as_text(block: bytes, name: str, rejected: RejectedRows) -> bytes:
    """The block without lines that are not UTF-8."""
    if _is_text(block):
        return block
    lines = block.splitlines(keepends=True)
    bad = [line.decode("utf-8", "replace").rstrip("\r\n") for line in lines if not _is_text(line)]
    rejected.add(name, "not_utf8", bad)
    return b"".join(line for line in lines if _is_text(line))


def _is_text(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _close_quotes(block: bytes, cells: int, delimiter: str, name: str, rejected: RejectedRows) -> bytes:
    """Joins the lines of one row, and leaves out lines whose quote is never closed."""
    lines = block.split(b"\n")
    odd = [at for at, line in enumerate(lines) if line.count(QUOTE) % 2]
    if not odd:
        return block
    gone: set[int] = set()
    bad: list[str] = []
    while odd:
        first = odd.pop(0)
        last = odd[0] if odd and odd[0] - first < MAX_LINES else first
        joined = b" ".join(line.rstrip(b"\r") for line in lines[first : last + 1])
        if last > first and _is_row(joined.decode("utf-8"), cells, delimiter):
            lines[first] = joined
            gone.update(range(first + 1, last + 1))
            odd.pop(0)
        else:
            bad.append(lines[first].decode("utf-8").rstrip("\r"))
            gone.add(first)
    rejected.add(name, "unclosed_quote", bad)
    return b"\n".join(line for at, line in enumerate(lines) if at not in gone)


def _is_row(line: str, cells: int, delimiter: str) -> bool:
    try:
        return [len(row) for row in csv.reader([line], delimiter=delimiter, strict=True)] == [cells]
    except csv.Error:
        return False


def _parse(
    block: bytes, names: Sequence[str], wanted: Sequence[str], delimiter: str, name: str, rejected: RejectedRows
) -> "list[pa.RecordBatch]":
    import pyarrow as pa
    from pyarrow import csv as arrow

    def skip(row: Any) -> str:
        text = row.text or ""
        rejected.add(name, "wrong_number_of_cells", [text], text.count("\n") + 1)
        return "skip"

    table = arrow.read_csv(
        pa.BufferReader(block),
        arrow.ReadOptions(column_names=list(names), block_size=len(block) + 1, use_threads=False),
        arrow.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
        arrow.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=list(wanted),
            strings_can_be_null=False,
        ),
    )
    found: list[pa.RecordBatch] = table.to_batches()
    return found
