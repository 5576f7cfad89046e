"""Points drawn by seed; the label is the side of a line."""

import hashlib

import numpy as np

from core.config import Config
from core.data.module import SPLITS, DataModule
from core.data.report import DataReport, count_rows
from toy_points.app import PointSchema

ROWS = {"train": 96, "validation": 64, "test": 64}


def load_points(config: Config) -> DataModule:
    draws = np.random.default_rng(config.seed)
    splits = {
        split: [
            {"point": (float(x), float(y)), "label": "above" if y > x else "below"}
            for x, y in draws.uniform(-1, 1, (ROWS[split], 2))
        ]
        for split in SPLITS
    }
    rows = count_rows({split: [example["label"] for example in examples] for split, examples in splits.items()})
    fingerprint = hashlib.sha256(repr(splits).encode()).hexdigest()
    return DataModule(
        splits, PointSchema(labels=("above", "below")), DataReport(source="sample", rows=rows), fingerprint
    )
