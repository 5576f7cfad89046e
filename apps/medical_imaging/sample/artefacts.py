"""What comes between the SYNTHETIC skin and the picture: hairs, gel bubbles, ruler marks, the lens and its light."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter

from apps.medical_imaging.sample.canvas import Canvas, Field, Stroke, draw_strokes

LIGHTS = np.array(
    [[1.0, 1.0, 1.0], [1.03, 0.95, 0.97], [0.90, 0.93, 1.04], [1.03, 0.99, 0.90], [0.97, 0.92, 1.02]], dtype=np.float32
)
"""White balances seen in practice: neutral, pink, blue, yellow, violet; a row each of red, green, blue gains."""
LIGHT_SHARES = (0.42, 0.22, 0.12, 0.14, 0.10)


@dataclass(frozen=True)
class Pose:
    """How the dermoscope is held: turn in radians, magnification, shift in half photograph widths."""

    turn: float
    zoom: float
    shift: tuple[float, float]


def draw_pose(rng: np.random.Generator) -> Pose:
    """Any rotation, a little zoom, nearly centred."""
    shift = (float(rng.normal(0, 0.07)), float(rng.normal(0, 0.07)))
    return Pose(float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.92, 1.28)), shift)


def grow_hairs(canvas: Canvas, rng: np.random.Generator, colour: Field, tone: str) -> Field:
    """The skin with hairs over it, curved and of uneven thickness; each casts a faint shadow."""
    if rng.random() < 0.42:
        return colour
    count = int(rng.choice([2, 6, 16, 32], p=[0.35, 0.35, 0.22, 0.08]) * rng.uniform(0.6, 1.4)) + 1
    comb, stubble = rng.uniform(0, 2 * np.pi), rng.random() < 0.12
    hairs = [_hair(rng, comb, 0.16 if stubble else 1.6) for _ in range(count)]
    ink = draw_strokes(canvas, hairs) * np.float32(rng.uniform(0.55, 0.95))
    shadow: Field = gaussian_filter(ink, 0.03 * canvas.unit_px)
    pale = tone in ("I", "II", "III") and rng.random() < 0.22
    hair_colour = np.array([0.72, 0.62, 0.50] if pale else [0.20, 0.14, 0.11]) * rng.uniform(0.7, 1.2)
    shaded = colour * (1 - np.float32(0.12) * shadow)
    return (shaded + ink * (hair_colour[:, None, None] - shaded)).astype(np.float32)


def _hair(rng: np.random.Generator, comb: float, length: float) -> Stroke:
    heading = comb + rng.normal(0, 0.5)
    bend = np.cumsum(rng.normal(rng.normal(0, 0.05), 0.05, 18))
    reach = length * rng.uniform(0.4, 1.3) / 18
    steps = np.stack([np.cos(heading + bend), np.sin(heading + bend)], axis=1) * reach
    points = rng.uniform(-1.3, 1.3, 2) + np.cumsum(steps, axis=0)
    root = rng.uniform(0.010, 0.026)
    return Stroke(points, np.linspace(root, root * rng.uniform(0.3, 0.9), 18), rng.uniform(0.6, 1.0))


def photograph(colour: Field, mask: npt.NDArray[np.bool_], pose: Pose, image_px: int) -> tuple[Field, Image.Image]:
    """The part of the skin that the lens sees, (3, image_px, image_px), and the mask in the same frame."""
    size = colour.shape[-1]
    cos, sin = math.cos(pose.turn) / pose.zoom, math.sin(pose.turn) / pose.zoom
    half = (image_px - 1) / 2
    left = (size - 1) / 2 + pose.shift[0] * image_px / 2 - cos * half + sin * half
    top = (size - 1) / 2 + pose.shift[1] * image_px / 2 - sin * half - cos * half
    coefficients = (cos, -sin, left, sin, cos, top)
    border = round(0.2 * size)
    moved = (cos, -sin, left + border, sin, cos, top + border)
    frame = (image_px, image_px)
    planes = [
        Image.fromarray(np.pad(plane, border, mode="reflect")).transform(
            frame, Image.Transform.AFFINE, moved, Image.Resampling.BICUBIC
        )
        for plane in colour
    ]
    seen = Image.fromarray(mask.astype(np.uint8) * 255).transform(frame, Image.Transform.AFFINE, coefficients)
    return np.stack([np.asarray(plane) for plane in planes]), seen


def expose(rng: np.random.Generator, view: Field) -> npt.NDArray[np.uint8]:
    """The picture (H, W, 3): light, bubbles, ruler, lens blur, the dermoscope's dark rim, sensor noise."""
    image_px = view.shape[-1]
    axis = (np.arange(image_px, dtype=np.float32) - np.float32((image_px - 1) / 2)) / np.float32(image_px / 2)
    x, y = np.meshgrid(axis, axis)
    view = view * _light(rng, x, y)
    if rng.random() < 0.12:
        view = _add_bubbles(rng, x, y, view)
    if rng.random() < 0.08:
        view = _add_ruler(rng, x, y, view)
    sigma = image_px / 160 * rng.gamma(3, 0.14)
    view = gaussian_filter(view, (0, sigma, sigma)) if sigma > 0.25 else view
    if rng.random() < 0.12:
        view = _add_rim(rng, x, y, view)
    grain = rng.standard_normal(view.shape, dtype=np.float32)
    view = view + np.float32(rng.uniform(0.003, 0.014)) * grain
    picture: npt.NDArray[np.uint8] = (view.clip(0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return picture


def _light(rng: np.random.Generator, x: Field, y: Field) -> Field:
    """Gains (3, H, W): exposure, white balance, a gradient across and a fall-off towards the corners."""
    balance = LIGHTS[rng.choice(len(LIGHTS), p=LIGHT_SHARES)] * rng.uniform(0.97, 1.03, 3)
    side, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.07)
    across = x * np.float32(math.cos(side)) + y * np.float32(math.sin(side))
    falloff = np.float32(rng.gamma(1.5, 0.05)) * (x * x + y * y)
    gains: Field = (rng.uniform(0.90, 1.10) * balance[:, None, None] * (1 + slope * across - falloff)).astype(
        np.float32
    )
    return gains


def _add_bubbles(rng: np.random.Generator, x: Field, y: Field, view: Field) -> Field:
    """Air in the gel: rings, bright on the side of the lamp and dark on the other, with a small glint."""
    for _ in range(int(rng.integers(1, 6))):
        radius = rng.gamma(3, 0.025)
        along, across = x - np.float32(rng.uniform(-1, 1)), y - np.float32(rng.uniform(-1, 1))
        distance = np.hypot(along, across) / np.float32(radius)
        ring = np.exp(-(((distance - 1) * np.float32(7)) ** 2))
        glint = np.exp(-(((along / radius + 0.45) ** 2 + (across / radius + 0.45) ** 2) * 30))
        lamp = -(along + across) / np.float32(radius * 1.5)
        view = view + (np.float32(0.14) * ring * lamp + np.float32(0.35) * glint).astype(np.float32)
    return view


def _add_ruler(rng: np.random.Generator, x: Field, y: Field, view: Field) -> Field:
    """A millimetre scale printed along one edge of the glass."""
    along, across = [(x, y), (y, x), (x, -y), (y, -x)][int(rng.integers(0, 4))]
    pitch, edge = rng.uniform(0.10, 0.16), rng.uniform(0.86, 0.95)
    index = np.round(along / np.float32(pitch))
    near = np.abs(along - index * np.float32(pitch)) < 0.011
    length = np.where(index % 5 == 0, np.float32(0.13), np.float32(0.07))
    ticks = near & (across < edge) & (across > edge - length)
    line = np.abs(across - np.float32(edge)) < 0.010
    printed: Field = view * (1 - np.float32(0.72) * (ticks | line).astype(np.float32))
    return printed


def _add_rim(rng: np.random.Generator, x: Field, y: Field, view: Field) -> Field:
    """The round field of view, black outside, with a soft dark edge."""
    distance = np.hypot(x - np.float32(rng.normal(0, 0.03)), y - np.float32(rng.normal(0, 0.03)))
    radius, soft = rng.uniform(0.98, 1.25), rng.uniform(0.01, 0.06)
    inside = np.clip((np.float32(radius) - distance) / np.float32(soft), 0, 1)
    rimmed: Field = (view * inside + np.float32(0.02) * (1 - inside)).astype(np.float32)
    return rimmed
