"""A text model in ONNX Runtime: a batch and a length of any size, compared with PyTorch."""

import logging
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import Tensor, nn


class Served(nn.Module):
    """As the serving graph calls a model: by names. An output called embedding would clash with the operator."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = self.model.serve(**inputs)  # type: ignore[operator]
        return {"logits": outputs["logits"], "pooled": outputs["embedding"]}


def to_onnx(graph: nn.Module, name: str, example: npt.NDArray[np.int32], path: Path, outputs: list[str]) -> None:
    """The graph in a file, every axis of its one input free."""
    largest = {"batch": 4096, "length": example.shape[1], "slots": example.shape[-1]}
    names = list(largest)[: example.ndim]
    free = {axis: torch.export.Dim(symbol, min=1, max=largest[symbol]) for axis, symbol in enumerate(names)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph.eval(),
            kwargs={name: torch.from_numpy(example)},
            dynamo=True,
            opset_version=20,
            input_names=[name],
            output_names=outputs,
            dynamic_shapes={"inputs": {name: free}},
            verbose=False,
        )
    assert program is not None
    program.save(path, external_data=False)


def export(model: nn.Module, name: str, example: npt.NDArray[np.int32], path: Path) -> onnxruntime.InferenceSession:
    """A text model in ONNX Runtime."""
    to_onnx(Served(model), name, example, path, ["logits", "pooled"])
    return onnxruntime.InferenceSession(path)


def largest_difference(
    model: nn.Module, session: onnxruntime.InferenceSession, name: str, array: npt.NDArray[np.int32]
) -> float:
    """Over all outputs."""
    with torch.no_grad():
        outputs = model.eval().serve(**{name: torch.from_numpy(array)})  # type: ignore[operator]
    logits, embedding = session.run(["logits", "pooled"], {name: array})
    pairs = ((outputs["logits"], logits), (outputs["embedding"], embedding))
    return max(float(np.abs(ours.numpy() - theirs).max()) for ours, theirs in pairs)
