"""Graphs in eight bits: dynamic, where each call finds the scales of activations, or static, where data has told them.

Dynamic suits products of texts and needs no data. Static suits convolutions too: see Jacob et al., Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, CVPR 2018.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.tasks.task import Arrays

DYNAMIC = ("MatMul", "Gemm", "Gather")
"""Products with weights, and look-ups in tables of vectors. Convolutions are slower in this form than as they were."""
STATIC = ("Conv", "Relu", "Clip", "MatMul", "Gemm", "Add", "Concat", "Resize", "MaxPool", "GlobalAveragePool")
"""What runs in integers from end to end: to leave them between two convolutions costs more than they save."""
KEPT_SCOPE = "'novelty'"
"""Part of the graph that stays in full precision: it costs little, and a threshold hangs on its exact value."""


def quantize_weights(source: Path, target: Path) -> None:
    """Writes a graph beside another, with weights in int8, each output channel with a scale of its own.

    Activations are quantised with one scale a call. An answer may therefore move a little with the examples that
    share its batch.

    Args:
        source: An .onnx file with its weights inside.
        target: The .onnx file to write.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=list(DYNAMIC),
            nodes_to_exclude=_kept(source),
            weight_type=QuantType.QInt8,
            per_channel=True,
        )


def quantize_graph(source: Path, target: Path, batches: Sequence[Arrays]) -> None:
    """Writes a graph beside another, with weights and activations in int8, scaled by what some examples show.

    Each output channel of a weight has a scale of its own, each activation one. Batch normalisations are folded into
    the convolutions before.

    Args:
        source: An .onnx file with its weights inside.
        target: The .onnx file to write.
        batches: Inputs of the graph, from training data.
    """
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(batches)

        def get_next(self) -> dict[str, Any] | None:
            found = next(self.left, None)
            return {name: np.ascontiguousarray(array) for name, array in found.items()} if found else None

    with _quiet(), tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        quant_pre_process(source, folded, skip_symbolic_shape=True)
        quantize_static(
            folded,
            target,
            Reader(),
            op_types_to_quantize=list(STATIC),
            nodes_to_exclude=_kept(folded),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )


def _kept(file: Path) -> list[str]:
    """Names of the nodes that stay in full precision."""
    import onnx

    return [
        node.name
        for node in onnx.load(file, load_external_data=False).graph.node
        if any(prop.key.endswith("name_scopes") and KEPT_SCOPE in prop.value for prop in node.metadata_props)
    ]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """It advises to infer shapes first; the exporter has written them all."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
