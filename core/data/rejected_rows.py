"""Rows of a table that cannot be read: counted by reason, and written aside as they stand."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MAX_KEPT = 100_000
MAX_ROW_LENGTH = 2000


@dataclass
class RejectedRows:
    """How many rows there are of each reason, and the first hundred thousand of them."""

    counts: dict[str, int] = field(default_factory=dict)
    first: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def room(self) -> int:
        """How many more rows are kept."""
        return MAX_KEPT - len(self.first)

    def add(self, file: str, reason: str, rows: Sequence[str], count: int | None = None) -> None:
        """Counts rows, and keeps them while there is room.

        Args:
            file: Where they stand.
            reason: Short code.
            rows: As they stand; may be fewer than `count`.
            count: How many there are; None = as many as `rows`.
        """
        number = len(rows) if count is None else count
        if number:
            self.counts[reason] = self.counts.get(reason, 0) + number
            self.first.extend((file, reason, row[:MAX_ROW_LENGTH]) for row in rows[: self.room])

    def write(self, file: Path) -> None:
        """Writes those that were kept as CSV."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="", errors="replace") as stream:
            writer = csv.writer(stream)
            writer.writerow(("file", "reason", "row"))
            writer.writerows(self.first)
