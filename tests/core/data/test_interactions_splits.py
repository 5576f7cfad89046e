"""What is held out follows what is learnt from, nothing leaks, and every protocol is what it says."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.event_log import UNKNOWN_TIME, EventLog, sort_events
from core.data.interaction_config import InteractionConfig
from core.data.interaction_splits import TRAIN, Split, examples_of, split_events
from core.data.module import Example
from core.errors import UsageError
from tests.core.data.tiny_log import START_S, events, load, write_rows, write_shop

NUM_ITEMS = 20


def make_log(rows: Iterable[tuple[int, int, int, float]]) -> EventLog:
    """A log of (user, item, time, weight)."""
    table = np.array(list(rows), np.float64).reshape(-1, 4)
    users = tuple(f"u{n}" for n in range(int(table[:, 0].max(initial=0)) + 1))
    log = EventLog(
        users,
        ("click",),
        table[:, 0].astype(np.int32),
        table[:, 1].astype(np.int32),
        table[:, 2].astype(np.int64),
        np.zeros(len(table), np.int8),
        table[:, 3].astype(np.float32),
    )
    return sort_events(log)


def config(**given_: object) -> InteractionConfig:
    return InteractionConfig.model_validate({"max_history": 10, **given_})


logs = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, NUM_ITEMS - 1), st.integers(0, 60), st.sampled_from((1.0, 2.0, -1.0))),
    max_size=120,
).map(make_log)


@given(log=logs, protocol=st.sampled_from(["last_share", "last_one", "global_time"]), cold=st.sampled_from([0.0, 0.3]))
@settings(max_examples=150, deadline=None)
def test_split_events_never_leaks(log: EventLog, protocol: str, cold: float) -> None:
    settings_ = config(protocol=protocol, cold_item_share=cold)
    split = split_events(log, NUM_ITEMS, settings_, seed=3)
    splits = examples_of(split, settings_)
    for examples in splits.values():
        for example in examples:
            assert len(example["rows"]) == len(example["times"]) == len(example["weights"]) <= 10
            assert not np.isin(example["targets"], example["seen"]).any()
            assert len(np.unique(example["targets"])) == len(example["targets"])
            assert np.isin(example["rows"], example["seen"]).all()
            assert not np.isin(split.cold_rows, example["rows"]).any()
    for name in ("validation", "test"):
        for example in splits[name]:
            assert len(example["targets"])
            _check_order(split, example)
    for example in split.cold:
        assert np.isin(example["targets"], split.cold_rows).all()


def _check_order(split: Split, example: Example) -> None:
    """No event of the history is newer than the first one of what is to be found."""
    log = split.log
    mine = slice(*log.starts_U1[[log.users.index(example["user"]), log.users.index(example["user"]) + 1]])
    wanted = np.isin(log.row_E[mine], example["targets"]) & (log.weight_E[mine] > 0)
    assert example["times"].max() <= log.time_E[mine][wanted].min()


@given(log=logs)
@settings(max_examples=100, deadline=None)
def test_windows_ask_for_every_liking_but_the_first_event_once(log: EventLog) -> None:
    settings_ = config()
    split = split_events(log, NUM_ITEMS, settings_, seed=0)
    asked: list[tuple[str, int, int]] = []
    for example in examples_of(split, settings_)["train"]:
        likings = np.flatnonzero(example["weights"] > 0)
        asked.extend((example["user"], int(example["rows"][at]), int(example["times"][at])) for at in likings if at > 0)
    wanted: list[tuple[str, int, int]] = []
    for user in range(len(log.users)):
        mine = slice(split.log.starts_U1[user], split.log.starts_U1[user + 1])
        learnt = np.flatnonzero(split.part_E[mine] == TRAIN)
        wanted.extend(
            (log.users[user], int(split.log.row_E[mine][at]), int(split.log.time_E[mine][at]))
            for at in learnt[1:]
            if split.log.weight_E[mine][at] > 0
        )
    assert sorted(asked) == sorted(wanted)


def test_last_share_holds_out_the_last_likings_of_each_user() -> None:
    log = make_log((0, n, n, 1.0) for n in range(10))
    splits = examples_of(split_events(log, NUM_ITEMS, config(), 0), config())
    (validation,), (test,) = splits["validation"], splits["test"]
    assert validation["rows"].tolist() == [0, 1, 2, 3, 4, 5]
    assert validation["targets"].tolist() == [6, 7]
    assert test["rows"].tolist() == list(range(8))
    assert test["targets"].tolist() == [8, 9]


def test_last_one_holds_out_one_liking_and_passes_over_dislikes() -> None:
    weights = (1, 1, 1, -1, 1, -1)
    log = make_log((0, n, n, weight) for n, weight in enumerate(weights))
    settings_ = config(protocol="last_one")
    splits = examples_of(split_events(log, NUM_ITEMS, settings_, 0), settings_)
    assert [example["targets"].tolist() for example in splits["validation"]] == [[2]]
    assert [example["targets"].tolist() for example in splits["test"]] == [[4]]
    assert splits["test"][0]["seen"].tolist() == [0, 1, 2, 3]


def test_global_time_cuts_all_users_at_one_point() -> None:
    log = make_log((user, (3 * user + n) % NUM_ITEMS, 10 * n + user, 1.0) for user in range(4) for n in range(10))
    settings_ = config(protocol="global_time")
    split = split_events(log, NUM_ITEMS, settings_, 0)
    newest = [split.log.time_E[split.part_E == part].max() for part in range(3)]
    oldest = [split.log.time_E[split.part_E == part].min() for part in range(3)]
    assert newest[0] < oldest[1] <= newest[1] < oldest[2]


def test_users_of_few_likings_are_learnt_from_only() -> None:
    log = make_log([(0, 1, 1, 1.0), (0, 2, 2, 1.0), *((1, n, n, 1.0) for n in range(5))])
    splits = examples_of(split_events(log, NUM_ITEMS, config(), 0), config())
    assert [example["user"] for example in splits["test"]] == ["u1"]
    assert [example["user"] for example in splits["train"]] == ["u0", "u1"]


def test_user_of_ten_thousand_events_is_cut_into_windows() -> None:
    log = make_log((0, n % NUM_ITEMS, n, 1.0) for n in range(10_000))
    settings_ = config(max_history=200)
    windows = examples_of(split_events(log, NUM_ITEMS, settings_, 0), settings_)["train"]
    assert len(windows) == 33
    assert {len(window["rows"]) for window in windows[:-1]} == {200}
    assert not len(windows[0]["targets"])


def test_examples_are_a_lazy_sequence() -> None:
    log = make_log((user, n, n, 1.0) for user in range(5) for n in range(10))
    examples = examples_of(split_events(log, NUM_ITEMS, config(), 0), config())["test"]
    assert len(examples) == 5
    assert examples[-1]["user"] == "u4"
    assert [example["user"] for example in examples[1:3]] == ["u1", "u2"]
    with pytest.raises(IndexError):
        examples[5]


def test_cold_items_are_drawn_by_seed_and_are_nowhere_else(tmp_path: Path) -> None:
    folder = write_shop(tmp_path, events(users=12))
    first, again, other = (load(folder, seed=seed, cold_item_share=0.25) for seed in (1, 1, 2))
    assert first.split.cold_rows.tolist() == again.split.cold_rows.tolist() != other.split.cold_rows.tolist()
    assert len(first.split.cold_rows) == 3
    assert not np.isin(first.split.log.row_E, first.split.cold_rows).any()
    assert len(first.split.cold) > 0
    assert any("3 items are taken for new ones" in note for note in first.report.notes)


def test_load_interactions_without_times_draws_by_seed_and_says_so(tmp_path: Path) -> None:
    rows = [{key: cell for key, cell in row.items() if key != "timestamp"} for row in events()]
    forward, backward = write_shop(tmp_path / "a", rows), write_shop(tmp_path / "b", rows[::-1])
    first, again, other = load(forward), load(backward), load(forward, seed=1)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert (first.split.log.time_E == UNKNOWN_TIME).all()
    assert any(note.startswith("no times: what is held out") for note in first.report.notes)
    with pytest.raises(UsageError, match="does not say when things happened"):
        load(forward, protocol="global_time")


def test_load_interactions_with_times_of_some_files_only_says_so(tmp_path: Path) -> None:
    rows = events()
    write_shop(tmp_path, rows[:30]).joinpath("events.csv").rename(tmp_path / "events-1.csv")
    timeless = [{key: cell for key, cell in row.items() if key != "timestamp"} for row in rows[30:]]
    write_rows(tmp_path / "events-2.csv", timeless)
    assert any(note.startswith("times of some events only") for note in load(tmp_path).report.notes)


def test_limit_keeps_the_first_users(tmp_path: Path) -> None:
    loaded = load(write_shop(tmp_path, events()), limit=2)
    assert {name: len(examples) for name, examples in loaded.splits.items()} == {"train": 2, "validation": 2, "test": 2}
    assert loaded.splits["test"][0]["times"].min() >= START_S
