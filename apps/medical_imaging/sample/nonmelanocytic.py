"""SYNTHETIC seborrheic keratoses, basal cell carcinomas and vascular lesions.

Source: criteria after Braun et al. 2005, "Dermoscopy of pigmented skin lesions", J Am Acad Dermatol 52, 109-121,
and Menzies et al. 2000, "Surface microscopy of pigmented basal cell carcinoma", Arch Dermatol 136, 1012-1016.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from apps.medical_imaging.sample.canvas import Canvas, Field, draw_blobs, draw_strokes, fractal, smoothstep
from apps.medical_imaging.sample.lesion import Lesion, bite_border, grow_lesion, patch_in
from apps.medical_imaging.sample.skin import Tissue
from apps.medical_imaging.sample.structures import (
    branching_vessels,
    furrows_and_ridges,
    lacunae,
    leaf_like_areas,
    scatter_in,
    shiny_white_streaks,
    short_vessels,
)


def grow_seborrheic_keratosis(canvas: Canvas, rng: np.random.Generator, tissue: Tissue) -> Lesion:
    """A waxy, stuck-on plaque: sharp, often moth-eaten border, milia-like cysts, comedo-like openings, gyri."""
    softness = rng.uniform(0.06, 0.28)
    lesion = grow_lesion(
        canvas,
        rng,
        rng.uniform(0.32, 0.68),
        rng.uniform(0.1, 0.55),
        rng.uniform(0.015, 0.07),
        softness,
        rng.uniform(1, 1.6),
    )
    if rng.random() < 0.5:
        lesion = bite_border(canvas, rng, lesion, int(rng.integers(3, 10)), rng.uniform(0.1, 0.2), softness)
    pigment = rng.gamma(3.0, 0.22)
    cloud = 1 + np.float32(0.2) * fractal(canvas, rng, 0.18) + np.float32(0.12) * fractal(canvas, rng, 0.05, octaves=2)
    tissue.melanin += np.float32(pigment) * lesion.cover * cloud.clip(0.2, None)
    tissue.keratin += np.float32(rng.uniform(0.10, 0.55)) * lesion.cover * cloud
    tissue.haze += np.float32(rng.uniform(0, 0.12)) * lesion.cover
    tissue.blood += np.float32(rng.uniform(0, 0.2)) * lesion.cover
    if rng.random() < 0.35:
        tissue.melanin += np.float32(rng.uniform(0.3, 1.0)) * patch_in(canvas, rng, lesion, 0.35, 0.3, 1.0)
    if rng.random() < 0.5:
        gyri = furrows_and_ridges(canvas, rng, rng.uniform(0.07, 0.13)) * lesion.cover
        tissue.melanin += np.float32(rng.uniform(0.15, 0.65)) * gyri
    _add_milia(canvas, rng, tissue, lesion)
    _add_comedones(canvas, rng, tissue, lesion)
    return lesion


def _add_milia(canvas: Canvas, rng: np.random.Generator, tissue: Tissue, lesion: Lesion) -> None:
    """White to yellowish round cysts, some starry and sharp, some cloudy and large."""
    count = int(rng.poisson(rng.choice([0.0, 4.0, 14.0], p=[0.25, 0.45, 0.30])))
    radii = rng.gamma(5, 0.0055, count).clip(0.012, 0.06)
    cysts = draw_blobs(
        canvas, rng, scatter_in(rng, count, lesion.radius * 0.9), radii, rng.uniform(0.5, 1, count), 0.07
    )
    soft: Field = gaussian_filter(cysts, rng.uniform(0.008, 0.02) * canvas.unit_px) * lesion.cover
    tissue.melanin *= 1 - np.float32(0.75) * soft
    tissue.haze += np.float32(rng.uniform(0.35, 0.75)) * soft


def _add_comedones(canvas: Canvas, rng: np.random.Generator, tissue: Tissue, lesion: Lesion) -> None:
    """Dark plugs of keratin, irregular in outline and sharp."""
    count = int(rng.poisson(rng.choice([0.0, 4.0, 12.0], p=[0.35, 0.4, 0.25])))
    radii = rng.gamma(4, 0.009, count).clip(0.014, 0.075)
    plugs = draw_blobs(canvas, rng, scatter_in(rng, count, lesion.radius * 0.85), radii, None, 0.2, 1.25)
    soft: Field = gaussian_filter(plugs, 0.008 * canvas.unit_px) * lesion.cover
    tissue.melanin += np.float32(rng.uniform(0.6, 1.5)) * soft
    tissue.keratin += np.float32(0.4) * soft


def grow_basal_cell_carcinoma(canvas: Canvas, rng: np.random.Generator, tissue: Tissue) -> Lesion:
    """A translucent pink plaque with arborising vessels; some have leaves, nests, ulcers, white streaks."""
    lesion = grow_lesion(
        canvas,
        rng,
        rng.uniform(0.30, 0.66),
        rng.uniform(0.15, 0.6),
        rng.uniform(0.03, 0.10),
        rng.uniform(0.15, 0.6),
        1.3,
    )
    pigmented = rng.random() < 0.42
    tissue.blood += (
        np.float32(rng.uniform(0.10, 0.42)) * lesion.cover * (1 + np.float32(0.25) * fractal(canvas, rng, 0.2))
    )
    tissue.haze += np.float32(rng.uniform(0.05, 0.28)) * patch_in(canvas, rng, lesion, 0.6, 0.35, 0.4)
    tissue.melanin *= 1 - np.float32(rng.uniform(0, 0.35)) * lesion.cover
    _add_pigmented_nests(canvas, rng, tissue, lesion, pigmented)
    if rng.random() < 0.78:
        _add_arborising_vessels(canvas, rng, tissue, lesion)
    if rng.random() < 0.35:
        _add_ulcer(canvas, rng, tissue, lesion)
    if rng.random() < 0.3:
        shine = draw_strokes(canvas, shiny_white_streaks(rng, scatter_in(rng, 1, 0.15)[0], 0.6 * lesion.radius))
        tissue.haze += np.float32(0.4) * shine * lesion.cover
    return lesion


def _add_pigmented_nests(
    canvas: Canvas, rng: np.random.Generator, tissue: Tissue, lesion: Lesion, pigmented: bool
) -> None:
    """Leaf-like areas at the rim, blue-grey ovoid nests and fine blue-grey dots inside."""
    for place in scatter_in(
        rng, int(rng.integers(1, 5)) if pigmented else int(rng.integers(0, 2)), lesion.radius * 0.75
    ):
        leaf = leaf_like_areas(canvas, rng, place, rng.uniform(0.08, 0.18))
        brown = rng.random()
        tissue.deep_melanin += np.float32(0.95 - 0.5 * brown) * leaf
        tissue.melanin += np.float32(0.15 + 0.75 * brown) * leaf
    count = int(rng.integers(2, 14)) if pigmented else int(rng.integers(0, 4))
    radii = rng.gamma(3, 0.014, count).clip(0.012, 0.12)
    nests = draw_blobs(
        canvas, rng, scatter_in(rng, count, lesion.radius * 0.8), radii, rng.uniform(0.4, 1, count), 0.12, 1.3
    )
    soft: Field = gaussian_filter(nests, 0.02 * canvas.unit_px)
    tissue.deep_melanin += np.float32(rng.uniform(0.3, 0.9)) * soft
    tissue.melanin += np.float32(rng.uniform(0, 0.5)) * soft


def _add_arborising_vessels(canvas: Canvas, rng: np.random.Generator, tissue: Tissue, lesion: Lesion) -> None:
    trees = []
    for place in scatter_in(rng, int(rng.integers(1, 5)), lesion.radius * 0.8):
        trees += branching_vessels(rng, place, lesion.radius * rng.uniform(0.5, 1.0), rng.uniform(0.018, 0.034))
    sharp: Field = gaussian_filter(draw_strokes(canvas, trees), 0.006 * canvas.unit_px)
    tissue.blood += np.float32(rng.uniform(0.35, 0.85)) * sharp * smoothstep(lesion.depth, -0.25, 0.05)


def _add_ulcer(canvas: Canvas, rng: np.random.Generator, tissue: Tissue, lesion: Lesion) -> None:
    """A red to orange raw area under a yellow-brown crust."""
    raw = patch_in(canvas, rng, lesion, rng.uniform(0.04, 0.16), 0.25, 1.0)
    crust = smoothstep(raw * (0.6 + 0.4 * fractal(canvas, rng, 0.06)), 0.35, 0.7)
    tissue.blood += np.float32(rng.uniform(0.4, 0.9)) * raw
    tissue.keratin += np.float32(rng.uniform(0.5, 1.1)) * crust
    tissue.melanin += np.float32(rng.uniform(0.1, 0.6)) * crust


def grow_vascular_lesion(canvas: Canvas, rng: np.random.Generator, tissue: Tissue) -> Lesion:
    """A cherry angioma, angiokeratoma (dark lacunae under a veil), pyogenic granuloma or patch of vessels."""
    kind = rng.choice(
        ["cherry", "lacunar", "angiokeratoma", "granuloma", "telangiectatic"], p=[0.2, 0.3, 0.2, 0.15, 0.15]
    )
    lesion = grow_lesion(
        canvas,
        rng,
        rng.uniform(0.2, 0.52),
        rng.uniform(0.03, 0.3),
        rng.uniform(0.01, 0.05),
        rng.uniform(0.07, 0.22),
        1.2,
    )
    if kind == "telangiectatic":
        return _grow_vessel_patch(canvas, rng, tissue, lesion)
    spacing = rng.uniform(0.09, 0.17)
    lagoons = lacunae(canvas, rng, lesion.radius * 1.05, spacing) * smoothstep(lesion.depth, -0.05, 0.1)
    dark = rng.uniform(0.6, 1.0) if kind == "angiokeratoma" else rng.uniform(0.0, 0.35)
    flat = rng.uniform(0.55, 0.85) if kind in ("cherry", "granuloma") else rng.uniform(0.12, 0.4)
    fill = (
        np.float32(flat) * lesion.cover * (1 + np.float32(0.1) * fractal(canvas, rng, 0.2))
        + np.float32(1 - flat) * lagoons
    )
    amount = rng.uniform(0.45, 0.9) if kind == "granuloma" else rng.uniform(0.8, 1.7)
    tissue.blood += np.float32(amount * (1 - 0.5 * dark)) * fill
    tissue.venous_blood += np.float32(amount * dark) * fill
    if kind == "angiokeratoma":
        thrombosed = patch_in(canvas, rng, lesion, rng.uniform(0.1, 0.4), 0.2, 0.8) * lagoons
        tissue.venous_blood += np.float32(rng.uniform(0.6, 1.4)) * thrombosed
        tissue.haze += np.float32(rng.uniform(0.1, 0.4)) * patch_in(canvas, rng, lesion, 0.4, 0.3, 0.5)
    if kind == "granuloma":
        collarette = smoothstep(lesion.depth, -0.16, -0.04) * (1 - smoothstep(lesion.depth, 0.02, 0.14))
        tissue.haze += np.float32(rng.uniform(0.1, 0.4) * np.exp(-0.8 * tissue.melanin.mean())) * collarette
        tissue.haze += np.float32(rng.uniform(0.05, 0.25)) * patch_in(canvas, rng, lesion, 0.4, 0.25, 0.4)
    return lesion


def _grow_vessel_patch(canvas: Canvas, rng: np.random.Generator, tissue: Tissue, lesion: Lesion) -> Lesion:
    """A patch of short dilated vessels on a pink ground, the vascular lesion most like a carcinoma."""
    places = scatter_in(rng, int(rng.integers(25, 80)), lesion.radius)
    trees = short_vessels(rng, places, 0.12)
    vessels: Field = gaussian_filter(draw_strokes(canvas, trees), 0.007 * canvas.unit_px)
    tissue.blood += np.float32(rng.uniform(0.18, 0.45)) * lesion.cover
    tissue.blood += np.float32(rng.uniform(0.5, 1.1)) * vessels * smoothstep(lesion.depth, -0.2, 0.1)
    return lesion
