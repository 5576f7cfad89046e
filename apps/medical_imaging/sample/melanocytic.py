"""SYNTHETIC nevi and melanomas: one painter for both, led by the four letters of the ABCD rule of dermoscopy.

A nevus and a melanoma differ only in how the letters are drawn, and the draws overlap: an atypical nevus may score
above an early melanoma, as in life.
Source: Nachbar et al. 1994, "The ABCD rule of dermatoscopy", J Am Acad Dermatol 30, 551-559. Total score 1.3 A +
0.1 B + 0.5 C + 0.5 D; below 4.75 benign, above 5.45 highly suspicious of melanoma.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.ndimage import gaussian_filter

from apps.medical_imaging.sample.canvas import Canvas, Field, draw_blobs, draw_strokes, fractal, noise, smoothstep
from apps.medical_imaging.sample.lesion import Lesion, bite_border, grow_lesion, patch_in, uneven_softness
from apps.medical_imaging.sample.skin import Tissue
from apps.medical_imaging.sample.structures import globules, irregular_mesh, pigment_network, scatter_in, streaks

COLOURS = ("light_brown", "dark_brown", "black", "blue_grey", "red", "white")
STRUCTURES = ("network", "homogeneous", "dots", "globules", "streaks")

Chance: TypeAlias = np.random.Generator


@dataclass(frozen=True)
class Abcd:
    """The four letters, and how strongly they show.

    `asymmetry` counts asymmetric axes (0 to 2), `border` the eighths that end abruptly (0 to 8). `irregularity` (0
    to 1) is what the rule leaves to the eye: how uneven the structures are.
    """

    asymmetry: int
    border: int
    colours: tuple[str, ...]
    structures: tuple[str, ...]
    irregularity: float

    @property
    def total_score(self) -> float:
        """The total dermoscopy score."""
        return 1.3 * self.asymmetry + 0.1 * self.border + 0.5 * len(self.colours) + 0.5 * len(self.structures)


def draw_abcd(rng: Chance, malignant: bool) -> Abcd:
    """The letters of a nevus or a melanoma, from one scale of atypia on which the two overlap."""
    atypia = rng.beta(4.9, 1.9) if malignant else rng.beta(1.5, 4.8)
    browns = ("light_brown", "dark_brown") if rng.random() < 0.45 + 0.5 * atypia else (str(rng.choice(COLOURS[:2])),)
    rarer = tuple(colour for colour in COLOURS[2:] if rng.random() < (0.62 * atypia if malignant else 0.28 * atypia))
    count = int(np.clip(rng.binomial(4, 0.15 + 0.6 * atypia) + 1, 1, 5))
    weights = np.array([0.33, 0.27, 0.1, 0.23, 0.04 + 0.12 * atypia])
    chosen = rng.choice(len(STRUCTURES), count, replace=False, p=weights / weights.sum())
    return Abcd(
        asymmetry=int(rng.binomial(2, atypia)),
        border=int(rng.binomial(8, 0.75 * atypia)),
        colours=browns + rarer,
        structures=tuple(STRUCTURES[index] for index in sorted(chosen)),
        irregularity=float(np.clip(atypia + rng.normal(0, 0.10), 0, 1)),
    )


def grow_melanocytic(canvas: Canvas, rng: Chance, tissue: Tissue, abcd: Abcd) -> Lesion:
    """Grows a nevus or melanoma with those letters into the tissue; gives its outline."""
    lesion = _grow_outline(canvas, rng, abcd)
    brown = rng.uniform(0.55, 1.35) if "dark_brown" in abcd.colours else rng.uniform(0.22, 0.6)
    if rng.random() < 0.12 * (1 - abcd.irregularity):
        return _grow_dermal(canvas, rng, tissue, lesion)
    pigment = np.float32(brown) * lesion.cover * _shading(canvas, rng, lesion, abcd)
    texture = sum(
        (_STRUCTURE_PAINTERS[name](canvas, rng, lesion, abcd) for name in abcd.structures), np.zeros_like(pigment)
    )
    tissue.melanin += pigment * (1 + np.float32(0.14) * fractal(canvas, rng, 0.09)) * (0.6 + 0.4 * _core(lesion))
    tissue.melanin += texture * np.float32(0.25 + 0.55 * brown)
    tissue.blood += np.float32(rng.uniform(0, 0.22)) * lesion.cover
    for colour in abcd.colours:
        if colour in _COLOUR_PAINTERS:
            _COLOUR_PAINTERS[colour](canvas, rng, tissue, lesion, abcd)
    return lesion


def _grow_outline(canvas: Canvas, rng: Chance, abcd: Abcd) -> Lesion:
    bend = 0.08 + 0.28 * abcd.asymmetry * rng.uniform(0.5, 1.2) + 0.15 * abcd.irregularity
    lesion = grow_lesion(
        canvas,
        rng,
        radius=float(np.clip(rng.normal(0.42 + 0.17 * abcd.irregularity, 0.10), 0.22, 0.80)),
        asymmetry=bend,
        roughness=0.02 + 0.09 * abcd.irregularity * rng.uniform(0.4, 1.3),
        softness=uneven_softness(canvas, rng, abcd.border),
        elongation=rng.uniform(1.0, 1.5),
    )
    if rng.random() < 0.45 * abcd.irregularity:
        lesion = bite_border(canvas, rng, lesion, int(rng.integers(1, 4)), rng.uniform(0.25, 0.5), 0.3)
    return lesion


def _core(lesion: Lesion) -> Field:
    return smoothstep(lesion.depth, 0.0, 0.45)


def _shading(canvas: Canvas, rng: Chance, lesion: Lesion, abcd: Abcd) -> Field:
    """Where pigment is thicker: evenly, at the centre or at the rim when symmetric, to one side when not."""
    centred = rng.normal(0.1, 0.35) * lesion.depth.clip(0, 1)
    side = rng.uniform(0, 2 * np.pi)
    slope = (canvas.x * np.float32(np.cos(side)) + canvas.y * np.float32(np.sin(side))) / np.float32(lesion.radius)
    uneven = 0.14 * abcd.asymmetry * slope + (0.06 + 0.22 * abcd.irregularity) * fractal(canvas, rng, 0.45)
    shading: Field = (0.9 + centred + uneven).clip(0.15, 1.9).astype(np.float32)
    return shading


def _grow_dermal(canvas: Canvas, rng: Chance, tissue: Tissue, lesion: Lesion) -> Lesion:
    """A dermal nevus: raised, pink to skin coloured, with a few comma vessels and remains of pigment."""
    tissue.blood += np.float32(rng.uniform(0.10, 0.30)) * lesion.cover
    tissue.melanin += np.float32(rng.uniform(0.12, 0.35)) * patch_in(canvas, rng, lesion, 0.5, 0.25, 0.3)
    tissue.shade += np.float32(rng.uniform(0.02, 0.07)) * _core(lesion)
    commas = globules(canvas, rng, lesion.radius * 0.8, 0.16, 0.035, 0.6) * lesion.cover
    tissue.melanin += np.float32(rng.uniform(0.1, 0.4)) * commas
    return lesion


def _paint_network(canvas: Canvas, rng: Chance, lesion: Lesion, abcd: Abcd) -> Field:
    spacing = rng.uniform(0.075, 0.115) * (1 + 0.4 * abcd.irregularity)
    net = pigment_network(canvas, rng, spacing, abcd.irregularity)
    if rng.random() < abcd.irregularity:
        net = np.maximum(net * np.float32(0.7), irregular_mesh(canvas, rng, spacing))
    presence = smoothstep(noise(canvas, rng, 0.4), -2.2 + 2.2 * abcd.irregularity, 0.2 + 0.3 * abcd.irregularity)
    fading = smoothstep(lesion.depth, -0.06, 0.22) * (1 - np.float32(0.35) * _core(lesion))
    return np.float32(1.1) * net * presence * fading


def _paint_homogeneous(canvas: Canvas, rng: Chance, lesion: Lesion, abcd: Abcd) -> Field:
    share = rng.uniform(0.25, 0.6)
    return np.float32(0.55) * patch_in(canvas, rng, lesion, share, 0.4, 1.2 * abcd.irregularity)


def _paint_dots(canvas: Canvas, rng: Chance, lesion: Lesion, abcd: Abcd) -> Field:
    count = int(rng.integers(12, 60))
    lean = scatter_in(rng, 1, 0.6 * lesion.radius * abcd.irregularity)
    places = scatter_in(rng, count, lesion.radius * (0.85 - 0.3 * abcd.irregularity), lean)
    dots = draw_blobs(canvas, rng, places, rng.uniform(0.010, 0.022, count), rng.uniform(0.6, 1, count))
    return np.float32(1.5) * dots * lesion.cover


def _paint_globules(canvas: Canvas, rng: Chance, lesion: Lesion, abcd: Abcd) -> Field:
    size = rng.uniform(0.024, 0.042)
    clods = globules(canvas, rng, lesion.radius * 1.15, size * rng.uniform(2.5, 3.4), size, abcd.irregularity)
    return np.float32(1.25) * clods * smoothstep(lesion.depth, -0.05, 0.12)


def _paint_streaks(canvas: Canvas, rng: Chance, lesion: Lesion, abcd: Abcd) -> Field:
    """All around when regular (a starburst), on one side when not."""
    sector = np.pi * (1 - 0.7 * abcd.irregularity)
    count = int(rng.integers(14, 26) * (1 - 0.5 * abcd.irregularity))
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(-sector, sector, count) + rng.normal(0, 0.06, count)
    border = lesion.radii[np.rad2deg(angles).astype(int) % 360]
    ink: Field = gaussian_filter(draw_strokes(canvas, streaks(rng, angles, border, 0.16)), 0.016 * canvas.unit_px)
    return np.float32(1.2) * ink


def _paint_dark_brown(canvas: Canvas, rng: Chance, tissue: Tissue, lesion: Lesion, abcd: Abcd) -> None:
    share = rng.uniform(0.2, 0.55)
    region = patch_in(canvas, rng, lesion, share, 0.35, 1.6 * abcd.irregularity)
    tissue.melanin += np.float32(rng.uniform(0.3, 0.9)) * region


def _paint_black(canvas: Canvas, rng: Chance, tissue: Tissue, lesion: Lesion, abcd: Abcd) -> None:
    region = patch_in(canvas, rng, lesion, rng.uniform(0.08, 0.35), 0.3, 2.0 * abcd.irregularity)
    tissue.melanin += np.float32(rng.uniform(1.0, 2.2)) * region
    tissue.deep_melanin += np.float32(0.25) * region


def _paint_blue_grey(canvas: Canvas, rng: Chance, tissue: Tissue, lesion: Lesion, abcd: Abcd) -> None:
    """A blue-white veil: confluent deep pigment under a whitish, ground-glass film."""
    share = rng.uniform(0.08, 0.15 + 0.3 * abcd.irregularity)
    region = patch_in(canvas, rng, lesion, share, 0.45, 1.6 * abcd.irregularity) * _core(lesion)
    grain = (1 + np.float32(0.22) * fractal(canvas, rng, 0.07, octaves=2)).clip(0, None)
    tissue.deep_melanin += np.float32(rng.uniform(0.35, 0.95)) * region * grain
    tissue.melanin *= 1 - np.float32(rng.uniform(0.35, 0.75)) * region
    tissue.haze += np.float32(rng.uniform(0.06, 0.24)) * region


def _paint_red(canvas: Canvas, rng: Chance, tissue: Tissue, lesion: Lesion, abcd: Abcd) -> None:
    region = patch_in(canvas, rng, lesion, rng.uniform(0.15, 0.4), 0.3, 1.5 * abcd.irregularity)
    tissue.blood += np.float32(rng.uniform(0.25, 0.65)) * region
    tissue.melanin *= 1 - np.float32(0.45) * region


def _paint_white(canvas: Canvas, rng: Chance, tissue: Tissue, lesion: Lesion, abcd: Abcd) -> None:
    """Regression: a scar-like area whiter than the skin, peppered with blue-grey dots."""
    region = patch_in(
        canvas, rng, lesion, rng.uniform(0.06, 0.12 + 0.22 * abcd.irregularity), 0.35, 1.6 * abcd.irregularity
    )
    tissue.melanin *= 1 - np.float32(rng.uniform(0.45, 0.9)) * region
    tissue.haze += np.float32(rng.uniform(0.06, 0.26)) * region
    count = int(rng.integers(10, 70))
    pepper = draw_blobs(canvas, rng, scatter_in(rng, count, lesion.radius), rng.uniform(0.008, 0.017, count))
    tissue.deep_melanin += np.float32(0.55) * pepper * region


_STRUCTURE_PAINTERS: dict[str, Callable[[Canvas, Chance, Lesion, Abcd], Field]] = {
    "network": _paint_network,
    "homogeneous": _paint_homogeneous,
    "dots": _paint_dots,
    "globules": _paint_globules,
    "streaks": _paint_streaks,
}
_COLOUR_PAINTERS: dict[str, Callable[[Canvas, Chance, Tissue, Lesion, Abcd], None]] = {
    "dark_brown": _paint_dark_brown,
    "black": _paint_black,
    "blue_grey": _paint_blue_grey,
    "red": _paint_red,
    "white": _paint_white,
}
