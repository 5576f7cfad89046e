"""PyTorch to one ONNX file, and the proof that both say the same."""

import contextlib
import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core.errors import UserError
from core.export.session import Session
from core.tasks.task import Arrays, ArraySpec

MAX_SIZE = 4096


@dataclass(frozen=True)
class Parity:
    """How ONNX Runtime and PyTorch compared on real examples.

    Args:
        examples: How many.
        largest_difference: In probability, or in any output of a graph without classes.
        top1_agreement: Share of examples with the same first label; None = no classes.
    """

    examples: int
    largest_difference: float
    top1_agreement: float | None

    def to_json(self) -> dict[str, float | None]:
        return asdict(self)

    def sentence(self) -> str:
        """For a console."""
        said = f"ONNX equals PyTorch on {self.examples} validation examples: largest difference"
        if self.top1_agreement is None:
            return f"{said} {self.largest_difference:.1e}"
        return f"{said} in probability {self.largest_difference:.1e}, same first label {self.top1_agreement:.1%}"


def export_onnx(
    graph: nn.Module,
    example: Arrays,
    specs: Sequence[ArraySpec],
    outputs: Sequence[ArraySpec],
    path: Path,
    *,
    opset: int,
) -> None:
    """Writes the graph as one file; weights are inside it. Sizes that are symbols stay open.

    Args:
        graph: On the CPU, in float32.
        example: Two or more encoded examples, inputs only.
        specs: Of these inputs.
        outputs: The graph's outputs, of which the names are taken.
        path: Of the .onnx file.
        opset: ONNX operator set.
    """
    inputs = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in example.items()}
    graph.eval()
    with torch.no_grad():
        produced = tuple(graph(**inputs))
    assert set(produced) == {spec.name for spec in outputs}, (produced, outputs)
    with _quiet():
        program = torch.onnx.export(
            graph,
            kwargs=inputs,
            dynamo=True,
            opset_version=opset,
            input_names=list(inputs),
            output_names=list(produced),
            dynamic_shapes={"inputs": open_sizes(specs)},
            verbose=False,
        )
    assert program is not None
    # Where the code compares a size with a constant, the exporter fixes it without a word.
    opened = {value.name: tuple(map(str, value.shape or ())) for value in program.model.graph.inputs}
    fixed = [(spec, opened[spec.name]) for spec in specs if opened[spec.name] != tuple(map(str, spec.shape))]
    assert not fixed, f"sizes that should be open were fixed: {fixed}"
    program.save(path, external_data=False)


def open_sizes(specs: Sequence[ArraySpec]) -> dict[str, dict[int, Any]]:
    """For each input its axes that are symbols, the same symbol being the same size everywhere."""
    symbols = sorted({size for spec in specs for size in spec.shape if isinstance(size, str)})
    sizes = {symbol: torch.export.Dim(symbol, min=1, max=MAX_SIZE) for symbol in symbols}
    return {
        spec.name: {axis: sizes[size] for axis, size in enumerate(spec.shape) if isinstance(size, str)}
        for spec in specs
    }


def check_parity(graph: nn.Module, path: Path, arrays: Arrays, tolerance: float) -> Parity:
    """Runs both on the same examples.

    Raises:
        UserError: They differ by more than the tolerance.
    """
    served = Session(path, list(arrays)).run(arrays)
    with torch.no_grad():
        reference = graph(**{name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()})
    compared = ["probabilities"] if "probabilities" in served else list(served)
    expected = {name: reference[name].numpy() for name in compared}
    agreement = None
    if "probabilities" in served:
        agreement = float((expected["probabilities"].argmax(1) == served["probabilities"].argmax(1)).mean())
    parity = Parity(
        examples=len(next(iter(arrays.values()))),
        largest_difference=max(float(np.abs(expected[name] - served[name]).max()) for name in compared),
        top1_agreement=agreement,
    )
    if not parity.largest_difference <= tolerance:
        raise UserError(
            f"ONNX and PyTorch differ by {parity.largest_difference:.2g} in {' and '.join(compared)}.",
            f"At most {tolerance:g} is allowed.",
            "Try another export.opset; please report the backbone.",
        )
    return parity


@contextlib.contextmanager
def _quiet() -> Any:
    """The exporter narrates through warnings and loggers; none of it concerns the user."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
