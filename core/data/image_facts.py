"""Facts of the training split that travel with a model: colours, sharpness, brightness, ages, sexes, sites, masks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.config import Record
from core.data.image_quality import image_quality
from core.data.image_rows import ImageRow

CHUNK_BYTES = 1 << 25


class PixelStatistics(Record):
    """Colours, sharpness and brightness of the training images at training size."""

    mean: tuple[float, float, float]
    """Mean of red, green and blue, 0 to 1."""
    std: tuple[float, float, float]
    """Standard deviation of red, green and blue, 0 to 1, at least 1/255."""
    sharpness_p0_1: float
    """Sharpness (`image_quality`) below which 0.1 % of the images lie."""
    sharpness_p1: float
    sharpness_median: float
    brightness_p0_1: float
    """Mean grey level, 0 to 255, below which 0.1 % of the images lie."""
    brightness_p1: float
    brightness_median: float
    brightness_p99: float
    brightness_p99_9: float


class MetadataFacts(Record):
    """What the training split says of patients, and of masks."""

    age_mean: float | None = None
    """Years."""
    age_std: float | None = None
    """Years."""
    sexes: tuple[str, ...] = ()
    """Words seen, sorted."""
    sites: tuple[str, ...] = ()
    """Words seen, sorted."""
    mask_share: float = 0.0
    """Share of examples with a mask."""
    has_only_boxes: bool = False
    """Whether there are masks and all of them are filled boxes."""


def pixel_statistics(pixels: NDArray[np.uint8], index: Sequence[int]) -> PixelStatistics:
    """Statistics of the images at these positions: exact sums, so that order and chunks do not matter.

    Args:
        pixels: uint8 (N, px, px, 3).
        index: Positions in `pixels`, at least one.
    """
    sums, squares = np.zeros(3, np.int64), np.zeros(3, np.int64)
    sharpness, brightness = [], []
    chunk = max(1, CHUNK_BYTES // (pixels[0].size * 8))
    for start in range(0, len(index), chunk):
        batch = pixels[list(index[start : start + chunk])]
        rows = batch.reshape(-1, batch.shape[2] * 3).astype(np.uint16)
        sums += rows.sum(axis=0, dtype=np.int64).reshape(-1, 3).sum(axis=0)
        squares += (rows * rows).sum(axis=0, dtype=np.int64).reshape(-1, 3).sum(axis=0)
        sharp, bright = image_quality(batch)
        sharpness.append(sharp)
        brightness.append(bright)
    count = len(index) * pixels.shape[1] * pixels.shape[2]
    mean = sums / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 1.0))
    sharp_levels = np.percentile(np.concatenate(sharpness), [0.1, 1, 50])
    bright_levels = np.percentile(np.concatenate(brightness), [0.1, 1, 50, 99, 99.9])
    sharp_names = ("sharpness_p0_1", "sharpness_p1", "sharpness_median")
    bright_names = ("brightness_p0_1", "brightness_p1", "brightness_median", "brightness_p99", "brightness_p99_9")
    levels = dict(zip(sharp_names, map(float, sharp_levels), strict=True))
    levels |= dict(zip(bright_names, map(float, bright_levels), strict=True))
    return PixelStatistics.model_validate({"mean": tuple(mean / 255), "std": tuple(std / 255), **levels})


def metadata_facts(rows: Sequence[ImageRow], has_mask: Sequence[bool]) -> MetadataFacts:
    """Facts of the training rows; `has_mask` tells whether a mask was read."""
    ages = [row.age for row in rows if row.age is not None]
    masked = [row for row, is_masked in zip(rows, has_mask, strict=True) if is_masked]
    return MetadataFacts(
        age_mean=float(np.mean(ages)) if ages else None,
        age_std=float(np.std(ages)) if ages else None,
        sexes=tuple(sorted({row.sex for row in rows if row.sex})),
        sites=tuple(sorted({row.site for row in rows if row.site})),
        mask_share=len(masked) / len(rows),
        has_only_boxes=bool(masked) and all(row.mask is None for row in masked),
    )
