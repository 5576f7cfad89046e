"""Where the lesion is: the suite's mask against Otsu's threshold, on real masks.

Trains the `locate` preset (or measures a finished run) and reports mean IoU on the test split with
bootstrap intervals over lesions. Otsu takes the darker side of the grey image's best threshold.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from apps.medical_imaging.app import SPEC
from core.config import resolve_config
from core.data.image_quality import GREY_WEIGHTS
from core.evaluation.location import iou
from core.evaluation.uncertainty import Estimate, bootstrap_mean
from core.serving.predictor import load_predictor

REAL_DATA = Path(os.environ.get("SUITE_REAL_DATA", "../shared/data"))


def otsu_mask(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """The darker class of Otsu's threshold (Otsu 1979) on grey levels."""
    grey = np.rint(image.astype(np.float32) @ GREY_WEIGHTS).astype(np.int64)
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    weight, moment = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (moment[-1] * weight / weight[-1] - moment) ** 2 / (weight * (weight[-1] - weight))
    return np.asarray(grey <= int(np.nanargmax(between)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REAL_DATA / "skin-lesion-masks")
    parser.add_argument("--run", type=Path, help="measure this finished run instead of training")
    parser.add_argument("--pretrained", type=Path, help="start the backbone from this finished run")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/benchmarks/mask_quality"))
    arguments = parser.parse_args()
    run = arguments.run or arguments.output_dir
    if arguments.run is None:
        command = [sys.executable, "-m", "apps.medical_imaging.train", "--config", "locate"]
        command += ["--data", str(arguments.data), "--output-dir", str(run), "--resume", "auto"]
        if arguments.pretrained:
            command += ["--model.pretrained", str(arguments.pretrained)]
        subprocess.run(command, check=True)
    predictor = load_predictor(run, SPEC)
    metrics = predictor.read_json("metrics.json")
    recipe = SPEC.recipes[0]
    side = predictor.schema.image_px  # type: ignore[attr-defined]
    config = resolve_config(recipe.config, None, {"data.path": str(arguments.data), "data.image_px": side}).config
    examples = [
        e for e in recipe.build_data(config, lambda done, total: None).splits["test"] if e.get("mask") is not None
    ]
    overlaps = [iou(otsu_mask(example["image"]), example["mask"] > 0) for example in examples]
    otsu = bootstrap_mean(overlaps, resamples=1000, seed=0, groups=[example.get("group") for example in examples])
    minutes = metrics["training"]["seconds"] / 60
    print(
        f"suite, locate    mean IoU {Estimate(**metrics['test']['metrics']['mask_iou'])}  {minutes:.1f} min (aim 0.80)"
    )
    print(f"Otsu             mean IoU {otsu}")


if __name__ == "__main__":
    main()
