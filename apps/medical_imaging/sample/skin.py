"""SYNTHETIC skin: a tissue of light-absorbing substances, how it looks, and healthy skin of six tones.

Colour follows the Beer-Lambert law: each substance absorbs red, green and blue by its own amount, so pigment goes
from tan through brown to black as it thickens, and pigment deep in the dermis looks blue-grey. That is why
dermoscopists read depth from colour.
Source: the colours and what they stand for, Braun et al. 2005, "Dermoscopy of pigmented skin lesions", J Am Acad
Dermatol 52, 109-121. The absorption figures are chosen by eye for display colours; they are not measurements.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from apps.medical_imaging.sample.canvas import Canvas, Field, draw_blobs, draw_strokes, fractal, noise, smoothstep
from apps.medical_imaging.sample.structures import branching_vessels

SKIN_TONES: dict[str, float] = {"I": 0.03, "II": 0.12, "III": 0.28, "IV": 0.50, "V": 0.85, "VI": 1.35}
"""Epidermal pigment of each Fitzpatrick-like tone."""

BARE_DERMIS = np.array([0.95, 0.845, 0.805], dtype=np.float32)
HAZE = np.array([0.90, 0.88, 0.91], dtype=np.float32)
ABSORPTION = np.array(
    [
        [0.56, 0.84, 1.14],  # melanin in the epidermis: brown
        [0.98, 0.80, 0.56],  # melanin in the dermis: blue-grey
        [0.12, 0.95, 0.62],  # blood with oxygen: red
        [0.58, 1.20, 0.62],  # blood without: purple
        [0.14, 0.38, 0.90],  # keratin: yellow
    ],
    dtype=np.float32,
)
"""Absorption of red, green, blue per unit, a row a substance, in the order of `Tissue`'s fields."""


@dataclass
class Tissue:
    """What each pixel of skin holds. All start near zero; `shade` (light scattered back) is near one."""

    melanin: Field
    deep_melanin: Field
    blood: Field
    venous_blood: Field
    keratin: Field
    haze: Field
    shade: Field


def tissue_colour(tissue: Tissue) -> Field:
    """The colour of tissue in white light, (3, H, W) from 0 to 1."""
    substances = np.stack(
        [tissue.melanin, tissue.deep_melanin, tissue.blood, tissue.venous_blood, tissue.keratin]
    ).clip(0, None)  # fmt: skip
    height, width = tissue.melanin.shape
    density = (ABSORPTION.T @ substances.reshape(len(ABSORPTION), -1)).reshape(3, height, width)
    colour = BARE_DERMIS[:, None, None] * np.exp(-density) * tissue.shade
    haze = tissue.haze.clip(0, 1)
    hazy: Field = (colour + haze * (HAZE[:, None, None] - colour)).astype(np.float32)
    return hazy


def grow_skin(canvas: Canvas, rng: np.random.Generator, tone: str, age: float) -> Tissue:
    """Healthy skin of one of `SKIN_TONES`: furrows, pores, blotches and, with age, freckles and small vessels."""
    pigment = SKIN_TONES[tone] * rng.uniform(0.75, 1.3) + rng.uniform(0, 0.05)
    flush = rng.uniform(0.02, 0.19)
    blotch, speckle = fractal(canvas, rng, 0.9), fractal(canvas, rng, 0.12, octaves=3)
    empty = np.zeros_like(canvas.x)
    tissue = Tissue(
        melanin=np.float32(pigment) * (1 + np.float32(0.07) * speckle + np.float32(0.06) * blotch),
        deep_melanin=empty.copy(),
        blood=np.float32(flush) * (1 + np.float32(0.22) * fractal(canvas, rng, 0.5)),
        venous_blood=empty.copy(),
        keratin=empty + np.float32(rng.uniform(0, 0.09)),
        haze=empty.copy(),
        shade=1 + np.float32(0.018) * fractal(canvas, rng, 0.05, octaves=2),
    )
    _furrow(canvas, rng, tissue)
    if rng.random() < 0.45:
        _open_pores(canvas, rng, tissue)
    if rng.random() < 0.15 + 0.004 * age:
        _freckle(canvas, rng, tissue)
    if rng.random() < 0.12 + 0.003 * age:
        tissue.blood += np.float32(rng.uniform(0.12, 0.35)) * _small_vessels(canvas, rng)
    return tissue


def _furrow(canvas: Canvas, rng: np.random.Generator, tissue: Tissue) -> None:
    """The diamond pattern of skin lines: two families of bent parallel lines, fainter where noise says so."""
    depth = np.float32(rng.uniform(0.01, 0.07))
    spacing, angle = rng.uniform(0.09, 0.20), rng.uniform(0, np.pi)
    bend = np.float32(0.22) * noise(canvas, rng, 0.7) + np.float32(0.02) * noise(canvas, rng, 0.15)
    for turn in (0.0, rng.uniform(0.9, 1.5)):
        across = canvas.x * np.float32(np.cos(angle + turn)) + canvas.y * np.float32(np.sin(angle + turn))
        line = np.abs(np.sin((across + bend) * np.float32(np.pi / spacing)))
        presence = np.clip(0.6 + 0.5 * noise(canvas, rng, 0.25), 0, 1)
        tissue.shade -= depth * presence * (1 - smoothstep(line, 0.0, 0.35))


def _open_pores(canvas: Canvas, rng: np.random.Generator, tissue: Tissue) -> None:
    count = int(rng.integers(25, 130))
    pores = draw_blobs(canvas, rng, rng.uniform(-1.5, 1.5, (count, 2)), rng.uniform(0.008, 0.02, count))
    soft: Field = gaussian_filter(pores, 0.01 * canvas.unit_px)
    tissue.shade -= np.float32(rng.uniform(-0.07, 0.10)) * soft
    tissue.melanin += np.float32(rng.uniform(0.0, 0.15)) * soft


def _freckle(canvas: Canvas, rng: np.random.Generator, tissue: Tissue) -> None:
    count = int(rng.integers(2, 22))
    spots = draw_blobs(
        canvas, rng, rng.uniform(-1.4, 1.4, (count, 2)), rng.gamma(3, 0.016, count), rng.uniform(0.2, 1, count), 0.3
    )  # fmt: skip
    soft: Field = gaussian_filter(spots, 0.025 * canvas.unit_px)
    tissue.melanin += np.float32(rng.uniform(0.15, 0.55)) * soft * (1 + np.float32(0.3) * noise(canvas, rng, 0.05))


def _small_vessels(canvas: Canvas, rng: np.random.Generator) -> Field:
    trees = [
        stroke
        for _ in range(int(rng.integers(1, 5)))
        for stroke in branching_vessels(rng, rng.uniform(-1, 1, 2), rng.uniform(0.2, 0.5), 0.016)
    ]
    blurred: Field = gaussian_filter(draw_strokes(canvas, trees), 0.012 * canvas.unit_px)
    return blurred
