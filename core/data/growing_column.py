"""A column of numbers that grows by batches, in few large blocks, so that its memory goes back to the system at once.

Many small arrays would do, were it not that allocators keep the places of small ones when they are freed: joining them
would then take the memory of both.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FIRST_BLOCK, LARGEST_BLOCK = 1 << 16, 1 << 25


class GrowingColumn:
    """Values are appended, then taken out as one array.

    Args:
        dtype: Of the values.
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self.blocks: list[npt.NDArray[Any]] = []
        self.used = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        """Adds values at the end."""
        while len(values):
            if not self.blocks or self.used == len(self.blocks[-1]):
                size = min(2 * len(self.blocks[-1]), LARGEST_BLOCK) if self.blocks else FIRST_BLOCK
                self.blocks.append(np.empty(size, self.dtype))
                self.used = 0
            block = self.blocks[-1]
            fitting = values[: len(block) - self.used]
            block[self.used : self.used + len(fitting)] = fitting
            self.used += len(fitting)
            values = values[len(fitting) :]

    def take_out(self) -> npt.NDArray[Any]:
        """All values as one array; the column is empty afterwards."""
        full, last = self.blocks[:-1], [block[: self.used] for block in self.blocks[-1:]]
        whole = np.concatenate([*full, *last] or [np.empty(0, self.dtype)])
        self.blocks = []
        return whole
