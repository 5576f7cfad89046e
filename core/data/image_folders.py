"""Image files below a folder, and what their places say: split and class."""

import difflib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.data.columns import as_word
from core.data.image_files import is_dicom, is_image_name
from core.data.image_masks import IMAGE_FOLDERS, is_mask_folder
from core.data.module import SplitName
from core.data.split import as_split
from core.data.tables import is_table
from core.errors import UserError

JUNK = frozenset({"thumbs.db", "desktop.ini"})
DOCUMENTS = frozenset({".md", ".txt", ".xml", ".pdf", ".html", ".yaml", ".yml"})


@dataclass(frozen=True)
class ImageFile:
    """One image file and what its place says.

    Args:
        name: Path relative to the data set, with `/`.
        path: Where it is.
        split: Named by its first folder, or None.
        label: The folder below that, or None.
        class_folder: Path of that folder, relative to the data set.
    """

    name: str
    path: Path
    split: SplitName | None = None
    label: str | None = None
    class_folder: str | None = None


@dataclass
class Folder:
    """What lies below a folder: images sorted by name, tables, class folders without images."""

    images: list[ImageFile] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    empty_classes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def scan_folder(root: Path, skip: Sequence[Path] = ()) -> Folder:
    """Lists the images and tables below a folder, without opening the images.

    Folders of masks, hidden files and `skip` are left out. Files without ending are images if they are DICOM.
    """
    found = Folder()
    ignored: Counter[str] = Counter()
    skipped = {os.path.realpath(path) for path in skip}
    for directory, names in _walk(root, skipped):
        parts = directory.relative_to(root).parts
        for name in sorted(names):
            path = directory / name
            if is_image_name(name) or (not path.suffix and _has_dicom_start(path)):
                found.images.append(_placed(path, [*parts, name]))
            elif is_table(path) and len(parts) <= 1:
                found.tables.append(path)
            elif name.lower() not in JUNK and path.suffix.lower() not in DOCUMENTS:
                ignored[path.suffix.lower() or "no ending"] += 1
    found.images.sort(key=lambda image: image.name)
    found.empty_classes = _empty_classes(root, found.images, skipped)
    found.notes += [
        f"{count} files are no images ({ending}) and are ignored" for ending, count in sorted(ignored.items())
    ]
    return found


def check_folder(root: Path) -> None:
    """Raises UserError unless a folder or file of that name exists."""
    if root.exists():
        return
    names = sorted(path.name for path in root.parent.iterdir()) if root.parent.is_dir() else []
    near = difflib.get_close_matches(root.name, names) or names[:8]
    raise UserError(
        f"There is no folder or file {root}.",
        f"{root.parent} holds: {', '.join(near)}." if near else "Data is a folder, a file, hub:ID or sample.",
        "Correct --data.",
    )


def _walk(root: Path, skipped: set[str]) -> Iterator[tuple[Path, list[str]]]:
    """Folders in order, links followed, each real folder once."""
    seen = set(skipped)
    for directory, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(directory)
        if real in seen:
            folders[:] = []
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_left_out(name))
        yield Path(directory), [name for name in names if not name.startswith(".")]


def _placed(path: Path, parts: Sequence[str]) -> ImageFile:
    """Reads split and class off the folders; a folder called `images` is neither."""
    places = [number for number, part in enumerate(parts[:-1]) if part.casefold() not in IMAGE_FOLDERS]
    split = as_split(parts[places[0]]) if places else None
    if split:
        places = places[1:]
    class_folder = "/".join(parts[: places[0] + 1]) if places else None
    label = as_word(parts[places[0]]) if places else None
    return ImageFile("/".join(parts), path, split, label, class_folder)


def _empty_classes(root: Path, images: Sequence[ImageFile], skipped: set[str]) -> list[str]:
    """Folders beside class folders that hold no image."""
    full = {image.class_folder for image in images if image.class_folder}
    beside = {
        child.relative_to(root).as_posix()
        for parent in {PurePosixPath(folder).parent for folder in full}
        for child in (root / parent).iterdir()
        if child.is_dir() and not _is_left_out(child.name) and os.path.realpath(child) not in skipped
    }
    holding = {
        "/".join(image.name.split("/")[:depth]) for image in images for depth in range(image.name.count("/") + 1)
    }
    return sorted(beside - full - holding)


def _is_left_out(name: str) -> bool:
    return name.startswith((".", "__")) or is_mask_folder(name)


def _has_dicom_start(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_dicom(file.read(132))
    except OSError:
        return False
