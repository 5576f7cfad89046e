"""Tiny data sets of images, drawn for a test."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"melanoma": (90, 40, 60), "nevus": (190, 150, 60), "normal": (60, 160, 200)}


def draw_image(file: Path, colour: tuple[int, int, int], seed: int, side: int = 40) -> None:
    """A noisy picture of one colour; each seed gives another."""
    noise = np.random.default_rng(seed).integers(-40, 41, (side, side, 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def draw_mask(file: Path, side: int = 40) -> None:
    """A square in the middle."""
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : -side // 4, side // 4 : -side // 4] = 255
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(file)


def draw_classes(folder: Path, counts: Mapping[str, int], *, seed: int = 0) -> Path:
    """Class folders; gives the folder back."""
    for number, (label, count) in enumerate(counts.items()):
        colour = COLOURS.get(label, (40 + 60 * number % 200, 120, 120))
        for image in range(count):
            draw_image(folder / label / f"{image:03}.png", colour, seed * 10_000 + number * 1000 + image)
    return folder
