"""Batches ready to train on: the suite's second epoch against torchvision's ImageFolder with a DataLoader.

Both read the same training images from class folders, resize them to the same side, and vary them
by flip, rotation, zoom and colour. ImageFolder decodes every epoch, in as many workers as there are
cores; the suite decoded once, keeps pixels at training size, and varies whole batches.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from apps.medical_imaging.app import SPEC
from benchmarks.side_by_side import compare
from core.config import resolve_config
from core.data.arrays import encode_split
from core.training.batches import TrainBatches

SIDE, BATCH, ROUNDS = 96, 32, 3
REAL_DATA = Path(os.environ.get("SUITE_REAL_DATA", "../shared/data"))


def image_folder_rate(folder: Path) -> float:
    """Images per second of a user's usual pipeline, one epoch, workers started before the clock."""
    vary = transforms.Compose(
        [
            transforms.Resize((SIDE, SIDE)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(180, translate=(0.1, 0.1), scale=(0.8, 1.2)),
            transforms.ColorJitter(0.15, 0.15, 0.15, 0.02),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.25,) * 3),
        ]
    )
    loader = DataLoader(
        datasets.ImageFolder(str(folder), vary),
        batch_size=BATCH,
        shuffle=True,
        num_workers=os.cpu_count() or 1,
        persistent_workers=True,
        drop_last=True,
    )
    for _ in loader:
        pass
    started = time.perf_counter()
    count = sum(len(labels) for _, labels in loader)
    return count / (time.perf_counter() - started)


def suite_rate(batches: TrainBatches, epoch: int) -> float:
    """Images per second of the suite's pipeline, one epoch."""
    started = time.perf_counter()
    count = 0
    for micro_batches in batches.epoch(epoch, 0, lambda: BATCH):
        count += sum(len(batch["label"]) for batch in micro_batches)
    return count / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REAL_DATA / "skin-lesions", help="class folders under train/")
    folder = parser.parse_args().data
    recipe = SPEC.recipes[0]
    settings = {"data.path": str(folder), "data.image_px": SIDE, "train.global_batch_size": BATCH}
    config = resolve_config(recipe.config, None, settings).config
    data = recipe.build_data(config, lambda done, total: None)
    task = recipe.build_task(config, data.schema)
    arrays = encode_split(task.encode, data.splits["train"], memory_gb=4)
    batches = TrainBatches(
        arrays,
        task,
        global_batch_size=BATCH,
        seed=0,
        rank=0,
        num_processes=1,
        device=torch.device("cpu"),
        balance=0.0,
        epochs=10,
    )
    epochs = iter(np.arange(1, 100))
    comparison = compare(
        lambda: suite_rate(batches, int(next(epochs))), lambda: image_folder_rate(folder / "train"), ROUNDS
    )
    print(comparison.line(f"input, {SIDE} px", "suite", "ImageFolder", "images/s", "at least 3"))


if __name__ == "__main__":
    main()
