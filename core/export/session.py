"""ONNX Runtime on one file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.tasks.task import Arrays


class Session:
    """A graph that runs. Safe to call from several threads.

    Args:
        path: The .onnx file.
        inputs: Names that the graph takes.
        threads: Inside one call; 0 = one a core.
    """

    def __init__(self, path: Path, inputs: Sequence[str], *, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        available = onnxruntime.get_available_providers()
        providers = [name for name in wanted if name in available]
        self._session = onnxruntime.InferenceSession(path, options, providers=providers)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._inputs = tuple(inputs)

    def run(self, arrays: Arrays) -> Arrays:
        """The graph's outputs; arrays that it does not take are left aside."""
        feed = {name: np.ascontiguousarray(arrays[name]) for name in self._inputs}
        return dict(zip(self._outputs, self._session.run(None, feed), strict=True))

    def run_all(self, arrays: Arrays, batch_size: int = 32) -> Arrays:
        """The same in batches, for many examples."""
        rows = len(arrays[self._inputs[0]])
        parts = [
            self.run({name: arrays[name][start : start + batch_size] for name in self._inputs})
            for start in range(0, rows, batch_size)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
