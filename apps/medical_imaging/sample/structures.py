"""Dermoscopic structures, as SYNTHETIC ink and texture: networks, globules, streaks, vessels, leaves, lacunae, cysts.

Each function returns a field from 0 to 1 (or strokes to draw) and knows nothing of colour or diagnosis.
Source: names and appearance after Kittler et al. 2016, "Standardization of terminology in dermoscopy/dermatoscopy",
J Am Acad Dermatol 74, 1093-1106.
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from apps.medical_imaging.sample.canvas import Canvas, Field, Stroke, draw_blobs, fractal, noise, smoothstep

Points: TypeAlias = npt.NDArray[np.float64]


def pigment_network(canvas: Canvas, rng: np.random.Generator, spacing: float, irregularity: float) -> Field:
    """A honeycomb of lines. Three plane waves at 60 degrees make it; bending the plane makes it irregular (0 to 1)."""
    bend = np.float32(spacing * (0.35 + 1.1 * irregularity))
    x = canvas.x + bend * noise(canvas, rng, 3.2 * spacing)
    y = canvas.y + bend * noise(canvas, rng, 3.2 * spacing)
    angle, waves = rng.uniform(0, np.pi), np.zeros_like(x)
    for turn in (0, np.pi / 3, 2 * np.pi / 3):
        k = 2 * np.pi / (spacing * 0.87)
        waves += np.cos(np.float32(k * math.cos(angle + turn)) * x + np.float32(k * math.sin(angle + turn)) * y)
    thickness = np.float32(0.35 * irregularity) * noise(canvas, rng, 4 * spacing)
    return 1 - smoothstep(waves + thickness, -0.9, 1.1)


def irregular_mesh(canvas: Canvas, rng: np.random.Generator, spacing: float) -> Field:
    """A broken network of uneven holes: where one band of noise crosses zero."""
    ridge = np.abs(noise(canvas, rng, spacing * 1.3) + np.float32(0.35) * noise(canvas, rng, spacing * 0.6))
    return 1 - smoothstep(ridge, 0.08, 0.75)


def furrows_and_ridges(canvas: Canvas, rng: np.random.Generator, spacing: float) -> Field:
    """Brain-like gyri: parallel lines strongly bent."""
    angle = rng.uniform(0, np.pi)
    across = canvas.x * np.float32(math.cos(angle)) + canvas.y * np.float32(math.sin(angle))
    bent = across + np.float32(1.1 * spacing) * fractal(canvas, rng, 4 * spacing, octaves=2)
    presence = smoothstep(noise(canvas, rng, 3 * spacing), -1.0, 0.8)
    return presence * (1 - smoothstep(np.abs(np.sin(bent * np.float32(np.pi / spacing))), 0.0, 0.8))


def scatter_in(rng: np.random.Generator, count: int, radius: float, centre: Points | None = None) -> Points:
    """Points evenly spread over a disc, (count, 2)."""
    reach, turn = radius * np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
    points: Points = np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)
    return points if centre is None else points + centre


def spread_in(rng: np.random.Generator, spacing: float, radius: float, jitter: float) -> Points:
    """Points on a jittered hexagonal lattice over a disc: spots that keep apart, as globules and lacunae do."""
    steps = np.arange(-math.ceil(radius / spacing), math.ceil(radius / spacing) + 1)
    column, row = np.meshgrid(steps, steps)
    lattice = np.stack([(column + 0.5 * (row % 2)).ravel(), 0.87 * row.ravel()], axis=1) * spacing
    points: Points = lattice + rng.normal(0, jitter * spacing, lattice.shape)
    return points[np.hypot(points[:, 0], points[:, 1]) < radius]


def globules(
    canvas: Canvas, rng: np.random.Generator, radius: float, spacing: float, size: float, irregularity: float
) -> Field:
    """Round clods over a disc: alike and evenly spread when regular, of all sizes and clustered when not."""
    points = spread_in(rng, spacing, radius, 0.12 + 0.3 * irregularity)
    kept = points[rng.random(len(points)) > 0.1 + 0.5 * irregularity]
    radii = size * np.exp(rng.normal(0, 0.12 + 0.4 * irregularity, len(kept)))
    ink = draw_blobs(canvas, rng, kept, radii, rng.uniform(0.55, 1, len(kept)), 0.08 + 0.12 * irregularity)
    soft: Field = gaussian_filter(ink, 0.008 * canvas.unit_px)
    return soft


def streaks(rng: np.random.Generator, angles: Points, border: Points, length: float) -> list[Stroke]:
    """Finger-like projections across the border, thick inside and thin outside.

    Args:
        angles: direction of each from the lesion's centre, radians.
        border: distance of the border from the centre along each.
        length: mean length.
    """
    strokes = []
    for angle, edge in zip(angles, border, strict=True):
        along = np.linspace(edge - length * rng.uniform(0.8, 1.4), edge + length * rng.uniform(-0.1, 0.5), 6)
        turn = angle + rng.normal(0, 0.05) * np.linspace(0, 1, 6)
        points = np.stack([along * np.cos(turn), along * np.sin(turn)], axis=1)
        strokes.append(Stroke(points, np.linspace(0.05, 0.016, 6) * rng.uniform(0.6, 1.3), rng.uniform(0.4, 1)))
    return strokes


def branching_vessels(rng: np.random.Generator, start: Points, length: float, width: float) -> list[Stroke]:
    """A tree of vessels: a winding trunk that parts into thinner and thinner branches."""
    strokes: list[Stroke] = []
    pending = [(start, rng.uniform(0, 2 * np.pi), length, width, 0)]
    while pending:
        origin, angle, reach, thick, depth = pending.pop()
        headings = angle + np.cumsum(rng.normal(0, 0.22, 9))
        steps = np.stack([np.cos(headings), np.sin(headings)], axis=1) * reach / 9
        points = np.concatenate([origin[None], origin + np.cumsum(steps, axis=0)])
        strokes.append(Stroke(points, np.linspace(thick, thick * 0.65, 10), 1.0 if thick > 0.012 else 0.7))
        if depth == 3:
            continue
        for side in (-1, 1):
            if rng.random() < 0.85:
                fork = points[int(rng.integers(5, 10))]
                turn = headings[-1] + side * rng.uniform(0.35, 1.1)
                pending.append((fork, turn, reach * rng.uniform(0.45, 0.8), thick * 0.62, depth + 1))
    return strokes


def short_vessels(rng: np.random.Generator, centres: Points, length: float) -> list[Stroke]:
    """Dots, commas and hairpins: short bent vessels at the given places."""
    strokes = []
    for centre in centres:
        headings = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0.25, 0.3, 5))
        steps = np.stack([np.cos(headings), np.sin(headings)], axis=1) * length * rng.uniform(0.4, 1.3) / 5
        points = centre + np.cumsum(steps, axis=0)
        strokes.append(Stroke(points, np.linspace(0.016, 0.008, 5) * rng.uniform(0.8, 1.3), rng.uniform(0.5, 1)))
    return strokes


def leaf_like_areas(canvas: Canvas, rng: np.random.Generator, centre: Points, size: float) -> Field:
    """A maple leaf: long lobes that fan out from one foot."""
    count = int(rng.integers(3, 7))
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(-1.1, 1.1, count) + rng.normal(0, 0.12, count)
    reach = size * rng.uniform(0.6, 1.1, count)
    feet = centre + np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach[:, None]
    ink = draw_blobs(canvas, rng, feet, reach * 0.42, rng.uniform(0.6, 1, count), 0.12, 1.9, angles)
    soft: Field = gaussian_filter(ink, 0.016 * canvas.unit_px)
    return soft


def shiny_white_streaks(rng: np.random.Generator, centre: Points, reach: float) -> list[Stroke]:
    """Short straight white lines at right angles to one another, seen in polarised light."""
    angle, strokes = rng.uniform(0, np.pi), []
    for place in scatter_in(rng, int(rng.integers(4, 12)), reach, centre):
        turn = angle + (np.pi / 2) * rng.integers(0, 2) + rng.normal(0, 0.1)
        half = rng.uniform(0.04, 0.12) * np.array([math.cos(turn), math.sin(turn)])
        strokes.append(Stroke(np.stack([place - half, place + half]), np.full(2, 0.018), rng.uniform(0.4, 0.9)))
    return strokes


def lacunae(canvas: Canvas, rng: np.random.Generator, radius: float, spacing: float) -> Field:
    """Rounded red lagoons parted by pale walls; the value tells how full each is."""
    points = spread_in(rng, spacing, radius, 0.22)
    radii = spacing * rng.uniform(0.36, 0.62, len(points))
    ink = draw_blobs(canvas, rng, points, radii, rng.uniform(0.35, 1, len(points)), 0.10)
    soft: Field = gaussian_filter(ink, 0.014 * canvas.unit_px)
    return soft
