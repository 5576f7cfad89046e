"""Items and events are read alike from any layout, columns find their roles, what is left out is counted."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from core.cli_arguments import split_overrides
from core.config import describe_fields, resolve_config
from core.data.interactions import Interactions, load_interactions
from core.data.report import DataReport, render_report
from core.errors import UsageError, UserError
from tests.core.data.tiny_log import (
    ITEMS,
    START_S,
    config_of,
    events,
    load,
    named,
    read,
    reasons,
    write_lines,
    write_rows,
    write_shop,
)

HEAD = "user_id,item_id,timestamp,event"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_load_interactions_reads_every_kind_of_file_alike(tmp_path: Path, suffix: str) -> None:
    plain = load(write_shop(tmp_path / "plain", events()))
    other = load(write_shop(tmp_path / "other", events(), suffix))
    assert other.fingerprint == plain.fingerprint
    assert other.catalogue.titles[3] == "Item 3"
    assert other.catalogue.prices[3] == 3.5


def test_load_interactions_reads_events_in_several_files(tmp_path: Path) -> None:
    rows = events()
    plain = load(write_shop(tmp_path / "plain", rows))
    numbered = tmp_path / "numbered"
    write_shop(numbered, rows[:20]).joinpath("events.csv").rename(numbered / "events-1.csv")
    write_rows(numbered / "events-2.csv", rows[20:])
    parts = tmp_path / "parts"
    write_rows(parts / "items.csv", ITEMS)
    write_rows(parts / "events" / "day=1" / "part-0.parquet", rows[:30])
    write_rows(parts / "events" / "day=2" / "part-0.jsonl", rows[30:])
    assert load(numbered).fingerprint == load(parts).fingerprint == plain.fingerprint


def test_load_interactions_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = events()
    forward, backward = load(write_shop(tmp_path / "a", rows)), load(write_shop(tmp_path / "b", rows[::-1]))
    assert forward.fingerprint == backward.fingerprint
    assert [example["user"] for example in forward.splits["test"]] == [f"u{n}" for n in range(6)]
    assert any("stood before older ones" in note for note in backward.report.notes)
    assert all((np.diff(example["times"]) >= 0).all() for example in backward.splits["train"])


@pytest.mark.parametrize(
    "when",
    [
        str(START_S),
        f"{START_S}.75",
        f"{START_S}000",
        f"{START_S}000000",
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13:20",
        "2023-11-15T06:13:20+08:00",
    ],
)
def test_read_interactions_reads_times_in_any_usual_form(tmp_path: Path, when: str) -> None:
    assert named(read(write_lines(tmp_path, [HEAD, f"u,i1,{when},click"]))) == [("u", "i1", "click", START_S, 1.0)]


def test_read_interactions_reads_times_of_several_forms_in_one_file(tmp_path: Path) -> None:
    lines = [HEAD, f"u,i1,{START_S},click", "u,i2,2023-11-14T22:13:21Z,click", f"u,i3,{START_S + 2}000,click"]
    assert [when for *_, when, _ in named(read(write_lines(tmp_path, lines)))] == [START_S, START_S + 1, START_S + 2]


def test_read_interactions_of_typed_parquet_keeps_ids_and_times(tmp_path: Path) -> None:
    import pandas as pd

    times = pd.to_datetime([START_S, START_S + 5, START_S + 9], unit="s", utc=True)
    write_rows(tmp_path / "items.parquet", [{"item_id": 10}, {"item_id": 20}])
    rows = {
        "user_id": [7.0, 7.0, None],
        "item_id": [10, 20, 20],
        "timestamp": times,
        "event": pd.Categorical(["Click", "purchase", "click"]),
    }
    pd.DataFrame(rows).to_parquet(tmp_path / "events.parquet")
    found = read(tmp_path)
    assert named(found) == [("7", "10", "click", START_S, 1.0), ("7", "20", "purchase", START_S + 5, 4.0)]
    assert reasons(found) == {"no_user_id": 1}


def test_read_interactions_of_jsonl_takes_keys_that_only_some_rows_have(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"user_id": 5.0, "item_id": "i1", "timestamp": START_S, "event": "browse"},
        {"user_id": 5, "item_id": "i2", "timestamp": START_S + 1, "event": "rating", "value": 2},
    ]
    write_rows(tmp_path / "items.csv", ITEMS)
    write_rows(tmp_path / "events.jsonl", rows)
    assert named(read(tmp_path)) == [("5", "i1", "browse", START_S, 0.5), ("5", "i2", "rating", START_S + 1, -1.0)]


def test_read_interactions_of_unicode_ids_finds_either_form(tmp_path: Path) -> None:
    write_rows(tmp_path / "items.csv", [{"item_id": "caf\u00e9"}, {"item_id": "茶壶"}])
    lines = [HEAD, f"用户,cafe\u0301,{START_S},click", f"用户, 茶壶 ,{START_S},click"]
    (tmp_path / "events.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    assert [item for _, item, *_ in named(read(tmp_path))] == ["caf\u00e9", "茶壶"]


def test_read_interactions_maps_named_columns(tmp_path: Path) -> None:
    write_rows(tmp_path / "items.csv", [{"id": "1", "label": "Pot", "user_id": "x"}, {"id": "2", "label": "Cup"}])
    write_rows(tmp_path / "log.csv", [{"who": "a", "item_id": "1", "sold": START_S}])
    columns = {"item_id": "id", "title": "label", "user_id": "who", "timestamp": "sold"}
    found = read(tmp_path, events="log.csv", columns=columns)
    assert found.catalogue.titles == ("Pot", "Cup")
    assert named(found) == [("a", "1", "click", START_S, 1.0)]


def test_read_interactions_refuses_columns_that_no_table_has(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"(?s)no column `titel` for title.*title.*--data.columns.title"):
        read(write_shop(tmp_path, events()), columns={"title": "titel"})


def test_read_interactions_counts_what_it_leaves_out_and_writes_rows_that_cannot_be_read(tmp_path: Path) -> None:
    good = [f"u,i{n},{START_S + 60 * n},click" for n in range(4)]
    bad = [
        f"u,i1,{START_S}",
        f'u,"i1,{START_S},click',
        f",i1,{START_S},click",
        f"u,,{START_S},click",
        f"u,i1,{START_S},",
        "u,i1,yesterday or so,click",
        f"u,elsewhere,{START_S},click",
        f"u,elsewhere,{START_S},click",
        "u,i1,86400,click",
        "u,i1,99999999999,click",
    ]
    found = read(write_lines(tmp_path, [HEAD, *good[:2], *bad, *good[2:]]))
    assert len(found.log) == 4
    assert reasons(found) == {
        "unknown_item": 2, "impossible_time": 2, "wrong_number_of_cells": 1, "unclosed_quote": 1,
        "no_user_id": 1, "no_item_id": 1, "no_event": 1, "unreadable_time": 1,
    }  # fmt: skip
    written = (tmp_path / "out" / "rejected.csv").read_text(encoding="utf-8").splitlines()
    assert written[0] == "file,reason,row"
    assert len(written) == 1 + 6
    assert any("yesterday or so" in line for line in written)
    assert any("6 rows of events that could not be read stand in" in note for note in found.notes)


def test_read_interactions_of_bad_bytes_and_long_quotes_costs_those_rows_alone(tmp_path: Path) -> None:
    write_rows(tmp_path / "items.csv", ITEMS)
    head = "user_id,item_id,timestamp,comment"
    rows = [f"u{n},i{n % 12},{START_S + n},fine" for n in range(5000)]
    rows[10] = f'u10,i10,{START_S},"two\nlines, and a ""word"""'
    rows[20] = f'u20,i8,{START_S},"never closed'
    rows[4000] = f'u4000,i4,{START_S},"never closed either'
    text = "\n".join([head, *rows]).encode() + b"\nu,i1,1700000000,\xff\xfe\n"
    (tmp_path / "events.csv").write_bytes(text)
    found = read(tmp_path)
    assert reasons(found) == {"unclosed_quote": 2, "not_utf8": 1}
    assert len(found.log) == 4998
    assert "u10" in found.log.users


