"""Where the mask or the boxes of an image are: a folder of equally named masks, or Pascal VOC files."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from core.data.image_files import is_image_name
from core.data.image_rows import Box
from core.errors import UserError

MASK_FOLDERS = ("masks", "mask", "annotations", "segmentations", "segmentation", "segmentationclass")
IMAGE_FOLDERS = ("images", "image", "jpegimages", "imgs")
MASK_ENDINGS = ("_mask", "-mask", "_segmentation", "_seg")


@dataclass(frozen=True)
class FoundMasks:
    """Mask files and boxes by the name of their image, without ending: relative path and bare name."""

    files: Mapping[str, Path] = field(default_factory=dict)
    xml_files: Mapping[str, Path] = field(default_factory=dict)

    def mask_of(self, image: str) -> Path | None:
        """Mask file of an image, by its relative path, else by its bare name."""
        return _look_up(self.files, image)

    def xml_of(self, image: str) -> Path | None:
        """Pascal VOC file of an image."""
        return _look_up(self.xml_files, image)


def is_mask_folder(name: str) -> bool:
    """Whether a folder's name says that it holds masks and no images."""
    return name.casefold() in MASK_FOLDERS


def find_masks(root: Path, setting: str) -> FoundMasks:
    """Finds mask and box files of a data set.

    Args:
        root: Folder of the data set.
        setting: A folder, `auto` (mask folders below `root`, XML files anywhere below it) or `none`.

    Raises:
        UserError: A named folder does not exist or holds no masks.
    """
    if setting == "none":
        return FoundMasks()
    if setting == "auto":
        return _index(_walk(root, root, in_masks=False))
    folder = next((place for place in (root / setting, Path(setting)) if place.is_dir()), None)
    found = _index(_walk(folder, folder, in_masks=True)) if folder else FoundMasks()
    if not found.files and not found.xml_files:
        state = "does not exist" if folder is None else "holds no mask image and no XML file"
        raise UserError(
            f"The folder of masks {setting} {state}.", "Masks are named like their images.", "Correct --data.masks."
        )
    return found


def read_voc(path: Path) -> tuple[list[Box], list[str]]:
    """Boxes and names of the objects in a Pascal VOC file.

    VOC counts pixels from 1 and includes the last one; the boxes returned count from 0 and exclude it.

    Raises:
        UserError: The file is not Pascal VOC.
    """
    try:
        data = path.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise ValueError("it defines entities, which are not read")
        objects = ElementTree.fromstring(data).findall("object")
        corners = [
            [float(item.findtext(f"bndbox/{side}") or "") for side in ("xmin", "ymin", "xmax", "ymax")]
            for item in objects
        ]
    except (ElementTree.ParseError, ValueError) as error:
        fix = "Correct the file, or leave boxes out with --data.masks none."
        raise UserError(f"{path} is not Pascal VOC: {error}.", "Objects have a bndbox of four numbers.", fix) from None
    boxes = [(xmin - 1, ymin - 1, xmax, ymax) for xmin, ymin, xmax, ymax in corners]
    return boxes, [(item.findtext("name") or "").strip() for item in objects]


def _walk(folder: Path, root: Path, in_masks: bool) -> Iterable[tuple[str, Path]]:
    """Relative name without the mask folder, and path, of mask and XML files."""
    for directory, _, files in os.walk(folder):
        parts = Path(directory).relative_to(root).parts
        inside = in_masks or any(is_mask_folder(part) for part in parts)
        kept = [part for part in parts if not is_mask_folder(part)]
        for name in sorted(files):
            if name.lower().endswith(".xml") or (inside and is_image_name(name)):
                yield "/".join([*kept, name]), Path(directory) / name


def _index(found: Iterable[tuple[str, Path]]) -> FoundMasks:
    files: dict[str, Path] = {}
    xml_files: dict[str, Path] = {}
    for name, path in sorted(found):
        target = xml_files if name.lower().endswith(".xml") else files
        stem = _key(name)
        for ending in MASK_ENDINGS if target is files else ():
            stem = stem.removesuffix(ending)
        target[stem] = path
    return FoundMasks(files, xml_files)


def _look_up(index: Mapping[str, Path], image: str) -> Path | None:
    """By relative path; else by bare name, among the files that lie in no folder of their own."""
    key = _key(image)
    return index.get(key) or index.get(key.rsplit("/", 1)[-1])


def _key(name: str) -> str:
    *folders, last = name.split("/")
    return "/".join([*(part for part in folders if part.casefold() not in IMAGE_FOLDERS), PurePath(last).stem])
