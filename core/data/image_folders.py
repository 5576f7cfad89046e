"""Image files below a folder, and what their places say: split and class."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.data.image_files import is_dicom, is_image_name
from core.data.image_masks import is_mask_folder
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
    """

    name: str
    path: Path
    split: SplitName | None
    label: str | None


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
    found.empty_classes = sorted(_class_folders(root, skipped) - {_class_folder(image) for image in found.images})
    found.notes += [
        f"{count} files are no images ({ending}) and are ignored" for ending, count in sorted(ignored.items())
    ]
    return found


def check_folder(root: Path) -> None:
    """Raises UserError unless a folder or file of that name exists."""
    if root.exists():
        return
    near = [path.name for path in root.parent.iterdir()][:8] if root.parent.is_dir() else []
    raise UserError(
        f"There is no folder or file {root}.",
        f"{root.parent} holds: {', '.join(sorted(near))}." if near else "Data is a folder, a file, hub:ID or sample.",
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
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")) and not is_mask_folder(name))
        yield Path(directory), [name for name in names if not name.startswith(".")]


def _placed(path: Path, parts: Sequence[str]) -> ImageFile:
    folders = list(parts[:-1])
    split = as_split(folders[0]) if folders else None
    if split:
        folders = folders[1:]
    return ImageFile("/".join(parts), path, split, folders[0].strip() if folders else None)


def _class_folder(image: ImageFile) -> str:
    return "/".join(image.name.split("/")[: 2 if image.split else 1])


def _class_folders(root: Path, skipped: set[str]) -> set[str]:
    """Folders at the place of a class: below the split folders if there are any, else below the root."""
    tops = _children(root, skipped)
    splits = [top for top in tops if as_split(top.name)]
    classes = [child for top in splits for child in _children(top, skipped)] if splits else tops
    return {path.relative_to(root).as_posix() for path in classes}


def _children(folder: Path, skipped: set[str]) -> list[Path]:
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_dir()
        and not path.name.startswith((".", "__"))
        and not is_mask_folder(path.name)
        and os.path.realpath(path) not in skipped
    ]


def _has_dicom_start(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_dicom(file.read(132))
    except OSError:
        return False
