"""What was found in a data set: rows, rejected files, duplicates, leakage, notes; as a record and as a table."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from core.config import Record

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

MAX_LISTED = 100
FIRST_NAMES = 3


class Rejected(Record):
    """One row or file that is not used, and why."""

    path: str
    """File, relative to the data set, or the row's name."""
    reason: str
    """Short code: corrupt, truncated, too_large, ..."""
    sentence: str
    """The reason in words."""
    rows: int = 1
    """How many rows it stands for."""


class DuplicatePair(Record):
    """Two examples that show the same."""

    first: str
    first_split: str
    second: str
    second_split: str
    bits: int = 0
    """Bits in which the two hashes differ; 0 for exact duplicates."""


class Duplicates(Record):
    """How many pairs there are, and the first of them by name."""

    count: int = 0
    pairs: tuple[DuplicatePair, ...] = ()
    """At most 100."""


class SizeRange(Record):
    """Smallest, median and largest side, in pixels."""

    min_px: int
    median_px: float
    max_px: int


class DataReport(Record):
    """What was found, rejected and suspected in a data set."""

    source: str
    """Folder, file or hub ID."""
    notes: tuple[str, ...] = ()
    """Guesses and choices made while reading."""
    rows: dict[str, dict[str, int]] = {}
    """Examples of each split by label; or other counts of each split, see `counted`."""
    counted: str = "label"
    """What `rows` names: a label, or anything else whose counts do not add up."""
    rejected: tuple[Rejected, ...] = ()
    """Rows and files left out."""
    exact_duplicates_within: Duplicates = Duplicates()
    """Pairs of equal content inside one split."""
    exact_duplicates_across: Duplicates = Duplicates()
    """Pairs of equal content in two splits: leakage."""
    near_duplicates_across: Duplicates = Duplicates()
    """Pairs that look the same in two splits: suspected, not proven."""
    leaked_groups: tuple[str, ...] = ()
    """Groups that stand in more than one split, at most 100."""
    leaked_group_count: int = 0
    """Number of groups that stand in more than one split."""
    imbalance_ratio: float | None = None
    """Examples of the most frequent label over those of the rarest, in training."""
    width: SizeRange | None = None
    height: SizeRange | None = None
    with_mask: dict[str, int] = {}
    """Examples of each split that have a mask."""
    missing_shares: dict[str, float] = {}
    """Share of examples without age, sex, ... for facts that at least one example has."""

    @property
    def has_leakage(self) -> bool:
        """Whether the same group or the same content stands in two splits."""
        return bool(self.leaked_group_count or self.exact_duplicates_across.count)


def count_rows(labels_of: Mapping[str, Iterable[str]]) -> dict[str, dict[str, int]]:
    """Examples of each split by label; every split names every label, sorted, so that zeros show."""
    by_split = {split: list(labels) for split, labels in labels_of.items()}
    names = sorted({label for labels in by_split.values() for label in labels})
    counts = {split: dict.fromkeys(names, 0) for split in by_split}
    for split, labels in by_split.items():
        for label in labels:
            counts[split][label] += 1
    return counts


def render_report(report: DataReport) -> "RenderableType":
    """The report for a terminal of 80 to 100 columns: rows per split and label, then what is wrong, then notes."""
    from rich.console import Group

    lines = [*_problem_lines(report), *_fact_lines(report), *(("", note) for note in report.notes)]
    return Group(_rows_table(report), *(_line(mark, text) for mark, text in lines))


