"""One row of an image data set is decoded: pixels, mask, hashes and size, or the reason why not."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.data.image_files import (
    ImageInput,
    UnreadableImage,
    read_bytes,
    read_full_mask,
    read_image,
    shrink_mask,
    to_square,
)
from core.data.image_rows import Box, Content, ImageRow

# sha256 is of the file (of the pixels where there is no file); pixel_hash is of the square that the model sees.
FACTS = np.dtype(
    [
        ("accepted", "?"),
        ("is_plain", "?"),
        ("sha256", "u1", (32,)),
        ("pixel_hash", "u1", (16,)),
        ("dhash", "<u8"),
        ("width", "<i4"),
        ("height", "<i4"),
        ("mask_slot", "<i4"),
    ]
)
PLAIN_STD = 4.0
MAX_ASPECT_DIFFERENCE = 0.02


@dataclass(frozen=True)
class Decoded:
    """One decoded row.

    Args:
        pixels: uint8 (px, px, 3), or None when the image was rejected.
        mask: uint8 (px, px) of 0 and 1, or None.
        facts: Values in the order of `FACTS`; the mask slot is filled in by the cache.
        rejected: (path, reason, sentence) of the image or of its mask.
        note: What was chosen while reading.
    """

    pixels: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None
    facts: tuple[Any, ...] = ()
    rejected: tuple[tuple[str, str, str], ...] = ()
    note: str = ""


def decode_row(row: ImageRow, px: int, max_megapixels: float) -> Decoded:
    """Decodes an image and its mask; never raises for a bad file."""
    try:
        source = _content(row.content)
        image = read_image(source, max_megapixels=max_megapixels)
    except UnreadableImage as error:
        return Decoded(rejected=((row.path, error.reason, error.what),))
    pixels = to_square(image, px)
    dhash, is_plain = difference_hash(pixels)
    sha256 = hashlib.sha256(source if isinstance(source, bytes) else np.ascontiguousarray(np.asarray(source)).tobytes())
    hashes = (tuple(sha256.digest()), tuple(hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()))
    facts = (True, is_plain, *hashes, dhash, image.width, image.height, -1)
    note = image.info.get("note", "")
    try:
        mask = _mask(row, image.size, px, max_megapixels)
    except UnreadableImage as error:
        name = row.mask.name if isinstance(row.mask, Path) else row.path
        return Decoded(pixels, None, facts, ((f"mask {name}", error.reason, error.what),), note)
    return Decoded(pixels, mask, facts, (), note)


def difference_hash(pixels: NDArray[np.uint8]) -> tuple[int, bool]:
    """64-bit difference hash, and whether the image is too plain for it to mean anything.

    The grey image is shrunk to 9 x 8; a bit tells whether a pixel is brighter than its right neighbour. Where the
    shrunken image hardly varies (standard deviation below 4 grey levels) the bits are noise.

    Source: N. Krawetz, "Kind of like that", The Hacker Factor Blog, 2013.
    """
    small = np.asarray(Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = np.packbits(small[:, :-1] > small[:, 1:])
    return int.from_bytes(bits.tobytes(), "big"), bool(small.std() < PLAIN_STD)


def fill_boxes(boxes: Sequence[Box], size: tuple[int, int], px: int) -> NDArray[np.uint8]:
    """The filled boxes as a mask.

    Args:
        boxes: (xmin, ymin, xmax, ymax) in pixels of the image, the last two exclusive.
        size: Width and height of the image, in pixels.
        px: Side of the mask, in pixels.

    Returns:
        uint8 (px, px) of 0 and 1; a box covers at least one pixel.

    Raises:
        UnreadableImage: A box has no area inside the image.
    """
    mask = np.zeros((px, px), np.uint8)
    width, height = size
    for xmin, ymin, xmax, ymax in boxes:
        left, right = max(xmin, 0.0), min(xmax, float(width))
        top, bottom = max(ymin, 0.0), min(ymax, float(height))
        if not (left < right and top < bottom):
            box = f"({xmin:g}, {ymin:g}, {xmax:g}, {ymax:g})"
            raise UnreadableImage(
                "corrupt", f"The box {box} has no area inside the image of {width} x {height} pixels."
            )
        columns, rows = _span(left, right, width, px), _span(top, bottom, height, px)
        mask[rows, columns] = 1
    return mask


def _span(low: float, high: float, full: int, px: int) -> slice:
    start = min(round(low / full * px), px - 1)
    return slice(start, max(round(high / full * px), start + 1))


def _content(content: Content) -> ImageInput:
    """Bytes of a file, or pixels."""
    return read_bytes(content) if isinstance(content, Path) else content()


def _mask(row: ImageRow, size: tuple[int, int], px: int, max_megapixels: float) -> NDArray[np.uint8] | None:
    if row.mask is None:
        return fill_boxes(row.boxes, size, px) if row.boxes else None
    mask = read_full_mask(_content(row.mask), max_megapixels=max_megapixels)
    aspect = (mask.shape[1] / mask.shape[0]) / (size[0] / size[1])
    if abs(aspect - 1) > MAX_ASPECT_DIFFERENCE + 1 / min(*mask.shape, *size):
        shapes = f"{mask.shape[1]} x {mask.shape[0]} pixels, its image {size[0]} x {size[1]}"
        raise UnreadableImage("wrong_mode", f"The mask is {shapes}.", "Both have the same shape.", "Make them fit.")
    return shrink_mask(mask, px)
