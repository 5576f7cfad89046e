"""Pictures of items as squares of pixels; what cannot be read is as if there were none, and is told.

Shapes: N items, P pixels a side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.data.image_files import UnreadableImage, read_bytes, read_image, to_square
from core.data.report import Rejected


@dataclass(frozen=True)
class Pictures:
    """Of some items.

    Args:
        pixels_NPP3: uint8; zeros where there is none.
        there_N: Whether there is one.
        rejected: Those that could not be read, and why.
    """

    pixels_NPP3: npt.NDArray[np.uint8]
    there_N: npt.NDArray[np.bool_]
    rejected: tuple[Rejected, ...] = ()


def read_pictures(
    paths: Sequence[str], folder: Path, px: int, progress: Callable[[int, int], None] = lambda *_: None
) -> Pictures:
    """Reads a picture an item.

    Args:
        paths: Relative to the folder, or absolute; empty = none.
        folder: Of the data.
        px: Side of the squares.
        progress: Called with (items done, all items).
    """
    pixels = np.zeros((len(paths), px, px, 3), np.uint8)
    there = np.zeros(len(paths), np.bool_)
    rejected = []
    for row, path in enumerate(paths):
        if path:
            try:
                pixels[row] = to_square(read_image(read_bytes(folder / path)), px)
                there[row] = True
            except UnreadableImage as error:
                rejected.append(Rejected(path=path, reason=error.reason, sentence=error.what))
        progress(row + 1, len(paths))
    return Pictures(pixels, there, tuple(rejected))
