"""The bundle, format 1: one checked folder that holds everything a model needs to serve. Nothing in it can execute.

bundle.json is written last: its presence means that the rest is whole. It lists every other file with
its SHA-256; loading checks them all and refuses files that are not listed.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core.config import Record
from core.errors import UserError
from core.files import list_files, new_folder, sha256_of
from core.tasks.task import ArraySpec

FORMAT = 1
MANIFEST = "bundle.json"
ASSETS = "assets"
"""Folder in a run and in a bundle with what serving needs beside the model."""
INT8_GRAPH = "model.int8.onnx"
"""Beside model.onnx where it was measured to be good enough; it is then what is served."""
REQUIRED = (
    "config.yaml",
    "schema.json",
    "model.onnx",
    "model.safetensors",
    "decision.json",
    "metrics.json",
    "README.md",
)


class Manifest(Record):
    """bundle.json."""

    format: int
    """Version of this layout."""
    app: str
    """Name of the app."""
    recipe: str
    """Name of the recipe."""
    created: str
    """Date and time in UTC, ISO 8601."""
    libraries: dict[str, str]
    """Versions that made it."""
    data_fingerprint: str
    """SHA-256 of the data it was trained on."""
    inputs: tuple[ArraySpec, ...]
    """What the graph takes."""
    outputs: tuple[ArraySpec, ...]
    """What the graph gives."""
    files: dict[str, str]
    """Path inside the bundle to SHA-256."""


@dataclass(frozen=True)
class Bundle:
    """A bundle whose checksums were found right."""

    path: Path
    manifest: Manifest

    def read_json(self, name: str) -> Any:
        """A JSON file of the bundle."""
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    @property
    def id(self) -> str:
        """Twelve letters that change when anything in the bundle does."""
        return hashlib.sha256(self.manifest.model_dump_json().encode()).hexdigest()[:12]


def write_bundle(
    target: Path, manifest: Callable[[dict[str, str]], Manifest], write_files: Callable[[Path], None]
) -> Bundle:
    """Writes a bundle aside and renames it into place; one that was there before is replaced.

    Args:
        target: The folder.
        manifest: Makes the manifest from the checksums.
        write_files: Fills a folder with everything but the manifest.
    """
    with new_folder(target) as aside:
        write_files(aside)
        made = manifest({file.relative_to(aside).as_posix(): sha256_of(file) for file in list_files(aside)})
        (aside / MANIFEST).write_text(made.model_dump_json(indent=2), encoding="utf-8")
    return Bundle(target, made)


def load_bundle(path: Path) -> Bundle:
    """Opens a bundle, or the bundle of a run folder, after checking every file.

    Raises:
        UserError: Not a bundle, another format, a changed, missing or unlisted file, or a path that leaves it.
    """
    folder = path / "bundle" if (path / "bundle" / MANIFEST).is_file() else path
    if not (folder / MANIFEST).is_file():
        raise UserError(
            f"{path} is not a bundle or a finished run: it has no {MANIFEST}.",
            "A folder that `train` or `export` wrote.",
            "Give a run folder such as runs/medical_imaging/latest, or train one.",
        )
    manifest = _read_manifest(folder)
    _check_files(folder, manifest)
    return Bundle(folder, manifest)


def _read_manifest(folder: Path) -> Manifest:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content.get("format") != FORMAT:
            raise UserError(
                f"{folder} has bundle format {content.get('format')}.",
                f"This version reads format {FORMAT}.",
                "Export the model again with this version.",
            )
        return Manifest.model_validate(content)
    except UserError:
        raise
    except (ValueError, AttributeError) as error:
        raise _broken(folder, f"{MANIFEST} cannot be read ({str(error).splitlines()[0]})") from None


def _check_files(folder: Path, manifest: Manifest) -> None:
    for name in manifest.files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            raise _broken(folder, f"it lists {name!r}, which leaves the folder")
    present = {file.relative_to(folder).as_posix() for file in list_files(folder)} - {MANIFEST}
    if links := [name for name in present if (folder / name).is_symlink()]:
        raise _broken(folder, f"{links[0]} is a link")
    if missing := sorted({*manifest.files, *REQUIRED} - present):
        raise _broken(folder, f"{missing[0]} is missing")
    if unlisted := sorted(present - set(manifest.files)):
        raise _broken(folder, f"{unlisted[0]} is not listed in {MANIFEST}")
    for name, digest in manifest.files.items():
        if sha256_of(folder / name) != digest:
            raise _broken(folder, f"{name} was changed: its checksum differs")


def _broken(folder: Path, why: str) -> UserError:
    return UserError(
        f"The bundle {folder} is not as it was written: {why}.",
        "Every file must be listed and match its checksum.",
        "Copy the bundle again from where it came, or export it again.",
    )
