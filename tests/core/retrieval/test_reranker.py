"""A cross-encoder scores as its pretrained model does, is served without torch, and decides what comes first."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UserError
from core.retrieval.encoder_config import EncoderConfig
from core.retrieval.export_reranker import export_reranker
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.policy import search, text_of, unfitted_policy
from core.retrieval.reranker import FACTS, GRAPH, TOKENIZER, CrossEncoder, load_reranker, remember_scores
from tests.core.backbones.tiny_bert import make_tiny_bert, make_tiny_cross_encoder

from .toy_encoder import SHOP

QUERY = "where is my parcel"
TEXTS = ("the parcel is cancelled", "", "refund the money please?", "money " * 40, "订单", "half \ud800")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_cross_encoder(tmp_path_factory.mktemp("model"))


def export(model: Path, target: Path, **settings: object) -> CrossEncoder:
    config = EncoderConfig.model_validate({"reranker": str(model), "reranker_tokens": 20, "reranked": 6, **settings})
    export_reranker(config, QUERY, TEXTS[:3], target)
    return load_reranker(target)


@pytest.fixture(scope="module")
def exported(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "reranker"
    export(model, folder)
    return folder


def test_scores_are_those_of_the_pretrained_model(model: Path, exported: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    reference = AutoModelForSequenceClassification.from_pretrained(model).eval()
    texts = [*TEXTS[:-1], "half ?"]
    scores = load_reranker(exported)(QUERY, TEXTS)
    for text, score in zip(texts, scores, strict=True):
        if not text:  # transformers takes an empty second text for none
            continue
        taken = tokenizer(QUERY, text, truncation="longest_first", max_length=20, return_tensors="pt")
        with torch.no_grad():
            assert score == pytest.approx(float(reference(**taken).logits), abs=1e-4)
    assert np.std(scores) > 0.05, "scores that are all alike would prove nothing"


def test_scores_do_not_depend_on_the_other_texts(exported: Path) -> None:
    reranker = load_reranker(exported)
    assert reranker(QUERY, TEXTS) == pytest.approx([reranker(QUERY, [text])[0] for text in TEXTS], abs=1e-5)
    assert reranker(QUERY, []) == []
    assert reranker(QUERY, TEXTS) != reranker("cancel", TEXTS)


def test_texts_that_are_too_many_get_the_least_score(model: Path, exported: Path, tmp_path: Path) -> None:
    all_six, two = load_reranker(exported)(QUERY, TEXTS), export(model, tmp_path / "two", reranked=2)(QUERY, TEXTS)
    assert two[:2] == pytest.approx(all_six[:2], abs=1e-5)
    assert two[2:] == [min(two[:2])] * 4


def test_served_without_torch(exported: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from core.retrieval.reranker import load_reranker;"
        f"print(len(load_reranker(Path({str(exported)!r}))('where', ['is', 'my'])), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "2 False"


def test_the_first_hit_is_the_one_with_the_best_score(exported: Path) -> None:
    reranker, knowledge = load_reranker(exported), KnowledgeBase(SHOP)
    policy = unfitted_policy().model_copy(update={"weights": (0.0, 0.0, 0.0, 1.0)})
    query = "where is my order, my parcel, my money"
    found = search(knowledge, policy, query, reranker=reranker)
    scores = [reranker(query, [text_of(hit.entry)])[0] for hit in found.hits]
    assert len(scores) > 2
    assert [hit.rerank_score for hit in found.hits] == pytest.approx(sorted(scores, reverse=True), abs=1e-5)
    assert found.hits[0].to_json()["rerank_score"] == pytest.approx(max(scores), abs=1e-3)


def test_remembered_scores_are_asked_once(exported: Path) -> None:
    asked = []
    reranker = load_reranker(exported)

    def counting(query: str, texts: object) -> list[float]:
        asked.append(query)
        return reranker(query, texts)  # type: ignore[arg-type]

    remembered = remember_scores(counting)
    assert remembered(QUERY, TEXTS) == remembered(QUERY, list(TEXTS)) == reranker(QUERY, TEXTS)
    assert remembered(QUERY, TEXTS[:2]) != remembered("cancel", TEXTS[:2])
    assert asked == [QUERY, QUERY, "cancel"]


def test_a_model_that_reads_no_segments_is_given_none(tmp_path: Path) -> None:
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    model = make_tiny_cross_encoder(tmp_path / "model")
    vocabulary = len((model / "vocab.txt").read_text().split("\n"))
    config = DistilBertConfig(
        vocab_size=vocabulary, dim=16, n_layers=1, n_heads=2, hidden_dim=32, max_position_embeddings=24, num_labels=1
    )
    DistilBertForSequenceClassification(config).save_pretrained(model)
    reranker = export(model, tmp_path / "exported")
    assert not reranker.facts.reads_segments
    assert len(reranker(QUERY, TEXTS)) == len(TEXTS)


def test_what_is_no_cross_encoder_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no cross-encoder: it has 3 labels"):
        export(make_tiny_cross_encoder(tmp_path / "three", num_labels=3), tmp_path / "out")
    with pytest.raises(UserError, match=r"no cross-encoder: it has 2 labels"):
        export(make_tiny_bert(tmp_path / "bert"), tmp_path / "out")
    headless = make_tiny_bert(tmp_path / "bert")
    config = (headless / "config.json").read_text().replace("{", '{"id2label": {"0": "x"}, "label2id": {"x": 0},', 1)
    (headless / "config.json").write_text(config)
    with pytest.raises(UserError, match=r"no cross-encoder: it lacks \d+ weights \(first: classifier"):
        export(headless, tmp_path / "out")
    with pytest.raises(UserError, match="cannot be loaded from the hub"):
        export(Path("nobody/cross"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_more_tokens_than_the_model_can_read_are_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read 30 tokens"):
        export(model, tmp_path / "out", reranker_tokens=30)


@pytest.mark.parametrize("damage", [GRAPH, FACTS, TOKENIZER])
def test_damaged_files_are_told_in_words(exported: Path, tmp_path: Path, damage: str) -> None:
    for name in (GRAPH, FACTS, TOKENIZER):
        (tmp_path / name).write_bytes((exported / name).read_bytes()[: 50 if name == damage else None])
    with pytest.raises(UserError, match=r"cross-encoder in .* cannot be read"):
        load_reranker(tmp_path)
