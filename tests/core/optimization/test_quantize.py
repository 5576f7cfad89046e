"""int8: smaller, nearly the same answers, any batch and length; what novelty computes stays exact."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from export.small_bundle import SPEC
from faults.train_worker import make_arrays

from core.export.feature_distance import FeatureDistance
from core.export.graph import ServingGraph
from core.export.novelty import Distance, Novelty
from core.export.session import Session
from core.optimization.quantize import quantize_graph, quantize_weights
from core.serving.predictor import load_predictor
from tests.core.backbones.tiny_bert import HIDDEN
from tests.core.optimization.intent_graph import IntentGraph, write_graph


@pytest.fixture(scope="module")
def int8(intents: IntentGraph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("int8") / "small.onnx"
    quantize_weights(intents.file, file)
    return file


def operators(file: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(file).graph.node)


def test_answers_are_nearly_the_same(intents: IntentGraph, int8: Path) -> None:
    full, small = (
        Session(file, ["tokens"]).run_all(intents.arrays, intents.task.trim) for file in (intents.file, int8)
    )
    assert full.keys() == small.keys()
    difference = np.abs(full["probabilities"] - small["probabilities"])
    assert 0 < difference.max() < 0.1
    assert (full["probabilities"].argmax(1) == small["probabilities"].argmax(1)).all()


@pytest.mark.parametrize(("rows", "length"), [(1, 3), (1, 16), (5, 7), (33, 16)])
def test_batch_and_length_stay_open(rows: int, length: int, intents: IntentGraph, int8: Path) -> None:
    tokens = np.resize(intents.arrays["tokens"], (rows, 16))[:, :length]
    outputs = Session(int8, ["tokens"]).run({"tokens": tokens})
    assert outputs["probabilities"].shape == (rows, 3)
    assert outputs["novelty"].shape == (rows,)
    np.testing.assert_allclose(outputs["probabilities"].sum(1), 1, atol=1e-5)


def test_products_and_tables_hold_bytes(int8: Path) -> None:
    graph = onnx.load(int8).graph
    assert operators(int8)["MatMulInteger"] >= 6 * 2
    large = [weight for weight in graph.initializer if np.prod(weight.dims) >= 16 * 16]
    assert {weight.data_type for weight in large} == {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}


def test_each_output_channel_has_its_own_scale(int8: Path) -> None:
    graph = onnx.load(int8).graph
    assert any(list(weight.dims) == [32] for weight in graph.initializer if weight.name.endswith("_scale"))


def test_what_novelty_computes_stays_in_floating_point(intents: IntentGraph, tmp_path: Path) -> None:
    distance = Distance(FeatureDistance(torch.randn(3, HIDDEN), torch.eye(HIDDEN)))
    graph = ServingGraph(intents.graph.model, Novelty("distance", distance), 1.0)
    write_graph(graph, intents.task, intents.arrays, tmp_path / "full.onnx")
    quantize_weights(tmp_path / "full.onnx", tmp_path / "small.onnx")
    types = {weight.name: weight.data_type for weight in onnx.load(tmp_path / "small.onnx").graph.initializer}
    assert types["novelty.score.distance.whitening"] == onnx.TensorProto.FLOAT


def test_it_says_nothing(
    intents: IntentGraph, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    level = logging.getLogger().level
    quantize_weights(intents.file, tmp_path / "small.onnx")
    caught = capfd.readouterr()
    assert (caught.out, caught.err, caplog.records) == ("", "", [])
    assert logging.getLogger().level == level
    assert [file.name for file in tmp_path.iterdir()] == ["small.onnx"]


# ---- static --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def static(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    task = load_predictor(small_bundle, SPEC, threads=1).task
    names = [spec.name for spec in task.served_inputs]
    shown = make_arrays(64, 0)
    batches = [{name: shown[name][start : start + 16] for name in names} for start in range(0, 64, 16)]
    file = tmp_path_factory.mktemp("static") / "small.onnx"
    quantize_graph(small_bundle / "model.onnx", file, batches)
    return file


def test_convolutions_run_in_integers_from_end_to_end(static: Path, tmp_path: Path) -> None:
    optimised = tmp_path / "optimised.onnx"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(optimised)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = 3
    onnxruntime.InferenceSession(static, options, providers=["CPUExecutionProvider"])
    found = operators(optimised)
    assert found["QLinearConv"] > 10
    assert found["Conv"] == 0
    assert found["BatchNormalization"] == 0
    graph = onnx.load(optimised).graph
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    left = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in made_by]
    taken_by = {node.op_type for node in graph.node for found in left if found.output[0] in node.input}
    assert not taken_by & {"Conv", "Relu", "QuantizeLinear"}


def test_pictures_are_answered_nearly_the_same_in_any_batch(static: Path, small_bundle: Path) -> None:
    task = load_predictor(small_bundle, SPEC, threads=1).task
    names = [spec.name for spec in task.served_inputs]
    full, small = (Session(file, names) for file in (small_bundle / "model.onnx", static))
    arrays = make_arrays(33, 1)
    before, after = (session.run({name: arrays[name] for name in names}) for session in (full, small))
    assert before.keys() == after.keys()
    difference = np.abs(before["probabilities"] - after["probabilities"])
    assert 0 < difference.max() < 0.2
    assert (before["probabilities"].argmax(1) == after["probabilities"].argmax(1)).mean() > 0.9
    one = small.run({name: arrays[name][:1] for name in names})
    np.testing.assert_allclose(one["probabilities"], after["probabilities"][:1], atol=1e-5)
