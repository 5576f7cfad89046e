"""Data sets of the hub, or saved in its forms on disk: the only door to datasets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.hub import is_hub_reachable
from core.data.publish import default_cache_dir
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset


def load_hub_tables(name: str) -> "dict[str, pd.DataFrame]":
    """The parts of a data set as tables; see `load_hub_parts`."""
    return {word: with_label_names(part) for word, part in load_hub_parts(name).items()}


def load_hub_parts(name: str, cache_dir: str = "") -> "dict[str, Dataset]":
    """The parts of a data set by the names of their splits.

    Args:
        name: ID on the hub, or a folder that `datasets` reads or has saved.
        cache_dir: Of what is made of a local folder; empty = the suite's own.

    Raises:
        UserError: It cannot be reached (at once, when offline) or read.
    """
    import datasets

    datasets.disable_progress_bars()
    folder = Path(name).expanduser()
    try:
        if folder.is_dir():
            loaded = _load_local(folder, cache_dir)
        elif is_hub_reachable():
            loaded = datasets.load_dataset(name)
        else:
            with _offline():
                loaded = datasets.load_dataset(name)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unavailable(name, folder.is_dir(), error) from None
    return {str(loaded.split or "train"): loaded} if isinstance(loaded, datasets.Dataset) else dict(loaded)


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


def _load_local(folder: Path, cache_dir: str) -> Any:
    import datasets

    if is_saved_set(folder):
        return datasets.load_from_disk(str(folder))
    cache = Path(cache_dir).expanduser() if cache_dir else default_cache_dir()
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
