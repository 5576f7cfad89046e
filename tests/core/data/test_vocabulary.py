"""Texts as units: learnt from training texts, left out where unknown, each with its place in the text."""

import time

import numpy as np
import pytest
import torch

from core.data.vocabulary import UNITS, TextEncoder, learn_vocabulary, trim
from core.data.vocabulary_config import Vocabulary, VocabularyConfig

TEXTS = ["Where is my parcel", "where is my refund", "我的包裹在哪里", "我的退款在哪里"]


def build_encoder(texts: list[str] = TEXTS, **settings: int) -> TextEncoder:
    return TextEncoder(learn_vocabulary(texts, VocabularyConfig(**settings)))


def test_units_are_those_of_enough_training_texts() -> None:
    vocabulary = build_encoder().vocabulary
    assert {"parcel", "refund", "where", "包"} <= set(vocabulary.words)
    assert {" wh", "here ", "my "} <= set(vocabulary.parts)
    assert {"where is", "where is my", "我 的", "在 哪 里"} <= set(vocabulary.phrases)
    assert not {"parcel", "arc"} & set(vocabulary.parts)
    assert "my parcel" not in vocabulary.phrases


def test_ids_are_unique_and_below_the_number_of_units() -> None:
    encoder = build_encoder()
    ids = np.unique(encoder.encode(TEXTS)[UNITS])
    assert ids.min() == 0
    assert ids.max() == encoder.vocabulary.num_units - 1
    assert len(ids) == encoder.vocabulary.num_units
    assert len(encoder.vocabulary.rarity) == encoder.vocabulary.num_units - 1


def test_words_known_from_elsewhere_come_after_those_of_the_texts() -> None:
    plain = build_encoder().vocabulary
    vocabulary = learn_vocabulary(TEXTS, VocabularyConfig(), ("parcel", "shipment", "shipment", "envelope"))
    assert vocabulary.words == (*plain.words, "shipment", "envelope")
    assert (vocabulary.num_seen_words, plain.num_seen_words) == (len(plain.words), len(plain.words))
    rarity = {"shipment": 0.0, "envelope": 0.0}
    assert dict(zip(vocabulary.words, vocabulary.rarity, strict=False)).items() >= rarity.items()
    assert [share for share in vocabulary.rarity if share] == list(plain.rarity)
    assert TextEncoder(vocabulary).encode(["shipment"])[UNITS][0, 0, 0] == len(plain.words) + 1


def test_rare_units_count_more() -> None:
    vocabulary = build_encoder().vocabulary
    rarity = dict(zip(vocabulary.words, vocabulary.rarity, strict=False))
    assert rarity["parcel"] > rarity["where"] > 1


def test_a_misspelt_word_keeps_its_known_parts_and_no_word() -> None:
    encoder = build_encoder(["parcel here", "parcel there"])
    right, wrong = encoder.encode(["parcel", "parcell"])[UNITS][:, 0]
    assert wrong[0] == 0
    assert len(set(right) & set(wrong) - {0}) >= 5


@pytest.mark.parametrize(
    "text", [*TEXTS, "WHERE is 我的 parcel？", "ｗｈｅｒｅ　is, my", "", "🙂🙂", "\u202eabc where"]
)
def test_spans_name_the_units_that_are_encoded_at_their_place(text: str) -> None:
    encoder = build_encoder()
    units = encoder.encode([text])[UNITS][0]
    spans = encoder.spans(text)
    assert [(unit.word, unit.slot) for unit in spans] == [(int(a), int(b)) for a, b in np.argwhere(units)]
    for unit in spans:
        assert 0 <= unit.start < unit.end <= len(text)
    words = [text[unit.start : unit.end].lower() for unit in spans if unit.slot == 0]
    assert set(words) <= {*encoder.vocabulary.words, "ｗｈｅｒｅ"}


def test_a_phrase_spans_its_words() -> None:
    text = "so, where is my parcel"
    found = {text[unit.start : unit.end] for unit in build_encoder().spans(text) if unit.slot == 2}
    assert found == {"where is my"}


def test_trim_drops_what_no_row_uses_in_numpy_and_torch() -> None:
    arrays = build_encoder().encode(["where is", "parcel"])
    trimmed = trim({**arrays, "label": np.zeros(2)})
    tensor = trim({UNITS: torch.from_numpy(arrays[UNITS])})[UNITS]
    assert trimmed["label"].shape == (2,)
    assert trimmed[UNITS].shape[1] == 2
    assert trimmed[UNITS][:, -1].any()
    assert trimmed[UNITS][:, :, -1].any()
    assert np.array_equal(tensor.numpy(), trimmed[UNITS])
    assert (arrays[UNITS] != 0).sum() == (trimmed[UNITS] != 0).sum()


def test_nothing_known_leaves_one_empty_place() -> None:
    assert trim(build_encoder().encode(["", "ξ"]))[UNITS].shape == (2, 1, 1)


def test_the_vocabulary_survives_json() -> None:
    vocabulary = build_encoder().vocabulary
    again = Vocabulary.model_validate_json(vocabulary.model_dump_json())
    assert np.array_equal(TextEncoder(again).encode(TEXTS)[UNITS], build_encoder().encode(TEXTS)[UNITS])


def test_the_order_of_texts_does_not_matter() -> None:
    assert build_encoder(TEXTS[::-1]).vocabulary == build_encoder().vocabulary


def test_a_text_of_a_million_letters_is_cut_before_it_is_read() -> None:
    encoder = build_encoder()
    started = time.monotonic()
    for text in ("a" * 1_000_000, "where is my parcel " * 50_000, "哪" * 1_000_000):
        units = encoder.encode([text])[UNITS]
        assert units.shape[1] == encoder.config.max_words
    assert time.monotonic() - started < 0.5


def test_max_units_keeps_the_most_frequent() -> None:
    texts = [f"word{chr(97 + i)}{chr(97 + j)} common" for i in range(20) for j in range(20)]
    vocabulary = build_encoder(texts, max_units=100).vocabulary
    assert len(vocabulary.words) == 100
    assert "common" in vocabulary.words
