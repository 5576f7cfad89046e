"""Quality on real dermoscopy images, from scratch on this machine, beside two baselines on the same split.

The suite's `cpu` preset (or any preset or finished run), a plain small ResNet at 64 px for 40
epochs, and logistic regression on colour histograms. All train on the training split and are
measured on the test split; the suite chooses its weights on validation data. Intervals are
bootstrapped over lesions. The preset takes about twenty minutes on two cores; with --run a
finished run is measured instead.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import timm
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from apps.medical_imaging.app import SPEC
from core.config import resolve_config
from core.data.module import DataModule
from core.evaluation.classification import classification_metrics
from core.evaluation.uncertainty import Estimate
from core.serving.predictor import load_predictor

REAL_DATA = Path(os.environ.get("SUITE_REAL_DATA", "../shared/data"))
SHOWN = ("balanced_accuracy", "auroc", "accuracy", "ece")
EPOCHS, BATCH, SIDE = 40, 32, 64
Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


def load_split(data: DataModule, split: str, labels: tuple[str, ...]) -> tuple[Images, Labels, list[object]]:
    """Pixels, class numbers and lesion ids of a split."""
    examples = data.splits[split]  # type: ignore[index]
    numbers = [labels.index(example["label"]) for example in examples]
    return np.stack([example["image"] for example in examples]), np.array(numbers), [e.get("group") for e in examples]


def colour_histograms(train: Images, train_labels: Labels, test: Images) -> npt.NDArray[np.float64]:
    """Logistic regression on 16 bins of each colour channel, whole image and centre."""

    def features(images: Images) -> npt.NDArray[np.float64]:
        quarter = images.shape[1] // 4
        parts = (images, images[:, quarter:-quarter, quarter:-quarter])
        return np.stack([np.concatenate([_histogram(part[n]) for part in parts]) for n in range(len(images))])

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced"))
    probabilities: npt.NDArray[np.float64] = model.fit(features(train), train_labels).predict_proba(features(test))
    return probabilities


def _histogram(pixels: Images) -> npt.NDArray[np.float64]:
    return np.concatenate([np.histogram(pixels[..., c], 16, (0, 256), density=True)[0] for c in range(3)])


def plain_resnet(train: Images, train_labels: Labels, test: Images, num_labels: int) -> npt.NDArray[np.float64]:
    """What one would write first: a small ResNet, AdamW, cosine, flips; the last weights."""
    torch.manual_seed(0)
    model = timm.create_model("resnet18", num_classes=num_labels, channels=[32, 64, 128, 256])
    images, labels = _standardised(train), torch.from_numpy(train_labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    steps = EPOCHS * (len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(labels))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            batch = images[rows]
            batch = batch.flip(3) if torch.rand(()) < 0.5 else batch
            batch = batch.flip(2) if torch.rand(()) < 0.5 else batch
            F.cross_entropy(model(batch), labels[rows]).backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    model.eval()
    with torch.no_grad():
        return np.concatenate([model(part).softmax(1).numpy() for part in _standardised(test).split(BATCH)])


def _standardised(images: Images) -> torch.Tensor:
    return (torch.tensor(images).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.25


def show(name: str, metrics: dict[str, Estimate], minutes: float | None) -> None:
    cells = "  ".join(f"{key} {metrics[key]}" for key in SHOWN if key in metrics)
    print(f"{name:32}{cells}" + (f"  {minutes:.1f} min" if minutes is not None else ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REAL_DATA / "skin-lesions")
    parser.add_argument("--config", default="cpu")
    parser.add_argument("--run", type=Path, help="measure this finished run instead of training")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/benchmarks/skin_quality"))
    arguments = parser.parse_args()
    run = arguments.run or arguments.output_dir
    if arguments.run is None:
        command = [sys.executable, "-m", "apps.medical_imaging.train", "--config", arguments.config]
        command += ["--data", str(arguments.data), "--output-dir", str(run), "--resume", "auto"]
        subprocess.run(command, check=True)
    predictor = load_predictor(run, SPEC)
    schema: Any = predictor.schema
    recipe = SPEC.recipes[0]
    config = resolve_config(recipe.config, None, {"data.path": str(arguments.data), "data.image_px": SIDE}).config
    data = recipe.build_data(config, lambda done, total: None)
    train, train_labels, _ = load_split(data, "train", schema.labels)
    test, test_labels, groups = load_split(data, "test", schema.labels)

    metrics = predictor.read_json("metrics.json")
    ours = {name: Estimate(**value) for name, value in metrics["test"]["metrics"].items()}
    show(f"suite, {arguments.config}", ours, metrics["training"]["seconds"] / 60)
    for name, measure in (
        ("plain ResNet, 64 px, 40 epochs", lambda: plain_resnet(train, train_labels, test, len(schema.labels))),
        ("logistic regression, histograms", lambda: colour_histograms(train, train_labels, test)),
    ):
        started = time.perf_counter()
        probabilities = measure()
        minutes = (time.perf_counter() - started) / 60
        theirs = classification_metrics(
            probabilities, test_labels, schema.labels, resamples=1000, seed=0, groups=groups
        )
        show(name, theirs, minutes)


if __name__ == "__main__":
    main()
