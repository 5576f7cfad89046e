"""A whole split encoded once: in memory where it fits, else in memory-mapped files."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.module import Example

Arrays = dict[str, npt.NDArray[Any]]
CHUNK = 512


def encode_split(
    encode: Callable[[Sequence[Example]], Arrays],
    examples: Sequence[Example],
    *,
    memory_gb: float,
    progress: Callable[[int, int], None] | None = None,
) -> Arrays:
    """Encodes every example once, so that no epoch tokenises or decodes again.

    Args:
        encode: The task's `encode`; each of its arrays has the same row shape for every example.
        examples: One split.
        memory_gb: Above this size the arrays live in memory-mapped temporary files.
        progress: Called with (done, total).

    Returns:
        Name to array, (len(examples), ...) each.
    """
    first = encode(examples[:CHUNK])
    rows = len(examples)
    size_gb = sum(array[0].nbytes for array in first.values()) * rows / 2**30
    store = {name: _allocate(array, rows, on_disk=size_gb > memory_gb) for name, array in first.items()}
    for start in range(0, rows, CHUNK):
        chunk = first if start == 0 else encode(examples[start : start + CHUNK])
        for name, array in chunk.items():
            store[name][start : start + len(array)] = array
        if progress:
            progress(min(start + CHUNK, rows), rows)
    return store


def _allocate(like: npt.NDArray[Any], rows: int, *, on_disk: bool) -> npt.NDArray[Any]:
    shape = (rows, *like.shape[1:])
    if not on_disk:
        return np.empty(shape, like.dtype)
    # The file is unlinked while it is mapped: the space is given back when the process ends, however it ends.
    with tempfile.NamedTemporaryFile(prefix="ai_app_suite_", suffix=".arrays") as file:
        return np.memmap(Path(file.name), dtype=like.dtype, mode="w+", shape=shape)