def _rows_table(report: DataReport) -> "Table":
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    title = f"Data: {escape(report.source)}"
    if report.counted != "label":
        return _counts_table(title, report)
    labels = sorted({label for counts in report.rows.values() for label in counts})
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_footer=True)
    table.add_column("label", footer="all", overflow="fold")
    for split, counts in report.rows.items():
        table.add_column(split, justify="right", footer=f"{sum(counts.values()):,}")
    table.add_column("all", justify="right", footer=f"{sum(sum(counts.values()) for counts in report.rows.values()):,}")
    for label in _shown(labels, report):
        cells = [counts.get(label, 0) for counts in report.rows.values()]
        table.add_row(escape(label), *(f"{cell:,}" for cell in cells), f"{sum(cells):,}")
    if len(labels) > MAX_TABLE_LABELS:
        table.add_row(
            f"... {len(labels) - MAX_TABLE_LABELS} more labels", *([""] * (len(report.rows) + 1)), style="dim"
        )
    return table


def _counts_table(title: str, report: DataReport) -> "Table":
    """Counts that do not add up, as they stand."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(report.counted, overflow="fold")
    for split in report.rows:
        table.add_column(split, justify="right")
    for name in dict.fromkeys(name for counts in report.rows.values() for name in counts):
        table.add_row(escape(name), *(f"{counts.get(name, 0):,}" for counts in report.rows.values()))
    return table


MAX_TABLE_LABELS = 30


def _shown(labels: list[str], report: DataReport) -> list[str]:
    """All labels, or of very many the most frequent."""
    if len(labels) <= MAX_TABLE_LABELS:
        return labels
    total = {label: sum(counts.get(label, 0) for counts in report.rows.values()) for label in labels}
    return sorted(sorted(labels, key=lambda label: (-total[label], label))[:MAX_TABLE_LABELS])


Mark = Literal["error", "warning", ""]


def _problem_lines(report: DataReport) -> list[tuple[Mark, str]]:
    lines: list[tuple[Mark, str]] = []
    for reason in sorted({item.reason for item in report.rejected}):
        items = [item for item in report.rejected if item.reason == reason]
        count = sum(item.rows for item in items)
        names = items[0].sentence if count > 1 == len(items) else _first([item.path for item in items], count)
        lines.append(("warning", f"rejected, {reason}: {count:,} ({names.rstrip('.')})"))
    if report.leaked_group_count:
        names = _first(list(report.leaked_groups), report.leaked_group_count)
        lines.append(("error", f"groups in two splits: {report.leaked_group_count:,} ({names})"))
    for mark, what, found in (
        ("error", "same content in two splits", report.exact_duplicates_across),
        ("warning", "look alike in two splits", report.near_duplicates_across),
        ("", "same content twice in one split", report.exact_duplicates_within),
    ):
        if found.count:
            names = _first([f"{pair.first} = {pair.second}" for pair in found.pairs], found.count)
            lines.append((mark, f"{what}: {found.count:,} pairs ({names})"))  # type: ignore[arg-type]
    return lines


def _fact_lines(report: DataReport) -> list[tuple[Mark, str]]:
    lines: list[tuple[Mark, str]] = []
    if report.width and report.height:
        sides = [f"{side.min_px} / {side.median_px:g} / {side.max_px}" for side in (report.width, report.height)]
        lines.append(("", f"width {sides[0]}, height {sides[1]} px (smallest / median / largest)"))
    if report.imbalance_ratio and report.imbalance_ratio > 1.5:
        lines.append(("", f"the most frequent label has {report.imbalance_ratio:.1f} times the examples of the rarest"))
    if any(report.with_mask.values()):
        lines.append(
            ("", "with a mask: " + ", ".join(f"{split} {count:,}" for split, count in report.with_mask.items()))
        )
    if report.missing_shares:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in report.missing_shares.items())
        lines.append(("", f"missing: {shares}"))
    return lines


def _first(names: list[str], count: int | None = None) -> str:
    more = (count or len(names)) - FIRST_NAMES
    return ", ".join(names[:FIRST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _line(mark: str, text: str) -> "RenderableType":
    from rich.padding import Padding
    from rich.text import Text

    style = {"error": "bold red", "warning": "yellow"}.get(mark, "")
    return Padding(Text(f"{'! ' if mark else '- '}{text}", style=style), (0, 0, 0, 1))
