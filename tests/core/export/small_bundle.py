"""A bundle of a tiny trained net, made once a session, and pictures to ask it about."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.train_worker import TRAIN, VALIDATION, make_arrays, make_schema, train
from filelock import FileLock
from safetensors.torch import load_file
from torch import Tensor

import apps
from apps.medical_imaging.app import MedicalImagingConfig
from core.config import DecisionConfig
from core.evaluation.decision import DecisionPolicy
from core.export.bundle import Bundle, load_bundle
from core.export.exporter import Origin, calibrate, evaluate_session, load_graph, make_bundle
from core.export.graph import ServingGraph
from core.export.model_card import write_card
from core.export.session import Session
from core.hardware import Machine
from core.training.checkpoint import save_weights

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
    """A bundle, and the same graph in PyTorch, with the weights that it had before it was exported."""

    bundle: Bundle
    graph: ServingGraph
    policy: DecisionPolicy
    weights: dict[str, Tensor]


def make(folder: Path) -> None:
    """Trains for a second or two, calibrates and bundles."""
    model = train(folder / "run", Machine(cores=1), checkpoint_every_steps=0, mixup=0.0, epochs=5)
    task = SPEC.recipes[0].build_task(CONFIG, SCHEMA)
    fitted_on, validation = make_arrays(TRAIN, 0), make_arrays(VALIDATION, 1)
    calibrated = calibrate(model, task, fitted_on, validation, CONFIG, SCHEMA)
    save_weights(folder / "graph.safetensors", calibrated.graph.state_dict())

    def measure(session: Session) -> dict[str, Any]:
        found, _ = evaluate_session(session, task, validation, calibrated.policy, [], resamples=10)
        training = {"epochs": 5, "seconds": 61.0, "best_epoch": 4}
        return {"test": found.to_json(), "validation": found.to_json(), "training": training}

    make_bundle(
        folder / "bundle",
        calibrated,
        task,
        CONFIG,
        SCHEMA,
        Origin("medical_imaging", "classify", "0" * 64),
        validation,
        measure=measure,
        write_card=lambda metrics: write_card(SPEC, CONFIG, SCHEMA.labels, calibrated.policy, metrics),
        assets=folder / "assets",
    )


@pytest.fixture(scope="session")
def small_bundle(shared_folder: Path) -> Path:
    """The folder of a bundle that all test processes share; copy it before changing it."""
    folder = shared_folder / "small_bundle"
    with FileLock(shared_folder / "small_bundle.lock"):
        if not (folder / "bundle" / "bundle.json").exists():
            make(folder)
    return folder / "bundle"


@pytest.fixture(scope="session")
def made(small_bundle: Path) -> Made:
    """The bundle opened again."""
    bundle = load_bundle(small_bundle)
    policy = DecisionPolicy.model_validate(bundle.read_json("decision.json"))
    graph = load_graph(bundle, SPEC.recipes[0].build_model(CONFIG, SCHEMA), policy)
    return Made(bundle, graph, policy, load_file(small_bundle.parent / "graph.safetensors"))


def pictures(rows: int, seed: int = 7) -> Iterator[np.ndarray]:
    """Noisy dark, light and red pictures that the net was not trained on."""
    yield from make_arrays(rows, seed)["image"]
