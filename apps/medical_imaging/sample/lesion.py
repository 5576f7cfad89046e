"""The outline of a SYNTHETIC lesion: how deep inside it each pixel lies, and how it fades into the skin."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_fill_holes, gaussian_filter

from apps.medical_imaging.sample.canvas import Canvas, Field, draw_blobs, fractal, noise, smoothstep


@dataclass(frozen=True)
class Lesion:
    """Where a lesion is.

    `depth` is 1 at the centre, 0 on the border and negative outside, in radii. `cover` is 0 outside and 1 inside,
    soft across the border. `radii` holds the border's distance from the centre at each of 360 degrees.
    """

    depth: Field
    cover: Field
    theta: Field
    radii: npt.NDArray[np.float64]
    radius: float

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """True on this side of the border, specks and holes included."""
        inside: npt.NDArray[np.bool_] = self.depth > 0
        return inside

    def trace_mask(self, canvas: Canvas) -> npt.NDArray[np.bool_]:
        """True inside the border as a person would trace it: smooth, without holes."""
        smooth = gaussian_filter(self.depth.clip(-0.3, 0.3), 0.02 * canvas.unit_px)
        traced: npt.NDArray[np.bool_] = binary_fill_holes(smooth > 0)
        return traced


def grow_lesion(
    canvas: Canvas,
    rng: np.random.Generator,
    radius: float,
    asymmetry: float,
    roughness: float,
    softness: float | Field,
    elongation: float = 1.15,
) -> Lesion:
    """A lesion around the origin.

    Args:
        radius: mean distance of the border from the centre.
        asymmetry: how much low harmonics bend the outline, 0 (an ellipse) to 1.
        roughness: how much noise frays the border, in radii.
        softness: width of the border, in radii; a field where it differs from place to place.
        elongation: long axis over short axis.
    """
    degrees = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    tilt = rng.uniform(0, np.pi)
    ratio = np.sqrt(elongation)
    outline = 1 / np.hypot(np.cos(degrees - tilt) / ratio, np.sin(degrees - tilt) * ratio)
    for harmonic in range(1, 7):
        size = (0.02 + 0.24 * asymmetry) / harmonic**0.9 * rng.standard_normal()
        outline = outline + size * np.cos(harmonic * degrees - rng.uniform(0, 2 * np.pi))
    radii = radius * outline.clip(0.35, 1.9)
    theta = np.arctan2(canvas.y, canvas.x)
    border = np.interp(theta, degrees, radii, period=2 * np.pi).astype(np.float32)
    fray = np.float32(roughness) * fractal(canvas, rng, 0.16, octaves=3, gain=0.7)
    depth = 1 - np.hypot(canvas.x, canvas.y) / border + fray
    return _cover(Lesion(depth, depth, theta, radii, radius), softness)


def bite_border(
    canvas: Canvas, rng: np.random.Generator, lesion: Lesion, count: int, size: float, softness: float
) -> Lesion:
    """The lesion with round bites taken out of its border: notches, or a moth-eaten edge when there are many."""
    degrees = rng.integers(0, 360, count)
    reach, turn = lesion.radii[degrees] * rng.uniform(0.95, 1.1, count), np.deg2rad(degrees)
    places = np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)
    bites = draw_blobs(canvas, rng, places, size * lesion.radius * rng.uniform(0.6, 1.4, count), lumpiness=0.08)
    soft: Field = gaussian_filter(bites, 0.25 * size * lesion.radius * canvas.unit_px)
    return _cover(replace(lesion, depth=lesion.depth - np.float32(0.8) * soft), softness)


def patch_in(
    canvas: Canvas, rng: np.random.Generator, lesion: Lesion, share: float, scale: float, lean: float
) -> Field:
    """A cloudy region that fills about `share` of the lesion, pushed to one side by `lean` (0 for centred)."""
    side = rng.uniform(0, 2 * np.pi)
    slope = (canvas.x * np.float32(np.cos(side)) + canvas.y * np.float32(np.sin(side))) / np.float32(lesion.radius)
    cloud = (
        fractal(canvas, rng, scale, octaves=3, gain=0.45) + np.float32(lean) * slope + np.float32(0.5) * lesion.depth
    )
    inside = cloud[lesion.inside]
    if not inside.size:
        return np.zeros_like(cloud)
    threshold = np.quantile(inside[::7], 1 - share)
    blend = rng.uniform(0.45, 1.3)
    return smoothstep(cloud, threshold - blend, threshold + blend) * lesion.cover


def uneven_softness(canvas: Canvas, rng: np.random.Generator, abrupt_eighths: int) -> Field:
    """Border widths that are abrupt in that many eighths of the outline (the ABCD rule's B) and gradual in the rest."""
    abrupt = np.zeros(8)
    abrupt[(int(rng.integers(0, 8)) + np.arange(abrupt_eighths)) % 8] = 1
    middles = (np.arange(8) + 0.5) * np.pi / 4
    share = np.interp(np.arctan2(canvas.y, canvas.x), middles, abrupt, period=2 * np.pi)
    gradual = rng.uniform(0.25, 0.55)
    widths: Field = (gradual + (0.07 - gradual) * share).astype(np.float32)
    widths *= (1 + np.float32(0.15) * noise(canvas, rng, 0.4)).clip(0.5, 1.5)
    return widths


def _cover(lesion: Lesion, softness: float | Field) -> Lesion:
    return replace(lesion, cover=smoothstep(lesion.depth / softness, -0.5, 0.5))
