"""A small training that tests kill: python train_worker.py FOLDER WEIGHTS [--plain]."""

import sys
from pathlib import Path

import numpy as np
import torch

from core.backbones.image_config import ImageModelConfig
from core.backbones.image_model import build_image_model
from core.config import HardwareConfig, TrainConfig
from core.hardware import Machine, current_rank, plan_hardware
from core.tasks.augment_config import AugmentConfig
from core.tasks.image import ImageTask
from core.tasks.image_schema import ImageSchema
from core.training.trainer import fit

SIDE, TRAIN, VALIDATION = 32, 96, 32


def make_schema() -> ImageSchema:
    return ImageSchema(
        labels=("dark", "light", "red"),
        label_counts=(32, 32, 32),
        image_px=SIDE,
        pixel_mean=(127, 127, 127),
        pixel_std=(60, 60, 60),
        sharpness_low=0,
        brightness_low=0,
        brightness_high=255,
        mask_share=0.5,
    )


def make_arrays(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Three kinds of noisy pictures, half of them with a mask."""
    random = np.random.default_rng(seed)
    label = np.arange(rows) % 3
    base = np.array([[70, 70, 70], [190, 190, 190], [190, 70, 70]])[label]
    noise = random.integers(-60, 61, (rows, SIDE, SIDE, 3))
    return {
        "image": np.clip(base[:, None, None] + noise, 0, 255).astype(np.uint8),
        "label": label.astype(np.int64),
        "mask": (random.random((rows, SIDE, SIDE)) < 0.3).astype(np.uint8),
        "has_mask": (np.arange(rows) % 2).astype(np.float32),
    }


def make_config(**changes: object) -> TrainConfig:
    return TrainConfig(
        **{
            "epochs": 4,
            "global_batch_size": 16,
            "checkpoint_every_steps": 1,
            "ema_decay": 0.9,
            "mixup": 0.2,
            "balanced_sampling": 0.5,
            "trackers": (),
            "learning_rate": 2e-3,
            **changes,
        }
    )


def make_task(config: TrainConfig, augment: AugmentConfig | None = None, *, has_masks: bool = True) -> ImageTask:
    schema = make_schema() if has_masks else make_schema().model_copy(update={"mask_share": 0.0})
    return ImageTask(schema, config, augment or AugmentConfig(erase=0.5))


def make_model(*, plain: bool = False, dropout: float = 0.3) -> torch.nn.Module:
    """A tiny residual net with masks, or the handbook's net, in which nothing depends on how batches are cut."""
    schema = make_schema()
    small = ImageModelConfig(
        backbone="resnet10t", options={"channels": [8, 8, 8, 8], "stem_width": 8}, dropout=dropout, mask_channels=8
    )
    torch.manual_seed(0)
    return build_image_model(
        ImageModelConfig(backbone="handbook_cnn") if plain else small,
        image_px=SIDE,
        num_labels=3,
        num_metadata=0,
        has_masks=not plain,
        pixel_mean=schema.pixel_mean,
        pixel_std=schema.pixel_std,
    )


def train(
    folder: Path, machine: Machine, *, resume: bool = True, plain: bool = False, **changes: object
) -> torch.nn.Module:
    config = make_config(**({"mixup": 0.0, **changes} if plain else changes))
    model = make_model(plain=plain)
    hardware = HardwareConfig(device="cpu", precision="fp32", channels_last=True, measure=False, threads=1)
    fit(
        model,
        make_task(config, has_masks=not plain),
        make_arrays(TRAIN, 0),
        make_arrays(VALIDATION, 1),
        config=config,
        plan=plan_hardware(hardware, config, machine),
        seed=0,
        folder=folder,
        resume=resume,
    )
    return model


if __name__ == "__main__":
    import os

    from core.training.checkpoint import save_weights

    size = int(os.environ.get("WORLD_SIZE", "1"))
    there = Machine(
        cores=1, num_processes=size, rank=current_rank(), local_rank=current_rank(), processes_per_node=size
    )
    trained = train(Path(sys.argv[1]), there, plain="--plain" in sys.argv)
    if current_rank() == 0:
        save_weights(Path(sys.argv[2]), trained.state_dict())
    if size > 1:
        from core.run import leave_process_group

        leave_process_group()
