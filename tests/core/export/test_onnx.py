"""The graph that is served says what PyTorch says, for any batch, in one file."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from faults.train_worker import VALIDATION, make_arrays
from torch import nn

from core.backbones.image_config import ImageModelConfig
from core.backbones.image_model import build_image_model
from core.errors import UserError
from core.export.feature_distance import FeatureDistance
from core.export.graph import ServingGraph
from core.export.novelty import Distance
from core.export.onnx import check_parity, export_onnx
from core.export.session import Session
from core.tasks.task import Arrays, ArraySpec

from .small_bundle import Made


def run_torch(graph: nn.Module, arrays: Arrays) -> Arrays:
    with torch.no_grad():
        found = graph(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    return {name: value.numpy() for name, value in found.items()}


@pytest.mark.parametrize("rows", [1, 2, 7, 32])
def test_every_output_of_a_trained_graph_is_the_same_in_any_batch(made: Made, rows: int) -> None:
    image = {"image": make_arrays(32, 5)["image"][:rows]}
    served = Session(made.bundle.path / "model.onnx", ["image"]).run(image)
    expected = run_torch(made.graph, image)
    assert set(served) == set(expected)
    for name, value in served.items():
        assert value.shape == expected[name].shape
        scale = max(1.0, float(np.abs(expected[name]).max()))
        np.testing.assert_allclose(value, expected[name], atol=1e-4 * scale, rtol=1e-3, err_msg=name)


def test_outputs_vary_so_that_equality_means_something(made: Made) -> None:
    served = Session(made.bundle.path / "model.onnx", ["image"]).run({"image": make_arrays(32, 5)["image"]})
    for name, value in served.items():
        assert value.std(axis=0).max() > 1e-3, name
    assert set(served["probabilities"].argmax(axis=1)) == {0, 1, 2}


def test_outputs_are_those_that_the_bundle_states(made: Made) -> None:
    served = Session(made.bundle.path / "model.onnx", ["image"]).run({"image": make_arrays(3, 5)["image"]})
    stated = {spec.name: spec for spec in made.bundle.manifest.outputs}
    assert set(served) == set(stated) == {"probabilities", "novelty", "evidence", "mask"}
    for name, spec in stated.items():
        assert served[name].dtype == spec.dtype
        assert served[name].ndim == len(spec.shape)
        sizes = [(found, size) for found, size in zip(served[name].shape, spec.shape, strict=True)]
        assert all(found == size for found, size in sizes if isinstance(size, int))
        if spec.range:
            assert spec.range[0] <= served[name].min() <= served[name].max() <= spec.range[1]
    np.testing.assert_allclose(served["probabilities"].sum(axis=1), 1, rtol=1e-5)


def test_proof_covers_real_examples(made: Made) -> None:
    parity = made.bundle.read_json("metrics.json")["parity"]
    assert parity["examples"] == VALIDATION
    assert 0 <= parity["largest_difference"] < 1e-4
    assert parity["top1_agreement"] == 1.0


def test_graph_is_one_file_with_a_dynamic_batch(made: Made) -> None:
    model = onnx.load(made.bundle.path / "model.onnx", load_external_data=False)
    onnx.checker.check_model(model)
    assert not [t.name for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param
    assert model.opset_import[0].version == 20
    names = [file.name for file in made.bundle.path.iterdir() if "onnx" in file.name]
    assert names == ["model.onnx"]


def test_many_examples_are_run_in_batches_with_the_same_result(made: Made) -> None:
    session = Session(made.bundle.path / "model.onnx", ["image"])
    arrays = make_arrays(21, 5)
    whole, parts = session.run({"image": arrays["image"]}), session.run_all(arrays, batch_size=4)
    for name, value in whole.items():
        np.testing.assert_allclose(parts[name], value, rtol=1e-4, atol=1e-4)


def randomise(model: nn.Module) -> None:
    """Weights and statistics that let every branch act; a fresh net often multiplies branches by zero."""
    generator = torch.Generator().manual_seed(0)
    for name, value in model.named_parameters():
        if value.ndim == 1 and "bias" not in name:
            value.data.uniform_(0.5, 1.5, generator=generator)
    for name, value in model.named_buffers():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith("running_mean"):
            value.normal_(0, 0.1, generator=generator)


@pytest.mark.parametrize(
    ("backbone", "num_metadata"),
    [
        ("handbook_cnn", 0),
        ("resnet10t", 5),
        pytest.param("convnext_atto", 0, marks=pytest.mark.slow),
        pytest.param("vit_tiny_patch16_224", 0, marks=pytest.mark.slow),
    ],
)
def test_other_networks_export_with_the_same_answers(tmp_path: Path, backbone: str, num_metadata: int) -> None:
    torch.manual_seed(0)
    model = build_image_model(
        ImageModelConfig(backbone=backbone),
        image_px=32,
        num_labels=3,
        num_metadata=num_metadata,
        has_masks=False,
        pixel_mean=(127, 127, 127),
        pixel_std=(60, 60, 60),
    ).eval()
    randomise(model)
    arrays: Arrays = {"image": make_arrays(6, 0)["image"]}
    if num_metadata:
        arrays["metadata"] = np.random.default_rng(0).normal(size=(6, num_metadata)).astype(np.float32)
    with torch.no_grad():
        embedding = model.serve(**{n: torch.from_numpy(a) for n, a in arrays.items()})["embedding"]
    size = embedding.shape[1]
    graph = ServingGraph(model, Distance(FeatureDistance(torch.zeros(2, size), torch.eye(size))), 1.5)
    inputs = [
        ArraySpec(name=n, shape=("batch", *a.shape[1:]), dtype=str(a.dtype), meaning="") for n, a in arrays.items()
    ]
    outputs = [
        ArraySpec(name=n, shape=(), dtype="float32", meaning="") for n in ("probabilities", "novelty", "evidence")
    ]
    file = tmp_path / "model.onnx"
    export_onnx(graph, {name: array[:2] for name, array in arrays.items()}, inputs, outputs, file, opset=20)
    assert check_parity(graph, file, arrays, 1e-4).top1_agreement == 1.0
    served, expected = Session(file, list(arrays)).run(arrays), run_torch(graph, arrays)
    for name, value in served.items():
        np.testing.assert_allclose(value, expected[name], rtol=2e-3, atol=2e-4, err_msg=name)
    assert expected["probabilities"].std(axis=0).max() > 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_graph_that_says_something_else_is_refused(made: Made) -> None:
    other = ServingGraph(made.graph.model, made.graph.novelty, temperature=20.0)
    with pytest.raises(UserError, match="ONNX and PyTorch differ by 0") as caught:
        check_parity(other, made.bundle.path / "model.onnx", {"image": make_arrays(8, 5)["image"]}, 1e-3)
    assert "At most 0.001" in caught.value.allowed
