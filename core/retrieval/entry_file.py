"""Entries in a file: one JSON object a line."""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from core.errors import UserError
from core.files import new_file
from core.retrieval.entry import Entry


def save_entries(file: Path, entries: Iterable[Entry]) -> None:
    """Writes entries; the file appears only when it is whole."""
    with new_file(file) as aside, aside.open("w", encoding="utf-8") as stream:
        for entry in entries:
            # ASCII, so that half a surrogate pair from a broken source can be written too.
            stream.write(json.dumps(entry.model_dump(exclude_defaults=True)) + "\n")


def load_entries(file: Path) -> list[Entry]:
    """Reads what save_entries wrote.

    Raises:
        UserError: The file cannot be read, or a line is no entry (named).
    """
    entries = []
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}.", "It holds the entries of a knowledge base.") from None
    for number, line in enumerate(lines, 1):
        if line:
            try:
                entries.append(Entry.model_validate(json.loads(line)))
            except (json.JSONDecodeError, ValidationError) as error:
                first = str(error).splitlines()[0]
                raise UserError(
                    f"{file}: line {number} is no entry ({first}).", "One JSON object a line.", "Export it again."
                ) from None
    return entries
