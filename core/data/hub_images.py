"""Images of a data set of the hub, or saved in its forms on disk: the only door to datasets."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from core.data.columns import MappedColumns, map_columns
from core.data.image_config import ImageDataConfig
from core.data.image_rows import IMAGE_SYNONYMS, Content, FoundImages, ImageRow
from core.data.image_tables import describe, make_image_table
from core.data.module import SplitName
from core.data.publish import default_cache_dir
from core.data.split import as_split
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset

PROBE_SECONDS = 3.0


def find_hub_images(name: str, config: ImageDataConfig) -> FoundImages:
    """The images of a data set on the hub, of a folder that `datasets` reads, or of one it saved.

    Args:
        name: ID on the hub, or a path.
        config: Columns; where the cache is.

    Raises:
        UserError: It cannot be reached (at once, when offline), or has no column of images.
    """
    found = FoundImages(name, [])
    parts = _load_parts(name, config)
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
    frame = _named_labels(dataset.remove_columns(pictures))
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


def _named_labels(dataset: "Dataset") -> "pd.DataFrame":
    """The other columns, with the names of classes in place of their numbers."""
    import datasets

    frame: pd.DataFrame = dataset.to_pandas()
    for name, feature in dataset.features.items():
        if isinstance(feature, datasets.ClassLabel):
            names = feature.names
            frame[name] = [names[int(value)] if value == value and value >= 0 else None for value in frame[name]]
    return frame


def _stamp(file: str) -> list[str | int]:
    stat = Path(file).stat()
    return [file, stat.st_size, stat.st_mtime_ns]


def _load_parts(name: str, config: ImageDataConfig) -> "dict[str, Dataset]":
    import datasets

    datasets.disable_progress_bars()
    folder = Path(name).expanduser()
    try:
        if folder.is_dir():
            loaded = _load_local(folder, config)
        elif _is_reachable():
            loaded = datasets.load_dataset(name)
        else:
            with _offline():
                loaded = datasets.load_dataset(name)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unavailable(name, folder.is_dir(), error) from None
    return {str(loaded.split or "train"): loaded} if isinstance(loaded, datasets.Dataset) else dict(loaded)


def _load_local(folder: Path, config: ImageDataConfig) -> Any:
    import datasets

    if any((folder / name).is_file() for name in ("state.json", "dataset_dict.json")):
        return datasets.load_from_disk(str(folder))
    cache = Path(config.cache_dir).expanduser() if config.cache_dir else default_cache_dir()
    return datasets.load_dataset(str(folder), cache_dir=str(cache / "hub"))


def _unavailable(name: str, is_local: bool, error: Exception) -> UserError:
    reason = str(error).strip().split("\n")[0][:200]
    if is_local:
        return UserError(
            f"{name} cannot be read as a data set: {reason}", "It holds what `datasets` reads.", "Correct it."
        )
    return UserError(
        f"The data set {name} cannot be loaded from the hub: {reason}",
        "hub:ID needs the network, or a copy that `datasets` has loaded before.",
        f"Download it elsewhere (hf download {name} --repo-type dataset --local-dir FOLDER) and give --data FOLDER.",
    )


def _is_reachable() -> bool:
    """Whether the hub answers within three seconds: its own retries take twenty."""
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return True
    from huggingface_hub import constants

    answers: list[bool] = []
    host = urlparse(constants.ENDPOINT)
    port = host.port or (80 if host.scheme == "http" else 443)
    probe = Thread(target=lambda: answers.append(_connects(str(host.hostname), port)), daemon=True)
    probe.start()  # a thread, since looking up a name has no time limit
    probe.join(PROBE_SECONDS)
    return bool(answers) and answers[0]


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True


@contextmanager
def _offline() -> Iterator[None]:
    """Lets `datasets` look into its cache only."""
    import datasets
    from huggingface_hub import constants

    before = (datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE)
    datasets.config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE = before
