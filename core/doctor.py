"""`python -m apps doctor`: what this machine has, what is missing for what, and how to get it."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.app import AppSpec
from core.hardware import Machine, detect_machine

BASE = (
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "datasets",
    "accelerate",
    "faiss",
    "sklearn",
    "onnx",
    "onnxruntime",
    "gradio",
)
OPTIONAL = {
    "wandb": ("curves on Weights & Biases", "wandb"),
    "pytorch_grad_cam": ("the benchmark of heat maps", "explain"),
    "playwright": ("the browser tests", "dev"),
}
MIN_DISK_GB, MIN_MEMORY_GB = 2.0, 4.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    level: Literal["ok", "note", "missing"]
    what: str
    fix: str = ""


def examine(apps: Mapping[str, AppSpec], broken: Mapping[str, str]) -> bool:
    """Prints what was found; True if everything that the apps need is there."""
    findings = [*_software(), *_machine(detect_machine()), *_apps(apps, broken)]
    for finding in findings:
        print(f"{finding.level:8}{finding.what}")
        if finding.fix:
            print(f"{'':8}-> {finding.fix}")
    return all(finding.level != "missing" for finding in findings)


def _software() -> Iterator[Finding]:
    yield Finding("ok", f"Python {sys.version.split()[0]}")
    for name in BASE:
        if importlib.util.find_spec(name) is None:
            yield Finding("missing", f"package {name}", "pip install -e . -c constraints.txt")
    for name, (purpose, extra) in OPTIONAL.items():
        if importlib.util.find_spec(name) is None:
            yield Finding(
                "note", f"package {name} is not installed; it is for {purpose}", f"pip install -e '.[{extra}]'"
            )
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        yield Finding("note", "no Chromium; it is for the browser tests", "apt-get install chromium")


def _machine(machine: Machine) -> Iterator[Finding]:
    yield Finding("ok", f"{machine.cpu}, {machine.cores} cores, {machine.memory_gb:.1f} GiB of memory")
    if machine.memory_gb < MIN_MEMORY_GB:
        yield Finding(
            "note", f"less than {MIN_MEMORY_GB:g} GiB of memory", "lower train.global_batch_size and data.image_px"
        )
    for gpu in machine.gpus:
        yield Finding("ok", f"GPU {gpu.name}, {gpu.memory_gb:.0f} GiB")
    if not machine.gpus and not machine.has_mps:
        yield Finding("note", "no GPU: presets quick and cpu train here; gpu would be slow")
    free_gb = shutil.disk_usage(Path.cwd()).free / 2**30
    level: Literal["ok", "missing"] = "ok" if free_gb >= MIN_DISK_GB else "missing"
    yield Finding(level, f"{free_gb:.0f} GiB free on the disk of {Path.cwd()}", "" if level == "ok" else "make room")


def _apps(apps: Mapping[str, AppSpec], broken: Mapping[str, str]) -> Iterator[Finding]:
    for name, spec in apps.items():
        latest = Path("runs") / name / "latest"
        trained = "trained" if latest.exists() else f"not trained yet: {spec.command('train')} --config quick"
        yield Finding("ok", f"app {name}: {spec.title.en}; {trained}")
    for name, reason in broken.items():
        yield Finding("missing", f"app {name} cannot be loaded: {reason}", "update or remove it")
