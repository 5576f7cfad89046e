"""A table file becomes a pandas table: CSV, TSV, JSON lines, JSON, Parquet."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"})
DELIMITERS = ",\t;|"


def is_table(path: Path) -> bool:
    """Whether the name ends as a table's does."""
    return path.suffix.lower() in TABLE_SUFFIXES


def read_table(path: Path) -> "pd.DataFrame":
    """Reads a table; text stays text, so that ids keep their leading zeros.

    CSV cells are all text and an empty cell is an empty text. JSON and Parquet keep their types.

    Args:
        path: .csv, .tsv (delimiter found by itself), .jsonl, .ndjson, .json (a list of objects) or .parquet.

    Raises:
        UserError: The file is missing, empty, not UTF-8 (names the line), or damaged (names the line).
    """
    if not path.is_file():
        raise UserError(
            f"There is no file {path}.", "A table is a CSV, TSV, JSON lines, JSON or Parquet file.", "Correct the path."
        )
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise UserError(
            f"{path} is not a table.", f"Tables end in {', '.join(sorted(TABLE_SUFFIXES))}.", "Convert it to CSV."
        )
    if suffix == ".parquet":
        return _read_parquet(path)
    text = read_utf8(path)
    if not text.strip():
        raise UserError(
            f"{path} is empty.", "A table has a line of column names and at least one row.", "Fill it or remove it."
        )
    table = _read_csv(path, text) if suffix in (".csv", ".tsv") else _read_json(path, text)
    if table.empty:
        raise UserError(f"{path} holds no rows.", "A table has at least one row.", "Fill it or remove it.")
    return table


def read_utf8(path: Path) -> str:
    """Reads text in UTF-8, with or without byte order mark; UserError names the first line that is not."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        line = 1 if utf16 else data.count(b"\n", 0, error.start) + 1
        guess = "UTF-16" if utf16 else "GB18030" if _decodes(data, "gb18030") else "CP1252"
        raise UserError(
            f"{path} is not UTF-8 (line {line}).",
            "Text files are read as UTF-8.",
            f"Convert it, if it is {guess}: iconv -f {guess} -t UTF-8 {path.name} > utf8.csv; or save it as CSV UTF-8.",
        ) from None


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _read_csv(path: Path, text: str) -> "pd.DataFrame":
    import io

    import pandas as pd

    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UserError(f"{path} holds a zero byte (line {line}).", "A CSV file is plain text.", "Export it again.")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else sniff_delimiter(text)
    try:
        table = pd.read_csv(
            io.StringIO(text, newline=""), sep=delimiter, dtype=str, keep_default_na=False, index_col=False
        )
    except (pd.errors.ParserError, csv.Error) as error:
        raise UserError(
            f"{path} is not a regular table: {error}".strip(),
            "Every row has as many cells as the header.",
            "Correct that line.",
        ) from None
    return table.rename(columns=lambda name: str(name).strip())


def sniff_delimiter(text: str) -> str:
    """The delimiter of a CSV text: the one most frequent in its header, outside quotes; a comma if there is none."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=unquoted.count)


def _read_json(path: Path, text: str) -> "pd.DataFrame":
    import pandas as pd

    rows = _json_rows(path, text)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise UserError(
                f"{path}: entry {number} is a {type(row).__name__}.",
                "Each entry is an object of column to value.",
                "Correct it.",
            )
    return pd.DataFrame(rows, dtype=object)


def _json_rows(path: Path, text: str) -> list[Any]:
    number = 0
    try:
        if path.suffix.lower() == ".json":
            rows = json.loads(text)
            if not isinstance(rows, list):
                raise UserError(
                    f"{path} holds one {type(rows).__name__}.",
                    "A JSON table is a list of objects.",
                    "Wrap it in a list.",
                )
            return rows
        lines = text.split("\n")
        rows = []
        for line in lines:
            number += 1
            if line.strip():
                rows.append(json.loads(line))
        return rows
    except json.JSONDecodeError as error:
        line_number = error.lineno if path.suffix.lower() == ".json" else number
        raise UserError(
            f"{path}: line {line_number} is not JSON ({error.msg}).",
            "One JSON object a line, or one list.",
            "Correct that line.",
        ) from None


def _read_parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"{path} is not a readable Parquet file: {error}", "Parquet files are read whole.", "Write it again."
        ) from None
