"""Drawn splits keep groups together, follow labels and shares, and do not depend on the order of rows."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.module import SPLITS, SplitName
from core.data.split import as_split, draw_limited, split_by_seed

SHARES: dict[SplitName, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}
Rows = list[tuple[str, str, str | None]]
rows_of = st.lists(
    st.tuples(st.integers(0, 9999).map(str), st.sampled_from("abc"), st.sampled_from([None, *"pqrstuvw"])),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[0],
)


def split_of(rows: Rows, seed: int, shares: dict[SplitName, float] = SHARES) -> dict[str, SplitName]:
    ids, labels, groups = zip(*rows, strict=True)
    return dict(zip(ids, split_by_seed(ids, labels, groups, shares, seed), strict=True))


@given(rows_of, st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_split_by_seed_ignores_the_order_of_rows(rows: Rows, seed: int, shuffler: random.Random) -> None:
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert split_of(rows, seed) == split_of(shuffled, seed)


@given(rows_of, st.integers(0, 5))
@settings(deadline=None, max_examples=60)
def test_split_by_seed_keeps_groups_together(rows: Rows, seed: int) -> None:
    chosen = split_of(rows, seed)
    for group in {row[2] for row in rows} - {None}:
        assert len({chosen[row[0]] for row in rows if row[2] == group}) == 1


@given(rows_of, st.integers(0, 5))
@settings(deadline=None, max_examples=60)
def test_split_by_seed_gives_each_label_a_place_in_each_split(rows: Rows, seed: int) -> None:
    ungrouped = [(name, label, None) for name, label, _ in rows]
    chosen = split_of(ungrouped, seed)
    for label, count in Counter(row[1] for row in rows).items():
        places = {chosen[row[0]] for row in rows if row[1] == label}
        assert places == set(SPLITS) if count >= 3 else "train" in places


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_split_by_seed_follows_shares_and_labels(seed: int) -> None:
    rows = [(str(number), "ab"[number % 10 == 0], None) for number in range(1000)]
    counts = Counter((row[1], split) for row, split in zip(rows, split_of(rows, seed).values(), strict=True))
    assert counts == {
        ("a", "train"): 630, ("a", "validation"): 135, ("a", "test"): 135,
        ("b", "train"): 70, ("b", "validation"): 15, ("b", "test"): 15,
    }  # fmt: skip


def test_split_by_seed_depends_on_seed() -> None:
    rows: Rows = [(str(number), "a", None) for number in range(50)]
    assert split_of(rows, 0) != split_of(rows, 1)


def test_split_by_seed_gives_nothing_to_a_split_without_share() -> None:
    rows: Rows = [(str(number), "a", None) for number in range(20)]
    assert Counter(split_of(rows, 0, {"train": 0.8, "validation": 0.2}).values()) == {"train": 16, "validation": 4}


def test_split_by_seed_without_labels_divides_all() -> None:
    splits = split_by_seed([str(n) for n in range(20)], [None] * 20, [None] * 20, SHARES, 0)
    assert Counter(splits) == {"train": 14, "validation": 3, "test": 3}


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("train", "train"), ("Training", "train"), ("valid", "validation"), ("VAL", "validation"),
        ("dev", "validation"), (" test ", "test"), ("0", None), ("benign", None), ("", None),
    ],
)  # fmt: skip
def test_as_split_reads_common_names(word: str, split: str | None) -> None:
    assert as_split(word) == split


@given(rows_of, st.integers(0, 70), st.integers(0, 3), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_draw_limited_is_stratified_and_ignores_order(
    rows: Rows, limit: int, seed: int, shuffler: random.Random
) -> None:
    def drawn(part: Rows) -> set[str]:
        return {part[n][0] for n in draw_limited([r[0] for r in part], [r[1] for r in part], limit, seed)}

    chosen, shuffled = drawn(rows), list(rows)
    shuffler.shuffle(shuffled)
    assert drawn(shuffled) == chosen
    assert len(chosen) == (min(limit, len(rows)) if limit else len(rows))
    labels = {row[1] for row in rows}
    if limit >= len(labels):
        assert {row[1] for row in rows if row[0] in chosen} == labels