def test_read_interactions_of_blocks_cut_anywhere_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.data import csv_blocks

    folder = write_shop(tmp_path, events())
    whole = named(read(folder))
    for size in (7, 64, 1000):
        monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", size)
        assert named(read(folder)) == whole


def test_growing_column_gives_back_what_was_appended() -> None:
    from core.data.growing_column import FIRST_BLOCK, GrowingColumn

    column, values = GrowingColumn(np.int32), np.arange(5 * FIRST_BLOCK + 7)
    assert column.take_out().tolist() == []
    for part in np.array_split(values, [0, 1, FIRST_BLOCK, FIRST_BLOCK + 3, 4 * FIRST_BLOCK]):
        column.append(part)
    np.testing.assert_array_equal(column.take_out(), values.astype(np.int32), strict=True)
    column.append(values[:3])
    assert column.take_out().tolist() == [0, 1, 2]


def test_read_interactions_of_broken_json_lines_skips_them(tmp_path: Path) -> None:
    good = '{"user_id": "u", "item_id": "i1", "timestamp": 1700000000}'
    found = read(write_lines(tmp_path, [good, "{broken", "[1, 2]", "", good.replace("i1", "i2")], "events.jsonl"))
    assert len(found.log) == 2
    assert reasons(found) == {"not_json": 2}


