"""Bags of hashed units: words, pairs and parts, whatever the text holds."""

import numpy as np
import pytest

from core.data.hashed_units import IDS, WEIGHTS, hash_units, trim_units, unit_rarity
from core.data.unit_config import UnitConfig

CONFIG = UnitConfig()


def bag(text: str, config: UnitConfig = CONFIG) -> set[int]:
    return set(hash_units([text], config)[IDS][0].tolist()) - {0}


def test_texts_that_share_words_share_units() -> None:
    assert bag("Where is my parcel") & bag("the PARCEL came")
    assert bag("refund") & bag("refunds")
    assert not bag("abc") & bag("xyz")


def test_word_order_shows_in_pairs() -> None:
    assert bag("red shoe") != bag("shoe red")


def test_chinese_shares_characters_and_pairs() -> None:
    shared = bag("我要退货") & bag("怎么退货")
    assert len(shared) == 3


def test_weight_grows_with_the_count() -> None:
    arrays = hash_units(["a1"], CONFIG), hash_units(["no no no"], CONFIG)
    assert arrays[0][WEIGHTS].max() == 1
    assert arrays[1][WEIGHTS].max() == pytest.approx(1 + np.log(3))


@pytest.mark.parametrize("text", ["", "   ", "\x00\x01\u202e"])
def test_text_without_words_is_an_empty_bag(text: str) -> None:
    arrays = hash_units([text], CONFIG)
    assert arrays[IDS].shape == (1, 1)
    assert not arrays[IDS].any()
    assert not arrays[WEIGHTS].any()


@pytest.mark.parametrize("text", ["x" * 100_000, "字" * 100_000, "😀" * 1000, "\ud800 half", "مرحبا parcel 包裹"])
def test_odd_text_gives_a_bounded_bag(text: str) -> None:
    ids = hash_units([text], CONFIG)[IDS]
    assert 0 < (ids > 0).sum() <= CONFIG.max_units
    assert ids.max() <= CONFIG.buckets


def test_bag_holds_at_most_its_units() -> None:
    assert len(bag(" ".join(f"word{number}" for number in range(100)), UnitConfig(max_units=9))) == 9


def test_trim_cuts_what_no_text_uses() -> None:
    arrays = hash_units(["one", "one two three"], CONFIG)
    short = trim_units({f"query_{name}": array[:1] for name, array in arrays.items()}, "query_")
    assert short["query_ids"].shape == short["query_weights"].shape
    assert short["query_ids"].all()


def test_rare_units_weigh_more() -> None:
    arrays = hash_units(["zu x1", "zu y2", "zu z3"], CONFIG)
    rarity = unit_rarity(arrays[IDS], CONFIG.buckets)
    (common,), (rare, *_) = bag("zu"), bag("zu x1") - bag("zu")
    assert rarity[common] == pytest.approx(np.log(1 + 3 / 3.5))
    assert rarity[rare] == pytest.approx(np.log(1 + 3 / 1.5))
