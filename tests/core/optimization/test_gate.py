"""The gate: figures of both graphs on the same examples, and what speaks against serving the smaller one."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from export.small_bundle import SPEC, pictures
from faults.train_worker import make_arrays

from core.config import ExportConfig
from core.errors import UserError
from core.evaluation.uncertainty import Estimate
from core.export.bundle import INT8_GRAPH, MANIFEST
from core.export.graph import ServingGraph
from core.files import sha256_of
from core.optimization.gate import Pair, Trial, compare_graphs, try_int8
from core.serving.predictor import load_predictor
from tests.core.optimization.intent_graph import IntentGraph, write_graph

AT_ANY_SPEED = ExportConfig(quantize_speedup=0)
GOOD = Trial(
    examples=100,
    accuracy=Pair(0.950, 0.947),
    given_up=Estimate(0.003, -0.01, 0.016),
    accepted=Pair(0.98, 0.97),
    refused_outside=Pair(0.9, 0.5),
    sensitivity=Pair(0.9, 0.9),
    one_ms=Pair(1.1, 1.0),
    batch_ms=Pair(30.0, 10.0),
    megabytes=Pair(4.0, 1.0),
    largest_difference=0.2,
    same_label=0.99,
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ()),
        ({"accuracy": Pair(0.95, 0.99)}, ()),
        ({"sensitivity": None, "refused_outside": None}, ()),
        ({"one_ms": Pair(1.0, 1.0)}, ("one example is 1.00 times as fast, 1.1 times",)),
        ({"batch_ms": Pair(10.0, 20.0)}, ("a batch of 32 is 0.50 times as fast",)),
        ({"accuracy": Pair(0.950, 0.946)}, ("accuracy falls by 0.40%, at most 0.30%",)),
        ({"sensitivity": Pair(0.90, 0.88)}, ("sensitivity falls by 2.00%",)),
        ({"accepted": Pair(0.98, 0.96)}, ("lets pass changes from 98.00% to 96.00%",)),
        ({"accepted": Pair(0.96, 0.98)}, ("lets pass changes from 96.00% to 98.00%",)),
        ({"one_ms": Pair(1, 9), "accuracy": Pair(0.9, 0.1)}, ("one example", "accuracy falls by 80.00%")),
    ],
    ids=str,
)
def test_what_speaks_against_a_graph(change: dict[str, Pair | None], words: tuple[str, ...]) -> None:
    trial = replace(GOOD, **change)
    objections = trial.objections(ExportConfig())
    assert len(objections) == len(words)
    for objection, word in zip(objections, words, strict=True):
        assert word in objection
    told = trial.to_json(ExportConfig())
    json.dumps(told, allow_nan=False)
    assert told["kept"] is not bool(words)
    assert told["accuracy"] == {"full": trial.accuracy.full, "int8": trial.accuracy.int8}
    assert all(len(row) == 3 for row in trial.rows())


@pytest.fixture
def copied(intents: IntentGraph, tmp_path: Path) -> Path:
    """model.onnx of the intents in a folder of its own."""
    return shutil.copy(intents.file, tmp_path / "model.onnx")


def test_good_graph_is_kept_with_its_figures(intents: IntentGraph, copied: Path) -> None:
    trial = try_int8(copied, intents.task, intents.arrays, intents.policy, AT_ANY_SPEED)
    assert (copied.parent / INT8_GRAPH).is_file()
    assert trial.examples == 39
    assert trial.accuracy == (1, 1)
    assert trial.accepted.full == pytest.approx(intents.policy.accepted_share)
    assert trial.refused_outside is not None
    assert trial.sensitivity is None
    assert min(*trial.one_ms, *trial.batch_ms) > 0
    assert trial.megabytes.int8 < trial.megabytes.full
    assert 0 < trial.largest_difference < 0.1
    assert 0.9 < trial.same_label <= 1


def test_graph_that_is_not_fast_enough_is_not_kept(intents: IntentGraph, copied: Path) -> None:
    config = ExportConfig(quantize_speedup=1e6)
    trial = try_int8(copied, intents.task, intents.arrays, intents.policy, config)
    assert len(trial.objections(config)) == 2
    assert [file.name for file in copied.parent.iterdir()] == ["model.onnx"]


def test_wrong_weights_are_seen_as_lost_accuracy(intents: IntentGraph, tmp_path: Path) -> None:
    file = tmp_path / "spoilt.onnx"
    head = intents.graph.model.classifier  # type: ignore[union-attr]
    right = head.weight.detach().clone()
    with torch.no_grad():
        head.weight.copy_(right.roll(1, 0))  # type: ignore[operator,union-attr]
    write_graph(intents.graph, intents.task, intents.arrays, file)
    with torch.no_grad():
        head.weight.copy_(right)  # type: ignore[operator,union-attr]
    trial = compare_graphs(intents.file, file, intents.task, intents.arrays, intents.policy)
    assert trial.accuracy.full == 1
    assert trial.accuracy.int8 < 0.7
    assert trial.given_up.value == pytest.approx(trial.accuracy.full - trial.accuracy.int8)
    assert 0.1 < trial.given_up.low <= trial.given_up.value <= trial.given_up.high
    (told,) = trial.objections(AT_ANY_SPEED)
    assert "accuracy falls by" in told


class Stranger(torch.nn.Module):
    """A novelty that finds everything strange."""

    def forward(self, logits_BK: torch.Tensor, embedding_BD: torch.Tensor) -> torch.Tensor:
        return logits_BK.sum(dim=1) * 0 + embedding_BD.sum(dim=1) * 0 + 1e6


def test_drift_of_novelty_is_seen(intents: IntentGraph, tmp_path: Path) -> None:
    file = tmp_path / "strange.onnx"
    graph = ServingGraph(intents.graph.model, Stranger(), intents.graph.temperature)
    write_graph(graph, intents.task, intents.arrays, file)
    trial = compare_graphs(intents.file, file, intents.task, intents.arrays, intents.policy)
    assert trial.accuracy == (1, 1)
    assert trial.accepted.int8 == 0
    assert trial.refused_outside is not None
    assert trial.refused_outside.int8 == 1
    (told,) = trial.objections(AT_ANY_SPEED)
    assert "novelty gate" in told


def test_examples_without_a_label_cannot_be_measured(intents: IntentGraph) -> None:
    outside = {name: array[intents.arrays["label"] < 0] for name, array in intents.arrays.items()}
    with pytest.raises(UserError, match="No validation example has a label"):
        compare_graphs(intents.file, intents.file, intents.task, outside, intents.policy)


@pytest.mark.parametrize("method", ["dynamic", "static"])
def test_net_of_pictures_serves_the_kept_graph(method: str, small_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(small_bundle, tmp_path / "bundle"))
    before = load_predictor(bundle, SPEC, threads=1)
    arrays = make_arrays(32, 1)
    told_by = make_arrays(64, 0) if method == "static" else None
    config = ExportConfig(quantize_speedup=0, quantize_accuracy_given_up=0.04, quantize_accepted_change=0.1)
    trial = try_int8(bundle / "model.onnx", before.task, arrays, before.policy, config, told_by)
    assert trial.method == method
    assert not trial.objections(config)
    assert trial.sensitivity is not None
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["files"][INT8_GRAPH] = sha256_of(bundle / INT8_GRAPH)
    (bundle / MANIFEST).write_text(json.dumps(manifest))
    after = load_predictor(bundle, SPEC, threads=1)
    examples = [{"image": picture} for picture in pictures(6)]
    first, second = ([answer.to_json() for answer in made.predict(examples)] for made in (before, after))
    assert [answer["label"] for answer in first] == [answer["label"] for answer in second]
    shares = np.array([[answer["probability"] for answer in answers] for answers in (first, second)])
    assert 0 < np.abs(shares[0] - shares[1]).max() < 0.1
