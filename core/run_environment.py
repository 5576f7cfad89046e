"""Which software made a run."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "accelerate", "timm", "transformers", "onnxruntime", "numpy")


def describe_environment() -> dict[str, str]:
    """Name to version of everything that a result may depend on."""
    found = {"ai-app-suite": _version("ai-app-suite"), "python": platform.python_version()}
    return {**found, **{name: _version(name) for name in PACKAGES}, "system": platform.platform()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