def test_read_interactions_of_ratings_tells_likings_from_dislikes(tmp_path: Path) -> None:
    lines = ["userId,itemId,rating,timestamp", *(f"u,i{n},{r},{START_S + n}" for n, r in enumerate((5, 4, 3.5, "")))]
    found = read(write_lines(tmp_path, lines))
    assert [weight for *_, weight in named(found)] == [1.0, 1.0, -1.0]
    assert reasons(found) == {"rating_without_value": 1}
    assert [weight for *_, weight in named(read(tmp_path, positive_rating=3.0))] == [1.0, 1.0, 1.0]


def test_read_interactions_of_unknown_kind_names_the_nearest_or_leaves_it_out(tmp_path: Path) -> None:
    folder = write_lines(tmp_path, [HEAD, f"u,i1,{START_S},purchased", f"u,i2,{START_S},CLICK"])
    with pytest.raises(UserError, match=r"(?s)`purchased`.*`purchase` is the nearest"):
        read(folder)
    found = read(folder, other_kinds="leave_out")
    assert [kind for _, _, kind, *_ in named(found)] == ["click"]
    assert reasons(found) == {"other_kind": 1}


def test_kinds_are_named_on_the_command_line_as_the_message_says(tmp_path: Path) -> None:
    from apps.recommender.app import RecommenderConfig

    fields = list(describe_fields(RecommenderConfig))
    overrides, _ = split_overrides(["--data.kinds", "{Add-to-Cart: 2, click: -1}"], fields)
    kinds = resolve_config(RecommenderConfig, None, overrides).config.data.kinds
    folder = write_lines(
        tmp_path, [HEAD, f"u,i1,{START_S},add-to-cart", f"u,i2,{START_S},click", f"u,i3,{START_S},share"]
    )
    assert [weight for *_, weight in named(read(folder, kinds=kinds))] == [2.0, -1.0, 3.0]


