"""ONNX Runtime on one file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.hardware import restricted_cores
from core.tasks.task import Arrays


class Session:
    """A graph that runs. Safe to call from several threads.

    Args:
        path: The .onnx file.
        inputs: Names that the graph takes.
        threads: Inside one call; 0 = one for each core that it may use.
    """

    def __init__(self, path: Path, inputs: Sequence[str], *, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Left to itself it starts a thread for each core of the machine, also where the process may use fewer.
        options.intra_op_num_threads = threads or restricted_cores()
        options.log_severity_level = 3
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        available = onnxruntime.get_available_providers()
        providers = [name for name in wanted if name in available]
        # On a CPU the fused kernel takes several times as long as an addition and a normalisation after it.
        slower = ["SkipLayerNormFusion"] if providers == ["CPUExecutionProvider"] else []
        self._session = onnxruntime.InferenceSession(path, options, providers=providers, disabled_optimizers=slower)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._inputs = tuple(inputs)

    def run(self, arrays: Arrays) -> Arrays:
        """The graph's outputs; arrays that it does not take are left aside."""
        feed = {name: np.ascontiguousarray(arrays[name]) for name in self._inputs}
        return dict(zip(self._outputs, self._session.run(None, feed), strict=True))

    def run_all(
        self, arrays: Arrays, prepare: Callable[[Arrays], Arrays] = lambda batch: batch, batch_size: int = 32
    ) -> Arrays:
        """The same in batches, for many examples.

        Args:
            arrays: One row an example.
            prepare: Makes what the graph takes of a batch, such as without padding that no row needs.
            batch_size: Examples of one call.

        Returns:
            Outputs of all; where those of a batch are shorter, zeros follow them.
        """
        rows = len(next(iter(arrays.values())))
        parts = [
            self.run(prepare({name: array[start : start + batch_size] for name, array in arrays.items()}))
            for start in range(0, rows, batch_size)
        ]
        return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Rows of all parts, each padded with zeros to the largest."""
    shape = tuple(np.max([part.shape[1:] for part in parts], axis=0).astype(int))
    if all(part.shape[1:] == shape for part in parts):
        return np.concatenate(parts)
    joined = np.zeros((sum(map(len, parts)), *shape), parts[0].dtype)
    start = 0
    for part in parts:
        joined[(slice(start, start + len(part)), *(slice(0, size) for size in part.shape[1:]))] = part
        start += len(part)
    return joined
