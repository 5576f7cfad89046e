"""Which software makes a run, and whether what it asks for is there."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from core.errors import UserError

PACKAGES = ("torch", "accelerate", "timm", "transformers", "onnxruntime", "numpy")


def describe_environment() -> dict[str, str]:
    """Name to version of everything that a result may depend on."""
    found = {"ai-app-suite": _version("ai-app-suite"), "python": platform.python_version()}
    return {**found, **{name: _version(name) for name in PACKAGES}, "system": platform.platform()}


def check_trackers(names: Sequence[str]) -> None:
    """Raises UserError for a tracker that is not installed, which accelerate would leave out without a word."""
    for name in names:
        if find_spec(name) is None:
            raise UserError(
                f"The tracker {name} is not installed.",
                "Trackers are tensorboard and wandb.",
                f"Run pip install -e '.[{name}]', or change train.trackers.",
            )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
