"""A bundle of a tiny trained net, made once a session, and pictures to ask it about."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.train_worker import TRAIN, VALIDATION, make_arrays, make_schema, train
from filelock import FileLock

import apps
from apps.medical_imaging.app import MedicalImagingConfig
from core.config import DecisionConfig
from core.export.bundle import Bundle
from core.export.exporter import Calibrated, Origin, calibrate, evaluate_session, make_bundle
from core.export.model_card import write_card
from core.export.onnx import Parity
from core.export.session import Session
from core.hardware import Machine

SPEC = apps.load("medical_imaging")
CONFIG = MedicalImagingConfig.model_validate(
    {
        "model": {
            "backbone": "resnet10t",
            "options": {"channels": [8, 8, 8, 8], "stem_width": 8},
            "dropout": 0.3,
            "mask_channels": 8,
        },
        "data": {"image_px": 32},
        "decision": DecisionConfig(positive_labels=("red",)),
    }
)
SCHEMA = make_schema().model_copy(update={"positive_labels": ("red",)})


@dataclass(frozen=True)
class Made:
    """A bundle and what it was made from."""

    bundle: Bundle
    calibrated: Calibrated
    parity: Parity


def make(folder: Path) -> Made:
    """Trains for a second or two, calibrates and bundles."""
    model = train(folder / "run", Machine(cores=1), checkpoint_every_steps=0, mixup=0.0, epochs=5)
    task = SPEC.recipes[0].build_task(CONFIG, SCHEMA)
    fitted_on, validation = make_arrays(TRAIN, 0), make_arrays(VALIDATION, 1)
    calibrated = calibrate(model, task, fitted_on, validation, CONFIG, SCHEMA)

    def measure(session: Session) -> dict[str, Any]:
        found, _ = evaluate_session(session, task, validation, calibrated.policy, [], resamples=10)
        training = {"epochs": 5, "seconds": 61.0, "best_epoch": 4}
        return {"test": found.to_json(), "validation": found.to_json(), "training": training}

    bundle, parity = make_bundle(
        folder / "bundle",
        calibrated,
        task,
        CONFIG,
        SCHEMA,
        Origin("medical_imaging", "classify", "0" * 64),
        validation,
        measure=measure,
        write_card=lambda metrics: write_card(SPEC, CONFIG, SCHEMA, calibrated.policy, metrics),
    )
    return Made(bundle, calibrated, parity)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A bundle together with its graph in PyTorch, made by this process."""
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def small_bundle(shared_folder: Path) -> Path:
    """The folder of a bundle that all test processes share; copy it before changing it."""
    folder = shared_folder / "small_bundle"
    with FileLock(shared_folder / "small_bundle.lock"):
        if not (folder / "bundle" / "bundle.json").exists():
            make(folder)
    return folder / "bundle"


def pictures(rows: int, seed: int = 7) -> Iterator[np.ndarray]:
    """Noisy dark, light and red pictures that the net was not trained on."""
    yield from make_arrays(rows, seed)["image"]
