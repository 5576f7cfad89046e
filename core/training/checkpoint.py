"""Checkpoints that are whole or absent: written aside, flushed, checksummed, renamed into place.

A checkpoint is a folder `step-<n>` of safetensors and JSON files with a manifest of their SHA-256.
The one before it is removed only afterwards. accelerate's `save_state` writes in place, removes old
ones first and pickles, so it is not used.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.errors import UserError
from core.files import list_files, new_file, new_folder, sha256_of

KEPT = 2
MANIFEST = "manifest.json"
FILES = {"model.safetensors", "average.safetensors", "optimizer.safetensors", "progress.json"}


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next step depends on, besides the config and the data.

    Args:
        model: Weights and buffers by name.
        average: The same of the moving average; empty without one.
        optimizer: As `Optimizer.state_dict` gives it.
        progress: JSON-ready: step, history, best value and the like.
    """

    model: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    progress: Mapping[str, Any]


def save_checkpoint(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Saves a checkpoint and then removes all but the last two.

    Raises:
        UserError: No space or no permission; checkpoints that exist are left as they are.
    """
    target = folder / f"step-{step:09d}"
    tensors, groups = _flatten_optimizer(checkpoint.optimizer)
    with saving(f"The checkpoint of step {step}", folder), new_folder(target) as aside:
        _save_tensors(checkpoint.model, aside / "model.safetensors")
        _save_tensors(checkpoint.average, aside / "average.safetensors")
        _save_tensors(tensors, aside / "optimizer.safetensors")
        record = {"step": step, "optimizer": groups, "progress": checkpoint.progress}
        (aside / "progress.json").write_text(json.dumps(record))
        manifest = {file.name: sha256_of(file) for file in list_files(aside)}
        (aside / MANIFEST).write_text(json.dumps(manifest))
    for old in (*list(_steps(folder))[:-KEPT], *folder.glob(".*.aside")):
        shutil.rmtree(old, ignore_errors=True)
    return target


def load_latest(folder: Path) -> tuple[int, Checkpoint, list[str]] | None:
    """The newest checkpoint that is whole.

    Returns:
        Its step, its content, and a sentence for each newer one that was damaged; None without any.
    """
    warnings: list[str] = []
    for path in reversed(list(_steps(folder))):
        damage = find_damage(path)
        if damage is None:
            step, checkpoint = _load(path)
            return step, checkpoint, warnings
        warnings.append(f"Checkpoint {path.name} is damaged ({damage}); the one before it is used.")
    if warnings:
        raise UserError(
            f"No checkpoint in {folder} is whole: {' '.join(warnings)}",
            "At least one must pass its checksums to go on.",
            "Start again without --resume, in another --output-dir.",
        )
    return None


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """One safetensors file, replaced in one step.

    Raises:
        UserError: No space or no permission; the file that was there is left as it is.
    """
    with saving(path.name, path.parent), new_file(path) as aside:
        _save_tensors(weights, aside)


@contextmanager
def saving(what: str, folder: Path) -> Iterator[None]:
    """Says in words why something could not be written during training, and how to go on.

    Raises:
        UserError: No space or no permission.
    """
    try:
        yield
    # safetensors reports a full disk as an error of its own.
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{what} could not be saved in {folder}: {getattr(error, 'strerror', None) or error}.",
            "The checkpoints that were there are intact.",
            "Make room or give another --output-dir, then go on with --resume auto.",
        ) from None


def find_damage(path: Path) -> str | None:
    """What is wrong with a checkpoint, or None."""
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except (OSError, ValueError):
        return f"{MANIFEST} is missing or not JSON"
    if not isinstance(manifest, dict) or not manifest.keys() >= FILES:
        return f"{MANIFEST} does not list the files of a checkpoint"
    for name, digest in manifest.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if sha256_of(file) != digest:
            return f"{name} has another checksum"
    return None


def _steps(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.glob("step-*") if path.is_dir())


def _load(path: Path) -> tuple[int, Checkpoint]:
    record = json.loads((path / "progress.json").read_text())
    optimizer = _unflatten_optimizer(load_file(path / "optimizer.safetensors"), record["optimizer"])
    model, average = load_file(path / "model.safetensors"), load_file(path / "average.safetensors")
    return record["step"], Checkpoint(model, average, optimizer, record["progress"])


def _save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    # safetensors refuses shared and strided tensors; a checkpoint owns plain copies.
    save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, path)


def _flatten_optimizer(state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors by `<parameter>.<name>`, and what is left as JSON."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {"param_groups": state["param_groups"], "state": {}}
    for parameter, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{parameter}.{name}"] = value
            else:
                plain["state"].setdefault(str(parameter), {})[name] = value
    return tensors, plain


def _unflatten_optimizer(tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {int(number): dict(values) for number, values in plain["state"].items()}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor
    return {"state": state, "param_groups": plain["param_groups"]}
