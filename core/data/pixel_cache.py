"""Every image is decoded once; later runs map the pixels from disk."""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from core.data.image_decode import FACTS, Decoded, decode_row
from core.data.image_rows import Content, ImageRow
from core.data.publish import publish
from core.data.report import Rejected

Progress = Callable[[int, int], None]
CODE_FILES = ("image_decode.py", "image_files.py", "dicom_files.py", "pixel_cache.py")
CHUNK_ROWS = 16
INDEX = "index.json"
ARRAYS = ("pixels.npy", "masks.npy", "facts.npy")


@dataclass(frozen=True)
class PixelCache:
    """Decoded images of a data set, in the order of its rows.

    Args:
        pixels: uint8 (N, px, px, 3), mapped from disk; zeros where an image was rejected.
        masks: uint8 (M, px, px) of 0 and 1, mapped from disk.
        facts: Structured (N,), see `FACTS`; `mask_slot` points into `masks`, -1 = none.
        rejected: Images, and masks, that could not be read.
        noted: Sentence to the paths that it holds for.
    """

    pixels: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    facts: NDArray[Any]
    rejected: tuple[Rejected, ...]
    noted: dict[str, list[str]]


def load_pixels(
    rows: Sequence[ImageRow], image_px: int, max_megapixels: float, cache_dir: Path, progress: Progress | None = None
) -> PixelCache:
    """The decoded images, from the cache or decoded now.

    The cache is named by path, size and time of every file, so a changed file gives a new one. Several processes may
    build the same cache at once: each writes a folder of its own, and the first to finish has it renamed into place.

    Args:
        rows: The data set.
        image_px: Side of the square, in pixels.
        max_megapixels: Limit for one image.
        cache_dir: Folder of caches.
        progress: Called with (done, total) while images are decoded; not called when nothing is.
    """
    folder = cache_dir / "images" / cache_key(rows, image_px, max_megapixels)
    cached = _open(folder)
    if cached is not None:
        return cached
    with publish(folder, _is_whole) as work:
        _build(work, rows, image_px, max_megapixels, progress)
        fresh = _open(work)  # mapped before it is renamed; the map follows the files
    return _open(folder) or _checked(fresh)


def cache_key(rows: Sequence[ImageRow], image_px: int, max_megapixels: float) -> str:
    """Name of the cache of these files at this size."""
    digest = hashlib.sha256(json.dumps([code_version(), image_px, max_megapixels]).encode())
    for row in rows:
        facts = [row.path, row.stamp, _stamp(row.content), _stamp(row.mask), row.boxes]
        digest.update(json.dumps(facts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def code_version() -> str:
    """Changes whenever the same file might give other pixels, hashes or reasons."""
    here = Path(__file__).parent
    digest = hashlib.sha256(PIL.__version__.encode())
    for name in CODE_FILES:
        digest.update((here / name).read_bytes())
    return digest.hexdigest()


def _stamp(content: Content | None) -> list[str | int]:
    if not isinstance(content, Path):
        return []
    try:
        stat = content.stat()
    except OSError:
        return [str(content), -1, -1]
    return [str(content.absolute()), stat.st_size, stat.st_mtime_ns]


def _build(folder: Path, rows: Sequence[ImageRow], px: int, max_megapixels: float, progress: Progress | None) -> None:
    slots = (
        np.cumsum([row.mask is not None or bool(row.boxes) for row in rows], dtype=np.int64) if rows else np.zeros(0)
    )
    pixels = _new_array(folder / "pixels.npy", (len(rows), px, px, 3))
    masks = _new_array(folder / "masks.npy", (int(slots[-1]) if rows else 0, px, px))
    facts = np.zeros(len(rows), dtype=FACTS)
    rejected: list[list[str]] = []
    noted: dict[str, list[str]] = {}
    for index, decoded in enumerate(_decode_all(rows, px, max_megapixels)):
        rejected += [list(item) for item in decoded.rejected]
        if decoded.pixels is not None:
            pixels[index] = decoded.pixels
            facts[index] = decoded.facts
            facts[index]["mask_slot"] = -1 if decoded.mask is None else slots[index] - 1
        if decoded.mask is not None:
            masks[slots[index] - 1] = decoded.mask
        if decoded.note:
            noted.setdefault(decoded.note, []).append(rows[index].path)
        if progress:
            progress(index + 1, len(rows))
    for array in (pixels, masks):
        if isinstance(array, np.memmap):
            array.flush()
    np.save(folder / "facts.npy", facts, allow_pickle=False)
    files = {name: _checksum(folder / name) for name in ARRAYS}
    index_text = json.dumps({"files": files, "rejected": rejected, "noted": noted})
    (folder / INDEX).write_text(index_text, encoding="utf-8", errors="surrogatepass")


def _new_array(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if 0 in shape:  # an empty file cannot be mapped
        np.save(path, np.zeros(shape, np.uint8), allow_pickle=False)
        return np.zeros(shape, np.uint8)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)


def _decode_all(rows: Sequence[ImageRow], px: int, max_megapixels: float) -> Iterator[Decoded]:
    """Decodes in threads (Pillow lets go of the interpreter lock), a bounded number of chunks ahead."""

    def decode_chunk(start: int) -> list[Decoded]:
        return [decode_row(row, px, max_megapixels) for row in rows[start : start + CHUNK_ROWS]]

    window = 1024  # rows held decoded at most, apart from the ones being written
    with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
        for first in range(0, len(rows), window):
            starts = range(first, min(first + window, len(rows)), CHUNK_ROWS)
            yield from chain.from_iterable(pool.map(decode_chunk, starts))


def _checksum(path: Path) -> list[int]:
    """Size in bytes and CRC-32: against accidents, not against an attacker, and fast."""
    crc = size = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            crc = zlib.crc32(block, crc)
            size += len(block)
    return [size, crc]


def _is_whole(folder: Path) -> bool:
    return _open(folder) is not None


def _open(folder: Path) -> PixelCache | None:
    """The cache in a folder, or None if there is none or it is damaged."""
    try:
        index = json.loads((folder / INDEX).read_bytes().decode("utf-8", "surrogatepass"))
        if any(_checksum(folder / name) != index["files"][name] for name in ARRAYS):
            return None
        pixels, masks = (_mapped(folder / name) for name in ("pixels.npy", "masks.npy"))
        facts = np.load(folder / "facts.npy", allow_pickle=False)
        rejected = tuple(Rejected(path=path, reason=reason, sentence=text) for path, reason, text in index["rejected"])
        return PixelCache(pixels, masks, facts, rejected, index["noted"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mapped(path: Path) -> NDArray[np.uint8]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError:  # nothing in it to map
        return np.asarray(np.load(path, allow_pickle=False))


def _checked(cache: PixelCache | None) -> PixelCache:
    assert cache is not None, "a cache that was just written cannot be read"
    return cache
