"""What an evaluation found: headline figures with intervals, tables, and the data of its plots."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.evaluation.uncertainty import Estimate

Cell = str | int | float | Estimate | None
"""One field of a table; None where a figure is not defined."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns.

    Args:
        columns: Names in lower snake case.
        rows: One cell a column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), "one cell a column"

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells of one column, from the top."""
        return tuple(row[self.columns.index(name)] for row in self.rows)

    def as_text(self) -> list[tuple[str, ...]]:
        """Rows for a terminal."""
        return [tuple(_shown(cell) for cell in row) for row in self.rows]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; undefined figures are null."""
        return {"columns": list(self.columns), "rows": [[plain(cell) for cell in row] for row in self.rows]}


@dataclass(frozen=True)
class Evaluation:
    """The result of one evaluation on one split.

    Args:
        metrics: Headline figures in lower snake case; undefined ones are absent.
        tables: Named tables, such as per_label, decisions or by_sex.
        curves: What `plots.draw_curves` draws: plot name to named arrays, small enough for a JSON file.
    """

    metrics: Mapping[str, Estimate]
    tables: Mapping[str, Table] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def joined(self, other: "Evaluation") -> "Evaluation":
        """Both as one; what the other calls by the same name takes the place of what was there."""
        return Evaluation(
            {**self.metrics, **other.metrics}, {**self.tables, **other.tables}, {**self.curves, **other.curves}
        )

    def to_json(self) -> dict[str, Any]:
        """All of it, JSON-ready; nothing in it is NaN."""
        return {
            "metrics": {name: metric.to_json() for name, metric in self.metrics.items()},
            "tables": {name: table.to_json() for name, table in self.tables.items()},
            "curves": plain(self.curves),
        }


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def plain(value: Any) -> Any:
    """Arrays, numpy scalars, estimates and mappings as JSON knows them; what is not finite becomes None."""
    if isinstance(value, Estimate):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