def test_load_interactions_drops_repeats_and_programs(tmp_path: Path) -> None:
    rows = events()
    program = [
        {"user_id": "bot", "item_id": f"i{n % 12}", "timestamp": START_S + n // 10, "event": "browse"}
        for n in range(300)
    ]
    loaded = load(write_shop(tmp_path, rows + rows[:5] + program), bot_events_per_minute=100)
    assert len(loaded.split.log) == len(rows)
    assert [item.reason for item in loaded.report.rejected] == ["bot"]
    assert any("events say again" in note for note in loaded.report.notes)


def test_load_interactions_of_days_without_hours_takes_nobody_for_a_program(tmp_path: Path) -> None:
    lines = [HEAD, *(f"u{u},i{n},2024-01-0{1 + n // 4},click" for u in range(3) for n in range(12))]
    loaded = load(write_lines(tmp_path, lines), bot_events_per_minute=3)
    assert not loaded.report.rejected


def test_load_interactions_without_usable_events_says_why(tmp_path: Path) -> None:
    lines = [HEAD, *(f"u,x{n},{START_S},click" for n in range(3))]
    with pytest.raises(UserError, match=r"no event that can be used\. 3 events name items that are not offered"):
        load(write_lines(tmp_path, lines))


def test_load_interactions_of_one_item_is_refused(tmp_path: Path) -> None:
    lines = [HEAD, *(f"u{n},i1,{START_S + n},click" for n in range(5))]
    with pytest.raises(UserError, match="leaves no user for"):
        load(write_lines(tmp_path, lines))


@pytest.mark.parametrize(
    ("names", "message"),
    [((), "it holds nothing"), (("items.csv",), "has no events; it holds items.csv"), (("events.csv",), "no items")],
)
def test_load_interactions_of_missing_files_says_what_is_there(
    tmp_path: Path, names: tuple[str, ...], message: str
) -> None:
    for name in names:
        write_rows(tmp_path / name, ITEMS)
    with pytest.raises(UserError, match=message):
        load(tmp_path)


def test_load_interactions_of_damaged_or_foreign_tables_is_a_plain_error(tmp_path: Path) -> None:
    write_rows(tmp_path / "items.csv", ITEMS)
    (tmp_path / "events.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(UserError, match="not a readable Parquet file"):
        load(tmp_path)
    (tmp_path / "events.parquet").unlink()
    (tmp_path / "events.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"no column for user_id; it has a, b"):
        load(tmp_path)
    (tmp_path / "events.csv").write_text("")
    with pytest.raises(UserError, match="is empty"):
        load(tmp_path)


def test_load_interactions_of_sample_weighs_kinds_as_the_config_says(tmp_path: Path) -> None:
    found = read(write_shop(tmp_path, events()))
    config = config_of("sample", {"kinds": {"view": 1, "click": 7}})
    loaded = load_interactions(config, seed=0, sample=lambda: found)
    assert set(loaded.split.log.weight_E.tolist()) == {7.0}
    assert {loaded.split.log.kinds[kind] for kind in loaded.split.log.kind_E} == {"click"}
    with pytest.raises(UserError, match="`click`"):
        load_interactions(config_of("sample", {"kinds": {"view": 1}}), seed=0, sample=lambda: found)


def test_render_report_of_events_fits_a_terminal_and_counts_rows(tmp_path: Path) -> None:
    rows = events() + [{"user_id": "u0", "item_id": "gone", "timestamp": START_S, "event": "click"}] * 7
    report: DataReport = load(write_shop(tmp_path, rows)).report
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(render_report(report))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    for part in ("users 6 6 6", "rejected, unknown_item: 7 (7 events name items", "12 items, 0 of them without any"):
        assert part in flat, text
    assert DataReport.model_validate_json(report.model_dump_json()) == report


def test_progress_ends_at_the_size_of_the_files(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    for suffix in (".csv", ".jsonl", ".parquet"):
        folder = write_shop(tmp_path / suffix[1:], events(), suffix)
        found = load_interactions(config_of(folder, {}), seed=0, sample=_unused, progress=lambda *at: said.append(at))
        assert said[-1] == ((folder / f"events{suffix}").stat().st_size,) * 2
        assert all(done <= total for done, total in said)
        assert found.fingerprint
        said.clear()


def _unused() -> Interactions:
    raise AssertionError
