"""Data sets of the hub, or saved in its forms on disk: the only door to datasets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.hub import is_hub_reachable
from core.data.publish import default_cache_dir
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset

ROWS = 200_000


def load_hub_tables(name: str) -> "dict[str, pd.DataFrame]":
    """The parts of a data set as tables; see `load_hub_parts`."""
    return {word: with_label_names(part) for word, part in load_hub_parts(name).items()}


def load_hub_parts(name: str, cache_dir: str = "", subset: str = "") -> "dict[str, Dataset]":
    """The parts of a data set by the names of their splits.

    Args:
        name: ID on the hub, or a folder that `datasets` reads or has saved.
        cache_dir: Of what is made of a local folder; empty = the suite's own.
        subset: Which of the configurations of the set; empty = the one that stands for it.

    Raises:
        UserError: It cannot be reached (at once, when offline) or read.
    """
    import datasets

    datasets.disable_progress_bars()
    folder = Path(name).expanduser()
    try:
        if folder.is_dir():
            loaded = _load_local(folder, cache_dir, subset)
        elif is_hub_reachable():
            loaded = datasets.load_dataset(name, subset or None)
        else:
            with _offline():
                loaded = datasets.load_dataset(name, subset or None)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unavailable(name, folder.is_dir(), error) from None
    return {str(loaded.split or "train"): loaded} if isinstance(loaded, datasets.Dataset) else dict(loaded)


def write_hub_tables(name: str, wanted: Sequence[str], folder: Path) -> None:
    """Writes the parts of a data set as Parquet files, batch after batch, so that large ones need little memory.

    Args:
        name: ID on the hub, or a folder that `datasets` reads or has saved.
        wanted: Where the set has several configurations, those to write; otherwise all parts are written.
        folder: For the files, named after configurations or parts.

    Raises:
        UserError: It cannot be reached (at once, when offline) or read.
    """
    subsets = [subset for subset in _subsets(name) if subset in wanted]
    if subsets:
        tables = {subset: list(load_hub_parts(name, subset=subset).values()) for subset in subsets}
    else:
        tables = {part: [dataset] for part, dataset in load_hub_parts(name).items()}
    for table, parts in tables.items():
        _write_parquet(folder / f"{table}.parquet", parts)


def _write_parquet(file: Path, parts: "Sequence[Dataset]") -> None:
    import pyarrow.parquet as pq

    writer = None
    for part in parts:
        for batch in part.with_format("arrow").iter(batch_size=ROWS):
            named = _with_names_of_classes(batch, part.features)
            writer = writer or pq.ParquetWriter(file, named.schema)
            writer.write_table(named)
    if writer:
        writer.close()


def _with_names_of_classes(table: Any, features: Any) -> Any:
    import datasets
    import pyarrow as pa

    for place, (column, feature) in enumerate(features.items()):
        if isinstance(feature, datasets.ClassLabel):
            names = pa.array(feature.names).take(table[column].combine_chunks())
            table = table.set_column(place, column, names)
    return table.replace_schema_metadata(None)


def _subsets(name: str) -> list[str]:
    """Configurations of a data set; none of one that was saved, or that cannot be reached."""
    import datasets

    folder = Path(name).expanduser()
    if folder.is_dir() and is_saved_set(folder):
        return []
    try:
        if folder.is_dir() or is_hub_reachable():
            found: list[str] = datasets.get_dataset_config_names(str(folder) if folder.is_dir() else name)
            return found
        with _offline():
            return list(datasets.get_dataset_config_names(name))
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unavailable(name, folder.is_dir(), error) from None


def is_saved_set(folder: Path) -> bool:
    """Is it what `save_to_disk` of `datasets` leaves?"""
    return any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))


def with_label_names(dataset: "Dataset") -> "pd.DataFrame":
    """A data set as a table, with the names of classes in place of their numbers."""
    import datasets

    frame: pd.DataFrame = dataset.to_pandas()
    for name, feature in dataset.features.items():
        if isinstance(feature, datasets.ClassLabel):
            names = feature.names
            frame[name] = [names[int(value)] if value == value and value >= 0 else None for value in frame[name]]
    return frame


def _load_local(folder: Path, cache_dir: str, subset: str) -> Any:
    import datasets

    if is_saved_set(folder):
        return datasets.load_from_disk(str(folder))
    cache = Path(cache_dir).expanduser() if cache_dir else default_cache_dir()
    return datasets.load_dataset(str(folder), subset or None, cache_dir=str(cache / "hub"))


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
