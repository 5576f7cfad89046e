"""A small schema and small batches for the tests of image tasks."""

import numpy as np
import torch
from torch import Tensor

from core.config import TrainConfig
from core.tasks.augment_config import AugmentConfig
from core.tasks.image import ImageTask
from core.tasks.image_schema import ImageSchema

SIDE = 24
STILL = {
    "flip": False, "rotation_degrees": 0, "zoom": 0, "shear": 0, "translation": 0, "brightness": 0, "contrast": 0,
    "saturation": 0, "hue_degrees": 0, "erase": 0,
}  # fmt: skip


def make_schema(**changes: object) -> ImageSchema:
    return ImageSchema.model_validate(
        {
            "labels": ("benign", "melanoma", "normal"),
            "label_counts": (60, 30, 10),
            "image_px": SIDE,
            "pixel_mean": (127, 127, 127),
            "pixel_std": (60, 60, 60),
            "sharpness_low": 10,
            "brightness_low": 20,
            "brightness_high": 235,
            **changes,
        }
    )


def make_task(schema: ImageSchema | None = None, *, augment: object = None, **train: object) -> ImageTask:
    settings = AugmentConfig.model_validate(STILL if augment is None else {**STILL, **augment})  # type: ignore[dict-item]
    return ImageTask(schema or make_schema(), TrainConfig.model_validate({"trackers": (), **train}), settings)


def make_batch(rows: int = 6, seed: int = 0) -> dict[str, Tensor]:
    """Smooth pictures and masks, so that resampling changes little between neighbours."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(rows, 3, 5, 5, generator=generator) * 255
    fine = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic", align_corners=False)
    return {
        "image": fine.clamp(0, 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous(),
        "label": torch.arange(rows) % 3,
        "mask": (fine[:, 0] > 128).to(torch.uint8),
        "has_mask": (torch.arange(rows) % 2).float(),
    }


def make_draws(rows: int, columns: int, seed: int = 0) -> Tensor:
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))


def textured(level: int = 128, spread: int = 60, seed: int = 0) -> np.ndarray:
    """A sharp picture of a mean brightness."""
    noise = np.random.default_rng(seed).integers(-spread, spread + 1, (SIDE, SIDE, 3))
    return np.clip(level + noise, 0, 255).astype(np.uint8)
