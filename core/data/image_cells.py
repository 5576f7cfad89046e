"""The image cell of a table row becomes an image: a path, a file name, an id, or the bytes themselves."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from core.data.columns import as_word
from core.data.image_files import is_image_name
from core.data.image_folders import ImageFile
from core.data.image_rows import ImageRow


class FileIndex:
    """Finds an image file by what a table calls it: a path, a file name, or an id without ending."""

    def __init__(self, root: Path, images: Sequence[ImageFile]) -> None:
        self.root = root
        self.has_labels = any(image.label for image in images)
        self._by_path = {image.name: image for image in images}
        self._by_name = _unique((PurePosixPath(image.name).name, image) for image in images)
        self._by_stem = _unique((PurePosixPath(image.name).stem, image) for image in images)

    def find(self, cell: str) -> ImageFile | None:
        """The file, or None. Names that two files share find neither."""
        name = cell.replace("\\", "/").removeprefix("./")
        bare = PurePosixPath(name).name
        known = self._by_path.get(name) or self._by_name.get(bare)
        if known is None and not is_image_name(bare):
            known = self._by_stem.get(bare)
        return known or self._outside(name)

    def _outside(self, name: str) -> ImageFile | None:
        try:
            path = self.root / name
            return ImageFile(name, path) if is_image_name(name) and path.is_file() else None
        except (OSError, ValueError):
            return None


def locate_cell(cell: Any, number: int, table: str, index: FileIndex) -> ImageRow | None:
    """The image that a cell holds or names, or None.

    Args:
        cell: A path, a file name, an id, bytes, or a mapping with `bytes` and `path` (Parquet files of the hub).
        number: Row number, from which images without a file get their name.
        table: Name of the table.
        index: The files that can be named.
    """
    if isinstance(cell, dict):
        cell = cell.get("bytes") or cell.get("path")
    if isinstance(cell, bytes):
        data = cell
        return ImageRow(f"{table}/{number:06d}", lambda: data, stamp=hashlib.sha256(data).hexdigest())
    word = as_word(cell)
    image = index.find(word) if word else None
    return ImageRow(image.name, image.path, split=image.split) if image else None


def _unique(pairs: Iterable[tuple[str, ImageFile]]) -> dict[str, ImageFile]:
    found: dict[str, ImageFile] = {}
    twice: set[str] = set()
    for key, image in pairs:
        twice |= {key} & found.keys()
        found[key] = image
    return {key: image for key, image in found.items() if key not in twice}
