"""Recurrent text encoders: both kinds and poolings, padding, order of words, learning, export."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from core.backbones.sequence import SequenceClassifier
from core.backbones.sequence_config import SequenceConfig
from core.data.vocabulary import TextEncoder, learn_vocabulary
from core.data.vocabulary_config import VocabularyConfig
from tests.core.backbones.text_export import export, largest_difference

TEXTS = ["where is my parcel", "refund please", "dog bites man", "man bites dog", "订单在哪里"]
VOCABULARY = learn_vocabulary(TEXTS, VocabularyConfig(max_words=8, min_count=1))
KINDS = list(product(("lstm", "gru"), ("max_mean", "attention")))


def build(kind: str = "lstm", pooling: str = "max_mean", **settings: object) -> SequenceClassifier:
    sizes = {"vector_size": 8, "hidden_size": 8, "kind": kind, "pooling": pooling}
    torch.manual_seed(0)
    return SequenceClassifier(SequenceConfig.model_validate(sizes | settings), VOCABULARY, 3)


def units_of(*texts: str) -> Tensor:
    return torch.from_numpy(TextEncoder(VOCABULARY).encode(texts)["units"])


@pytest.mark.parametrize(("kind", "pooling"), KINDS)
def test_padding_changes_nothing(kind: str, pooling: str) -> None:
    model = build(kind, pooling, layers=2).eval()
    units = units_of(*TEXTS)
    together = model(units)
    assert together["logits"].shape == (5, 3)
    for row, text in enumerate(TEXTS):
        length = int(units[row].any(1).sum())
        alone = model(units_of(text)[:, :length])
        torch.testing.assert_close(alone["logits"][0], together["logits"][row])
        torch.testing.assert_close(alone["embedding"][0], together["embedding"][row])


@pytest.mark.parametrize(("kind", "pooling"), KINDS)
def test_order_of_words_counts(kind: str, pooling: str) -> None:
    logits = build(kind, pooling).eval()(units_of("dog bites man", "man bites dog"))["logits"]
    assert not torch.allclose(logits[0], logits[1], atol=1e-4)


def test_backward_direction_equals_packed_sequences() -> None:
    layer = build().layers[0]
    reference = torch.nn.LSTM(8, 8, batch_first=True, bidirectional=True)
    weights = {**layer.onward.state_dict()}
    weights |= {f"{name}_reverse": value for name, value in layer.inward.state_dict().items()}
    reference.load_state_dict(weights)
    vectors, lengths = torch.randn(3, 5, 8), torch.tensor([5, 2, 3])
    place = torch.arange(5)
    mirror = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
    packed = torch.nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(reference(packed)[0], batch_first=True)
    is_real = (place < lengths[:, None])[..., None]
    torch.testing.assert_close(layer(vectors, mirror) * is_real, expected)


@pytest.mark.parametrize(("kind", "pooling"), KINDS)
def test_text_without_known_words_gives_finite_logits(kind: str, pooling: str) -> None:
    model = build(kind, pooling).eval()
    assert model(torch.zeros(2, 1, VOCABULARY.units_per_word, dtype=torch.int32))["logits"].isfinite().all()


@pytest.mark.parametrize(("kind", "pooling"), KINDS)
def test_labels_are_learnt(kind: str, pooling: str) -> None:
    model = build(kind, pooling, dropout=0.0, unit_dropout=0.0, vector_dropout=0.0)
    units, label = units_of(*TEXTS), torch.tensor([0, 1, 2, 0, 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(units)["logits"], label).backward()
        optimizer.step()
    assert model.eval()(units)["logits"].argmax(1).tolist() == label.tolist()


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_onnx_equals_pytorch_at_any_batch_and_length(kind: str, tmp_path: Path) -> None:
    pooling = "max_mean" if kind == "lstm" else "attention"
    model = build(kind, pooling)
    units = units_of(*TEXTS).numpy()
    if kind == "lstm":  # the exporter by itself forgets a free length from the second time on
        export(model, "units", units, tmp_path / "first.onnx")
    session = export(model, "units", units, tmp_path / "model.onnx")
    for rows, length, slots in ((1, 1, 1), (1, 4, 9), (2, 8, 3), (5, 6, units.shape[2])):
        assert largest_difference(model, session, "units", units[:rows, :length, :slots]) < 1e-5
    assert largest_difference(model, session, "units", np.tile(units, (9, 1, 1))) < 1e-5
