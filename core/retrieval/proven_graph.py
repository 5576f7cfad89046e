"""A network of one output as an ONNX file, with the proof that the file says the same."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core.config import ExportConfig
from core.errors import UserError
from core.export.onnx import export_onnx
from core.export.session import Session
from core.tasks.task import Arrays, ArraySpec


def export_proven(
    graph: nn.Module, arrays: Arrays, specs: Sequence[ArraySpec], output: ArraySpec, path: Path, export: ExportConfig
) -> tuple[float, tuple[int, ...]]:
    """Writes a graph; gives the largest difference that its output has for these arrays, and the shape of that output.

    Args:
        graph: Named arrays to a mapping with the output; on the CPU, in float32.
        arrays: Encoded examples.
        specs: Of these arrays.
        output: What the graph gives.
        path: Of the .onnx file.
        export: Operator set, and how much may differ.

    Raises:
        UserError: More differs.
    """
    export_onnx(graph, arrays, specs, (output,), path, opset=export.opset)
    found = Session(path, [spec.name for spec in specs]).run(arrays)[output.name]
    with torch.no_grad():
        wanted = graph(**{name: torch.from_numpy(array) for name, array in arrays.items()})[output.name].numpy()
    parity = float(np.abs(found - wanted).max())
    if not parity <= export.parity_tolerance:
        raise UserError(
            f"ONNX and PyTorch differ by {parity:.2g} in a {output.name}.",
            f"At most {export.parity_tolerance:g} is allowed.",
            "Try another export.opset.",
        )
    return parity, wanted.shape
