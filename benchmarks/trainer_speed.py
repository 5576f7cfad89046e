"""The Trainer against a bare PyTorch loop: same net, data, optimiser, batch and precision.

What a user would write instead: a loop over a shuffled index that slices tensors in memory. The
Trainer adds resumable order, checkpoints, metrics and precision; the ratio is what that costs.
`--model` chooses handbook (aim 0.98), linear (aim 0.93) or plan (a ResNet with the hardware plan's
own choices against plain fp32, aim 1.5).
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.side_by_side import compare
from core.backbones.image_config import ImageModelConfig
from core.backbones.image_model import PixelNormalization, build_image_model
from core.config import HardwareConfig, TrainConfig
from core.hardware import detect_machine, plan_hardware
from core.tasks.augment_config import AugmentConfig
from core.tasks.image import ImageTask
from core.tasks.image_schema import ImageSchema
from core.tasks.task import Arrays
from core.training.measure import measure_plan
from core.training.optim import build_optimizer
from core.training.trainer import fit

MEAN_STD = ((127.0,) * 3, (64.0,) * 3)
NO_CHANGE = AugmentConfig(
    flip=False, rotation_degrees=0, zoom=0, translation=0, brightness=0, contrast=0, saturation=0, hue_degrees=0
)
CASES = {
    # name: (image px, examples, batch size, rounds, aim)
    "linear": (32, 32_000, 64, 7, 0.93),
    "handbook": (32, 12_800, 64, 11, 0.98),
    "plan": (128, 256, 32, 3, 1.5),
}


class Linear(nn.Module):
    """One linear layer: a step takes a fraction of a millisecond, so the framework shows."""

    def __init__(self, image_px: int) -> None:
        super().__init__()
        self.normalize = PixelNormalization(*MEAN_STD)
        self.label = nn.Linear(3 * image_px * image_px, 10)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"logits": self.label(self.normalize(image).flatten(1))}


def build_model(name: str, image_px: int) -> nn.Module:
    torch.manual_seed(0)
    if name == "linear":
        return Linear(image_px)
    config = ImageModelConfig(backbone="handbook_cnn" if name == "handbook" else "resnet18", dropout=0.0)
    return build_image_model(
        config,
        image_px=image_px,
        num_labels=10,
        num_metadata=0,
        has_masks=False,
        pixel_mean=MEAN_STD[0],
        pixel_std=MEAN_STD[1],
    )


def make_arrays(rows: int, image_px: int) -> Arrays:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (rows, image_px, image_px, 3), dtype=np.uint8)
    return {"image": image, "label": random.integers(0, 10, rows)}


def bare_loop(name: str, image_px: int, arrays: Arrays, config: TrainConfig) -> float:
    """Examples per second of the loop that one would write by hand."""
    model = build_model(name, image_px).train()
    optimizer = build_optimizer(model, config)
    images, labels = torch.from_numpy(arrays["image"]), torch.from_numpy(arrays["label"])
    cross_entropy = nn.CrossEntropyLoss()
    steps = len(labels) // config.global_batch_size
    started = time.perf_counter()
    order = torch.randperm(len(labels))
    for step in range(steps):
        rows = order[step * config.global_batch_size : (step + 1) * config.global_batch_size]
        loss = cross_entropy(model(images[rows])["logits"], labels[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return steps * config.global_batch_size / (time.perf_counter() - started)


def trainer_loop(name: str, image_px: int, arrays: Arrays, validation: Arrays, config: TrainConfig) -> float:
    """Examples per second of the Trainer, validation apart."""
    labels = tuple(str(number) for number in range(10))
    schema = ImageSchema(
        labels=labels,
        label_counts=(1,) * 10,
        image_px=image_px,
        pixel_mean=MEAN_STD[0],
        pixel_std=MEAN_STD[1],
        sharpness_low=0,
        brightness_low=0,
        brightness_high=255,
    )
    task, model = ImageTask(schema, config, NO_CHANGE), build_model(name, image_px)
    is_plan = name == "plan"
    hardware = HardwareConfig() if is_plan else HardwareConfig(precision="fp32", channels_last=False)
    plan = plan_hardware(hardware, config, detect_machine())
    plan = measure_plan(model, task, arrays, plan)
    with tempfile.TemporaryDirectory() as folder:
        result = fit(model, task, arrays, validation, config=config, plan=plan, seed=0, folder=Path(folder))
    return result.examples_per_second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=[*CASES, "all"], default="all")
    chosen = parser.parse_args().model
    for name, (image_px, rows, batch, rounds, aim) in CASES.items():
        if chosen not in ("all", name):
            continue
        arrays, validation = make_arrays(rows, image_px), make_arrays(64, image_px)
        config = TrainConfig(
            epochs=1, global_batch_size=batch, gradient_clip_norm=0.0, warmup_epochs=0, trackers=(), deterministic=False
        )
        comparison = compare(
            lambda: trainer_loop(name, image_px, arrays, validation, config),  # noqa: B023
            lambda: bare_loop(name, image_px, arrays, config),  # noqa: B023
            rounds,
        )
        title = f"{name}, {image_px} px, batch {batch}"
        print(comparison.line(title, "Trainer", "bare loop", "examples/s", f"at least {aim}"))


if __name__ == "__main__":
    main()
