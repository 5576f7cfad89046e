"""Small real files for the tests of image data: pictures that differ, class folders, the real sets."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.data.image_config import ImageDataConfig
from core.data.images import LoadedImages, load_images

ROOT = Path(__file__).resolve().parents[3]

Load = Callable[..., LoadedImages]


def draw_pixels(number: int, height: int = 40, width: int = 48) -> NDArray[np.uint8]:
    """A picture of its own for each number: four soft colour fields of random brightness, with texture."""
    draws = np.random.default_rng(number)
    coarse = Image.fromarray(draws.integers(20, 236, (5, 6, 3), dtype=np.uint8))
    fine = draws.integers(0, 9, (height, width, 3), dtype=np.uint8)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR)) + fine


def write_image(path: Path, number: int, **options: object) -> Path:
    """Writes the picture of a number; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_pixels(number)).save(path, **options)  # type: ignore[arg-type]
    return path


def write_classes(root: Path, counts: Mapping[str, int], ending: str = ".jpg") -> Path:
    """Writes class folders: folder name to number of images."""
    number = 0
    for folder, count in counts.items():
        for index in range(count):
            number += 1
            write_image(root / folder / f"{folder.replace('/', '_')}_{index}{ending}", number)
    return root


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a folder at 32 pixels, with a cache of the test's own."""

    def load_path(path: Path | str, *, seed: int = 0, **settings: object) -> LoadedImages:
        values = {"image_px": 32, "cache_dir": str(tmp_path / "cache"), **settings}
        return load_images(ImageDataConfig.model_validate({"path": str(path), **values}), seed=seed)

    return load_path


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Runs code in a fresh interpreter and gives what it prints."""

    def run(code: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return run
