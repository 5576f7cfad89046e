"""A graph with eight-bit weights: the scale of activations is found anew in each call, so no data is needed."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

OPERATORS = ("MatMul", "Gemm", "Gather")
"""Products with weights, and look-ups in tables of vectors. Convolutions are slower in this form than as they were."""
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
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    kept = [
        node.name
        for node in onnx.load(source, load_external_data=False).graph.node
        if any(prop.key.endswith("name_scopes") and KEPT_SCOPE in prop.value for prop in node.metadata_props)
    ]
    with _quiet():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=list(OPERATORS),
            nodes_to_exclude=kept,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )


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
