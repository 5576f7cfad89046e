"""New texts out of old ones: near them, none twice, the same for the same seed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.optimization.variations import replace_words, vary_texts

TEXTS = ["Where is my parcel now?", "has my parcel arrived", "I want  my money back!", "请问我的订单在哪里"]
LABELS = ["parcel", "parcel", "refund", "parcel"]


def test_same_seed_gives_the_same_texts() -> None:
    assert vary_texts(TEXTS, LABELS, 5, seed=1) == vary_texts(TEXTS, LABELS, 5, seed=1)
    assert vary_texts(TEXTS, LABELS, 5, seed=1) != vary_texts(TEXTS, LABELS, 5, seed=2)


def test_words_come_from_texts_of_the_same_label() -> None:
    made = vary_texts(TEXTS, LABELS, 10, seed=0)
    for text in made:
        words = set(text.split()) if text.isascii() else set(text)
        refund = bool(words & {"money", "back!", "want", "I"})
        assert not (refund and words & {"parcel", "now?", "arrived", "订"}), text
    assert len(made) > 15


def test_blanks_and_signs_stay_with_their_words() -> None:
    for text in vary_texts(["where is my parcel?"], ["a"], 20, seed=0):
        assert set(text.replace("?", " ? ").split()) <= {"where", "is", "my", "parcel", "?"}, text


def test_near_words_stand_in_place_of_some() -> None:
    near = {"parcel": ("parcels", "shipment"), "订": ("预",)}
    made = replace_words(TEXTS, near, 30, seed=0)
    assert made == replace_words(TEXTS, near, 30, seed=0)
    assert set(made) >= {"Where is my shipment now?", "has my parcels arrived", "请问我的预单在哪里"}
    assert len(made) == len(set(made)) == 5


def test_nothing_is_replaced_without_neighbours() -> None:
    assert replace_words(TEXTS, {}, 3, seed=0) == []


@pytest.mark.parametrize("text", ["", "   ", "word", "?", "\ud83d", "😀"])
def test_texts_of_a_word_or_none_are_borne(text: str) -> None:
    assert all(made.strip() for made in vary_texts([text], ["a"], 3, seed=0))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.integers(0, 3))
def test_nothing_is_given_back_or_given_twice(texts: list[str], count: int) -> None:
    made = vary_texts(texts, ["a"] * len(texts), count, seed=0)
    assert len(made) == len(set(made))
    assert not set(made) & set(texts)
    assert len(made) <= count * len(texts)
