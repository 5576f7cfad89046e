"""Images of a data set of the hub, or saved in its forms on disk."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.columns import MappedColumns, map_columns
from core.data.hub_sets import load_hub_parts, with_label_names
from core.data.image_config import ImageDataConfig
from core.data.image_rows import IMAGE_SYNONYMS, Content, FoundImages, ImageRow
from core.data.image_tables import describe, make_image_table
from core.data.module import SplitName
from core.data.split import as_split
from core.errors import UserError

if TYPE_CHECKING:
    from datasets import Dataset


def find_hub_images(name: str, config: ImageDataConfig) -> FoundImages:
    """The images of a data set on the hub, of a folder that `datasets` reads, or of one it saved.

    Args:
        name: ID on the hub, or a path.
        config: Columns; where the cache is.

    Raises:
        UserError: It cannot be reached (at once, when offline), or has no column of images.
    """
    found = FoundImages(name, [])
    parts = load_hub_parts(name, config.cache_dir)
    for word, dataset in parts.items():
        split = as_split(word)
        if split is None and len(parts) > 1:
            found.notes.append(f"split {word} is not used: it is neither train, validation nor test")
            continue
        rows, notes = _rows(word, dataset, split, config)
        found.rows += rows
        found.notes += [note for note in notes if note not in found.notes]
    return found


def _rows(
    word: str, dataset: "Dataset", split: SplitName | None, config: ImageDataConfig
) -> tuple[list[ImageRow], tuple[str, ...]]:
    import datasets

    columns = _columns(dataset, config)
    pictures = [columns.columns[role] for role in ("image", "mask") if role in columns.columns]
    for column in pictures:
        dataset = dataset.cast_column(column, datasets.Image(decode=False))
    images = _contents(dataset, pictures[0])
    masks = _contents(dataset, pictures[1]) if len(pictures) > 1 else [None] * len(images)
    frame = with_label_names(dataset.remove_columns(pictures))
    roles = {role: None if column in pictures else column for role, column in columns.columns.items()}
    table = make_image_table(word, frame, config.columns.model_copy(update=roles), split)
    stamp = f"{dataset._fingerprint} {[_stamp(item['filename']) for item in dataset.cache_files]}"
    rows = [
        describe(ImageRow(f"{word}/{number:06d}", content, stamp, split=split, mask=mask), table, cells)
        for number, (content, mask, cells) in enumerate(zip(images, masks, table.rows, strict=True))
        if content is not None
    ]
    return rows, columns.notes


def _columns(dataset: "Dataset", config: ImageDataConfig) -> MappedColumns:
    """Roles to columns; images and masks are columns of the type Image, a label may be any ClassLabel."""
    import datasets

    features = dataset.features

    def of_type(kind: type) -> Callable[[str], bool]:
        return lambda column: isinstance(features[column], kind)

    accepts = {"image": of_type(datasets.Image), "mask": of_type(datasets.Image)}
    mapped = map_columns(list(features), config.columns.model_dump(), IMAGE_SYNONYMS, accepts)
    columns = dict(mapped.columns)
    for role, kind in (("image", datasets.Image), ("label", datasets.ClassLabel)):
        free = [name for name in features if isinstance(features[name], kind) and name not in columns.values()]
        if role not in columns and free:
            columns[role] = free[0]
    if "image" not in columns:
        raise UserError(
            f"The data set has no column of images; its columns: {', '.join(features)}.",
            "Images are in a column of the type Image.",
            "Name the column: --data.columns.image NAME.",
        )
    return MappedColumns(columns, mapped.notes)


def _contents(dataset: "Dataset", column: str) -> list[Content | None]:
    """Where each image is: its file, or a function that gives its bytes."""
    import pyarrow.compute as pc

    cells = dataset.select_columns([column]).with_format("arrow")[:][column]
    paths = pc.struct_field(cells, "path").to_pylist()
    has_bytes = pc.is_valid(pc.struct_field(cells, "bytes")).to_pylist()
    reader = dataset.select_columns([column])
    return [
        partial(_read, reader, number, column) if has else Path(path) if path else None
        for number, (path, has) in enumerate(zip(paths, has_bytes, strict=True))
    ]


def _read(dataset: "Dataset", number: int, column: str) -> bytes:
    data: bytes = dataset[number][column]["bytes"]
    return data


def _stamp(file: str) -> list[str | int]:
    stat = Path(file).stat()
    return [file, stat.st_size, stat.st_mtime_ns]
