"""Images in one .npz file of arrays: x_train, y_train, x_test, y_test, class_names."""

import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.image_rows import FoundImages, ImageRow
from core.data.module import SplitName
from core.data.split import SPLIT_NAMES
from core.errors import UserError

ALLOWED = "It holds x_train, y_train and, if there are, x_val, y_val, x_test, y_test, class_names."


class LazyArray:
    """An array inside an .npz file, unpacked when its first image is asked for."""

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key, self._lock = path, key, Lock()
        self._array: NDArray[Any] | None = None

    def image(self, index: int) -> NDArray[Any]:
        """One image: (H, W) or (H, W, C)."""
        with self._lock:
            if self._array is None:
                with np.load(self._path, allow_pickle=False) as arrays:
                    self._array = arrays[self._key]
        image: NDArray[Any] = self._array[index]
        return image


def find_npz_images(path: Path) -> FoundImages:
    """The images of an .npz file; `<split>_images` and `<split>_labels` are read as well as `x_` and `y_`.

    Raises:
        UserError: The file is damaged, holds pickled objects, or its arrays do not fit together.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            pairs = _pairs(path, arrays.files)
            names = _class_names(arrays)
            lengths = {split: _length(path, x) for split, (x, _) in pairs.items()}
            labels = {split: np.asarray(arrays[y]).reshape(-1) for split, (_, y) in pairs.items()}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{path} is not a readable .npz file: {error}", ALLOWED, "Save it again with numpy.savez."
        ) from None
    stamp = f"{path.stat().st_size} {path.stat().st_mtime_ns}"
    found = FoundImages(str(path), [])
    for split, (x, _) in pairs.items():
        array = LazyArray(path, x)
        if len(labels[split]) != lengths[split]:
            what = f"{path}: {x} has {lengths[split]} images and {len(labels[split])} labels."
            raise UserError(what, "Each image has one label.", "Save it again.")
        for index, label in enumerate(labels[split]):
            content = partial(array.image, index)
            row = ImageRow(f"{x}/{index:06d}", content, f"{path.absolute()} {stamp}", _word(path, label, names), split)
            found.rows.append(row)
    return found


def _length(path: Path, key: str) -> int:
    """First dimension of an array, by its header."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape: tuple[int, ...] = read(file)[0]
    return shape[0] if shape else 0


def _pairs(path: Path, keys: list[str]) -> dict[SplitName, tuple[str, str]]:
    """Split to the keys of its images and labels."""
    pairs: dict[SplitName, tuple[str, str]] = {}
    for word, split in SPLIT_NAMES.items():
        for x, y in ((f"x_{word}", f"y_{word}"), (f"{word}_images", f"{word}_labels")):
            if x in keys and y in keys:
                pairs[split] = (x, y)
    if "train" not in pairs:
        raise UserError(f"{path} holds {', '.join(keys) or 'nothing'}.", ALLOWED, "Rename the arrays.")
    return pairs


def _class_names(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    return [str(name) for name in arrays["class_names"]] if "class_names" in arrays else []


def _word(path: Path, label: Any, names: list[str]) -> str:
    if not names or isinstance(label, str):
        return str(label)
    if not 0 <= int(label) < len(names):
        raise UserError(
            f"{path} holds the label {label}.", f"class_names has {len(names)} names, from 0.", "Correct the labels."
        )
    return names[int(label)]
