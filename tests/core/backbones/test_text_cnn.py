"""TextCNN: padding changes nothing, shares add up to the logit, the exported graph says the same at any length."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.backbones.text_cnn import TextCNN
from core.backbones.text_cnn_config import TextCnnConfig
from core.data.vocabulary import UNITS, TextEncoder, learn_vocabulary, trim
from core.data.vocabulary_config import VocabularyConfig
from core.tasks.text_contributions import list_contributions

TEXTS = [
    "where is my parcel",
    "Where is my refund?",
    "cancel my order please",
    "我的包裹在哪里",
    "请取消我的订单 order",
    "hi",
]
LABELS = np.array([0, 1, 2, 0, 2, 3])
ODD = ["", "ξξξ", "wheer is ξ my parcle", "where " * 70]
CONFIG = TextCnnConfig(
    vocabulary=VocabularyConfig(min_count=1), vector_size=8, widths=(1, 2, 3), filters=6, wide_size=5, members=2
)


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder(learn_vocabulary(TEXTS, CONFIG.vocabulary))


def build_model(encoder: TextEncoder, config: TextCnnConfig = CONFIG, seed: int = 0) -> TextCNN:
    torch.manual_seed(seed)
    return TextCNN(config, encoder.vocabulary, 4).eval()


def encode(encoder: TextEncoder, texts: list[str]) -> torch.Tensor:
    return torch.from_numpy(encoder.encode(texts)[UNITS])


@pytest.mark.parametrize("changes", [{}, {"wide_size": 0}, {"members": 1, "widths": (2, 5)}])
def test_bias_and_shares_sum_to_the_logit(encoder: TextEncoder, changes: dict[str, object]) -> None:
    model = build_model(encoder, CONFIG.model_copy(update=changes))
    served = model.serve(encode(encoder, TEXTS + ODD))
    label = served["logits"].argmax(dim=1)
    total = model.bias[label] + served["contributions"].sum(dim=(1, 2))
    assert torch.allclose(total, served["logits"].amax(dim=1), atol=1e-5)


def test_padding_and_neighbours_change_nothing(encoder: TextEncoder) -> None:
    model = build_model(encoder)
    full = encode(encoder, TEXTS + ODD)
    together = model.serve(full)
    for row in range(len(full)):
        alone = model.serve(trim({UNITS: full[row : row + 1]})[UNITS])
        assert torch.allclose(alone["logits"][0], together["logits"][row], atol=1e-5)
        assert torch.allclose(alone["embedding"][0], together["embedding"][row], atol=1e-5)


def test_training_and_serving_say_the_same(encoder: TextEncoder) -> None:
    model = build_model(encoder)
    units = encode(encoder, TEXTS)
    trained = model(units)
    assert torch.allclose(trained["logits"], model.serve(units)["logits"], atol=1e-6)
    assert torch.allclose(trained["logits"], trained["member_logits"].mean(dim=1), atol=1e-6)


def test_words_start_from_vectors_from_elsewhere_and_shares_stay_exact() -> None:
    vocabulary = learn_vocabulary(TEXTS, CONFIG.vocabulary, ("shipment", "package"))
    encoder = TextEncoder(vocabulary)
    model = build_model(encoder)
    vectors = np.random.default_rng(0).standard_normal((len(vocabulary.words), 8)).astype(np.float32)
    vectors[-1] = vectors[vocabulary.words.index("parcel")]
    units = encode(encoder, ["where is my package", "shipment"])
    before = model.serve(units)["logits"]
    model.start_from(vectors)
    served = model.serve(units)
    assert (before != served["logits"]).any(dim=1).all()
    label = served["logits"].argmax(dim=1)
    total = model.bias[label] + served["contributions"].sum(dim=(1, 2))
    assert torch.allclose(total, served["logits"].amax(dim=1), atol=1e-5)
    # The wide part has nothing to say of a word that no training text holds.
    assert served["contributions"][1, 0, 0] == 0
    for name, table in model.named_parameters():
        assert "embedding.table" not in name or (table[0] == 0).all()


def test_what_is_out_of_the_vocabulary_adds_nothing(encoder: TextEncoder) -> None:
    model = build_model(encoder)
    served = model.serve(encode(encoder, ["ξξξ"]))
    assert torch.allclose(served["logits"][0], model.bias)
    assert served["contributions"].abs().max() == 0


def test_it_learns_a_few_texts_and_none_stays_zero(encoder: TextEncoder) -> None:
    model = build_model(encoder).train()
    units, label = encode(encoder, TEXTS), torch.from_numpy(LABELS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(units)["logits"], label).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    model.eval()
    assert (model(units)["logits"].argmax(dim=1) == label).all()
    for name, table in model.named_parameters():
        assert "table" not in name or table[0].abs().max() == 0


def test_contributions_are_places_in_the_text_and_sum_to_the_shares(encoder: TextEncoder) -> None:
    model = build_model(encoder)
    for text in TEXTS + ODD:
        units = trim({UNITS: encode(encoder, [text])})[UNITS]
        shares = model.serve(units)["contributions"][0].detach().numpy()
        found = list_contributions(text, shares, encoder, CONFIG.widths)
        assert sum(part.weight for part in found) == pytest.approx(shares.sum(), abs=1e-5)
        assert all(text[part.start : part.end] == part.ngram != "" for part in found)
        assert [part.weight for part in found] == sorted((part.weight for part in found), reverse=True)


def test_the_exported_graph_says_the_same_at_any_length(encoder: TextEncoder, tmp_path: Path) -> None:
    import onnxruntime

    model = build_model(encoder)
    _export(model, encode(encoder, TEXTS[:3]), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for texts in (["hi"], TEXTS, ODD, TEXTS * 5):
        arrays = trim(encoder.encode(texts))
        served = session.run(["out_logits", "out_embedding", "out_contributions"], arrays)
        with torch.no_grad():
            expected = model.serve(torch.from_numpy(np.ascontiguousarray(arrays[UNITS])))
        for got, value in zip(served, expected.values(), strict=True):
            assert np.abs(got - value.numpy()).max() < 1e-5


def _export(model: TextCNN, example: torch.Tensor, path: Path) -> None:
    from core.export.onnx import _quiet

    class Served(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, units: torch.Tensor) -> dict[str, torch.Tensor]:
            return self.model.serve(units)

    free = torch.export.Dim.DYNAMIC
    names = ["out_logits", "out_embedding", "out_contributions"]
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            Served(),
            (example[:, :9, :7].contiguous(),),
            dynamo=True,
            opset_version=20,
            input_names=[UNITS],
            output_names=names,
            dynamic_shapes=({0: free, 1: free, 2: free},),
            verbose=False,
        )
    assert program is not None
    program.save(path, external_data=False)
