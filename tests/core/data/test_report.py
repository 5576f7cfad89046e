"""The report fits a narrow terminal, shows totals and what is wrong, and survives JSON."""

import io

import pytest
from rich.console import Console

from core.data.report import DataReport, DuplicatePair, Duplicates, Rejected, SizeRange, count_rows, render_report

PAIR = DuplicatePair(first="train/a.jpg", first_split="train", second="test/b.jpg", second_split="test", bits=2)
REPORT = DataReport(
    source="/data/[set]",
    notes=("column dx is read as label",),
    rows={
        "train": {"nevus [mole]": 1200, "痣": 30},
        "validation": {"nevus [mole]": 20, "痣": 5},
        "test": {"nevus [mole]": 0, "痣": 5},
    },
    rejected=tuple(Rejected(path=f"bad_{n}.jpg", reason="corrupt", sentence="Damaged.") for n in range(5)),
    near_duplicates_across=Duplicates(count=1, pairs=(PAIR,)),
    exact_duplicates_across=Duplicates(count=1, pairs=(PAIR,)),
    leaked_groups=("p1",),
    leaked_group_count=1,
    imbalance_ratio=40.0,
    width=SizeRange(min_px=10, median_px=20, max_px=30),
    height=SizeRange(min_px=10, median_px=20, max_px=30),
    with_mask={"train": 3, "validation": 0, "test": 0},
    missing_shares={"age": 0.25},
)  # fmt: skip


def shown(report: DataReport, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(render_report(report))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.parametrize("width", [80, 100])
def test_render_report_shows_counts_and_problems(width: int) -> None:
    text = shown(REPORT, width)
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    for part in (
        "/data/[set]", "nevus [mole]", "1,230", "1,260", "rejected, corrupt: 5",
        "bad_0.jpg, bad_1.jpg, bad_2.jpg and 2 more",
        "groups in two splits: 1 (p1)", "same content in two splits: 1", "look alike in two splits: 1", "40.0 times",
        "train 3, validation 0", "age 25%", "column dx is read as label",
    ):  # fmt: skip
        assert part in flat, part


def test_render_report_of_many_labels_shows_the_most_frequent() -> None:
    rows = {"train": {f"intent_{n:03d}": n + 1 for n in range(150)}}
    text = shown(DataReport(source="x", rows=rows), 80)
    assert "intent_149" in text
    assert "intent_000" not in text
    assert "120 more labels" in text


def test_data_report_survives_json() -> None:
    assert DataReport.model_validate_json(REPORT.model_dump_json()) == REPORT


def test_count_rows_shows_zeros() -> None:
    assert count_rows({"train": ["b", "a", "b"], "test": ["a"]}) == {
        "train": {"a": 1, "b": 2},
        "test": {"a": 1, "b": 0},
    }
