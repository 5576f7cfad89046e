"""Which column of a table plays which role: named by the user, or recognised by its common spellings."""

import difflib
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import UsageError

EMPTY = frozenset({"", "nan", "<na>"})
UNKNOWN = EMPTY | {"none", "null", "na", "n/a", "unknown", "not known", "?", "-"}


@dataclass(frozen=True)
class MappedColumns:
    """Column of each role that was found, and a note for each guess."""

    columns: dict[str, str]
    notes: tuple[str, ...]


def map_columns(
    found: Sequence[str],
    given: Mapping[str, str | None],
    synonyms: Mapping[str, Sequence[str]],
    accepts: Mapping[str, Callable[[str], bool]] | None = None,
) -> MappedColumns:
    """Maps roles to columns: what the user named, else the first common spelling that the table has.

    Case, blanks and hyphens do not matter to a guess. A column plays one role only.

    Args:
        found: Columns of the table.
        given: Role to column, as the user set it; None = guess.
        synonyms: Role to its spellings, the best first.
        accepts: Role to a test that a guessed column must pass (a fold of numbers is no split).

    Raises:
        UsageError: A named column does not exist; names the nearest that do.
    """
    columns = {role: _existing(role, column, found) for role, column in given.items() if column}
    notes = []
    for role, spellings in synonyms.items():
        if role in columns:
            continue
        free = {normalise(column): column for column in reversed(found) if column not in columns.values()}
        test = (accepts or {}).get(role)
        guesses = [free[name] for name in map(normalise, spellings) if name in free and (not test or test(free[name]))]
        if guesses:
            columns[role] = guesses[0]
            if guesses[0] != role:
                notes.append(f"column {guesses[0]} is read as {role}")
    return MappedColumns(columns, tuple(notes))


def normalise(name: str) -> str:
    """A column's name without case, blanks and hyphens."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def as_word(cell: Any) -> str | None:
    """A cell as a word in composed Unicode, or None when it is empty."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    word = unicodedata.normalize("NFC", str(cell)).strip()
    return None if word.casefold() in EMPTY else word


def as_known_word(cell: Any) -> str | None:
    """A cell as a word, or None when it is empty or says that the value is not known."""
    word = as_word(cell)
    return None if word is None or word.casefold() in UNKNOWN else word


def _existing(role: str, column: str, found: Sequence[str]) -> str:
    if column in found:
        return column
    near = difflib.get_close_matches(column, found, n=3, cutoff=0.5)
    raise UsageError(
        f"There is no column `{column}` for {role}.",
        f"Nearest columns: {', '.join(near)}." if near else f"Columns: {', '.join(map(str, found))}.",
        f"Give the right one: --data.columns.{role} NAME.",
    )
