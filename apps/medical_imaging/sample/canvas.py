"""The square patch of skin a SYNTHETIC picture is painted on: its coordinates, and noise and ink at any size.

Lengths are in half photograph widths, so that a structure keeps its size whatever the resolution. The patch is
wider than the photograph (`MARGIN`), which leaves the camera room to turn and shift.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Field: TypeAlias = npt.NDArray[np.float32]
"""One value a pixel, shape (H, W), or (3, H, W) where it holds colour."""

MARGIN = 1.5
"""Width of the patch in photograph widths; a little over the square root of two, so any rotation is filled."""
INK_SCALE = 3
"""Ink is drawn this many times larger, then averaged: cheap antialiasing."""

SMOOTHING_LOSS = 1.35
"""Enlarging white noise lowers its deviation by this factor."""


@dataclass(frozen=True)
class Canvas:
    """A square patch of skin centred on the origin."""

    size_px: int
    unit_px: float
    x: Field
    y: Field


@dataclass(frozen=True)
class Stroke:
    """A bent line: points (N, 2), the width at each point, and how strong its ink is (0 to 1)."""

    points: npt.NDArray[np.float64]
    widths: npt.NDArray[np.float64]
    strength: float = 1.0


@lru_cache(maxsize=4)
def build_canvas(image_px: int) -> Canvas:
    """A canvas for photographs of that width."""
    size = round(image_px * MARGIN)
    unit = image_px / 2
    axis = (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)) / np.float32(unit)
    x, y = np.meshgrid(axis, axis)
    return Canvas(size, unit, x, y)


def noise(canvas: Canvas, rng: np.random.Generator, scale: float) -> Field:
    """Smooth noise of about zero mean and unit deviation, with features about `scale` wide."""
    return fractal(canvas, rng, scale, octaves=1)


def fractal(canvas: Canvas, rng: np.random.Generator, scale: float, octaves: int = 4, gain: float = 0.55) -> Field:
    """Cloudy noise of about unit deviation: octaves of smooth noise, each half as wide and `gain` times as strong.

    Octaves are added on coarse grids that double in size, so only the last is enlarged to the canvas.
    """
    extent = canvas.size_px / max(scale * canvas.unit_px, 1.0)
    octaves = min(octaves, 1 + max(0, int(math.log2(canvas.size_px / extent))))  # none finer than a pixel
    cells = math.ceil(extent) + 2
    grid = rng.standard_normal((cells, cells), dtype=np.float32)
    for octave in range(1, octaves):
        cells *= 2
        coarse = Image.fromarray(grid).resize((cells, cells), Image.Resampling.BICUBIC)
        grid = np.asarray(coarse) + np.float32(gain**octave) * rng.standard_normal((cells, cells), dtype=np.float32)
    zoom = 2 ** (octaves - 1)
    left, top = rng.random(2) * zoom
    box = (left, top, left + extent * zoom, top + extent * zoom)
    smooth = Image.fromarray(grid).resize((canvas.size_px, canvas.size_px), Image.Resampling.BICUBIC, box=box)
    deviation = math.sqrt(sum(gain ** (2 * octave) for octave in range(octaves)))
    return np.asarray(smooth) * np.float32(SMOOTHING_LOSS / deviation)


def smoothstep(field: Field, low: float | Field, high: float | Field) -> Field:
    """0 below `low`, 1 above `high`, smooth in between."""
    ramp = np.clip((field - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return ramp * ramp * (3 - 2 * ramp)


def draw_strokes(canvas: Canvas, strokes: Sequence[Stroke]) -> Field:
    """How much ink (0 to 1) the strokes leave on each pixel."""
    sheet, pen = _blank_sheet(canvas)
    for stroke in strokes:
        points = _to_sheet(canvas, stroke.points)
        widths = stroke.widths * canvas.unit_px * INK_SCALE
        ink = round(255 * stroke.strength)
        for start, end, width in zip(points[:-1], points[1:], widths, strict=False):
            pen.line([*start, *end], fill=ink, width=max(1, round(width)))
            if width > 3:
                pen.circle(tuple(end), width / 2 - 0.5, fill=ink)
    return _average_sheet(sheet)


def draw_blobs(
    canvas: Canvas,
    rng: np.random.Generator,
    centres: npt.NDArray[np.float64],
    radii: npt.NDArray[np.float64],
    strengths: npt.NDArray[np.float64] | None = None,
    lumpiness: float = 0.15,
    stretch: float = 1.0,
    angles: npt.NDArray[np.float64] | None = None,
) -> Field:
    """Ink (0 to 1) of roundish spots with uneven outlines, `stretch` times longer than wide along `angles`."""
    sheet, pen = _blank_sheet(canvas)
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    wobble = 1 + lumpiness * rng.standard_normal((len(centres), 16))
    for index, (centre, radius) in enumerate(zip(centres, radii, strict=True)):
        along, across = radius * wobble[index] * np.cos(turn) * stretch, radius * wobble[index] * np.sin(turn)
        angle = 0.0 if angles is None else float(angles[index])
        outline = np.stack([
            centre[0] + along * math.cos(angle) - across * math.sin(angle),
            centre[1] + along * math.sin(angle) + across * math.cos(angle),
        ], axis=1)  # fmt: skip
        strength = 1.0 if strengths is None else float(strengths[index])
        pen.polygon(_to_sheet(canvas, outline).ravel().tolist(), fill=round(255 * strength))
    return _average_sheet(sheet)


def _blank_sheet(canvas: Canvas) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    side = canvas.size_px * INK_SCALE
    sheet = Image.new("L", (side, side))
    return sheet, ImageDraw.Draw(sheet)


def _to_sheet(canvas: Canvas, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return (points * canvas.unit_px + canvas.size_px / 2) * INK_SCALE


def _average_sheet(sheet: Image.Image) -> Field:
    return np.asarray(sheet.reduce(INK_SCALE), dtype=np.float32) / np.float32(255)
