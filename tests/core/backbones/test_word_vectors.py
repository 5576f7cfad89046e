"""Word vectors of a pretrained encoder: whole words, near ones near, and a model that starts from them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.backbones.text_config import TextModelConfig
from core.backbones.text_model import build_text_model
from core.backbones.word_vectors import known_words, load_word_vectors, near_words
from core.data.vocabulary import learn_vocabulary
from core.data.vocabulary_config import Vocabulary, VocabularyConfig
from core.errors import UserError
from tests.core.backbones.tiny_bert import make_tiny_bert

TEXTS = ["where is my parcel", "cancel my order please"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_bert(tmp_path_factory.mktemp("models") / "tiny"))


def test_whole_words_are_known_without_signs_and_parts(folder: str) -> None:
    assert known_words(folder, 100) == (
        *("where", "is", "my", "parcel", "refund", "the", "money", "please", "cancel", "订", "单"),
    )
    assert known_words(folder, 2) == ("where", "is")


def test_vectors_are_centred_and_do_not_depend_on_neighbours_in_the_batch(folder: str) -> None:
    words = ("money", "cancelled", "refund", "parcel", "订", "")
    vectors = load_word_vectors(folder, words, 4)
    assert vectors.shape == (6, 4)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-5)
    assert np.square(vectors).mean() == pytest.approx(1, abs=1e-5)
    turned = load_word_vectors(folder, words[::-1], 4)[::-1]
    np.testing.assert_allclose(vectors @ vectors.T, turned @ turned.T, atol=1e-3)


def test_more_numbers_than_the_encoder_has_are_zero(folder: str) -> None:
    vectors = load_word_vectors(folder, ("money", "refund", "parcel"), 40)
    assert vectors.shape == (3, 40)
    assert not vectors[:, 16:].any()


def test_neighbours_are_the_nearest_first_and_never_the_word_itself() -> None:
    words = ("parcel", "parcels", "shipment", "money")
    vectors = np.array([[1, 0], [2, 0.1], [1, 0.8], [-1, 0]], np.float32)
    found = near_words(["parcel", "money"], words, vectors)
    assert found == {"parcel": ("parcels", "shipment")}


def test_model_starts_from_them_and_needs_them_no_more_once_trained(folder: str) -> None:
    vocabulary = learn_vocabulary(TEXTS, VocabularyConfig(), known_words(folder, 100))
    settings = {"text_cnn": {"vector_size": 8, "filters": 4, "members": 2, "word_vectors": {"name": folder}}}
    config = TextModelConfig.model_validate(settings)
    model = build(config, vocabulary)
    vectors = torch.from_numpy(load_word_vectors(folder, vocabulary.words, 8))
    for number in range(2):
        table = model.state_dict()[f"members.{number}.embedding.table"]
        torch.testing.assert_close(table[1 : 1 + len(vocabulary.words)], vectors)
    settings["text_cnn"]["word_vectors"] = {"name": "gone/away/model", "pretrained": False}
    again = build(TextModelConfig.model_validate(settings), vocabulary)
    again.load_state_dict(model.state_dict())


def test_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        known_words(str(tmp_path / "none"), 10)


def build(config: TextModelConfig, vocabulary: Vocabulary) -> torch.nn.Module:
    return build_text_model(config, num_labels=3, vocabulary=vocabulary, tokenizer="", architecture="")
