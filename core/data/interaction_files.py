"""Where items and events lie: a folder with one table of each, the MovieLens layouts among them, or a hub set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.interaction_config import InteractionConfig
from core.data.tables import TABLE_SUFFIXES
from core.data.text_sources import HUB
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

ITEM_NAMES = ("items", "movies", "products", "catalogue", "catalog", "u.item")
EVENT_NAMES = ("events", "interactions", "ratings", "clicks", "u.data")
OLD_SUFFIXES = (".dat", ".data", ".item")
"""MovieLens-1M and -100K, which have no header."""
ALLOWED = "A folder with items.* and events.* (CSV, TSV, JSONL, Parquet), a MovieLens folder, or hub:ID."
COLUMNS_1M = {
    "movies.dat": ("item_id", "title", "tags"),
    "ratings.dat": ("user_id", "item_id", "rating", "timestamp"),
}
COLUMNS_100K = ("user_id", "item_id", "rating", "timestamp")
GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy"),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)


@dataclass(frozen=True)
class Found:
    """Files of a data set.

    Args:
        source: For messages.
        items: One table.
        events: One table or more, read one after the other.
        beside: Further tables with the item's id, whose columns join the items.
    """

    source: str
    items: Path
    events: tuple[Path, ...]
    beside: tuple[Path, ...] = ()


def find_interactions(config: InteractionConfig) -> Found:
    """The files of `config.path`.

    Raises:
        UserError: Items or events are not there.
    """
    if config.path.startswith(HUB):
        return _from_hub(config)
    folder = Path(config.path).expanduser()
    if not folder.is_dir():
        raise UserError(f"{config.path} is no folder.", ALLOWED, "Correct --data.")
    items = folder / config.items if config.items else _named(folder, ITEM_NAMES)
    events = folder / config.events if config.events else _named(folder, EVENT_NAMES)
    for what, place in (("items", items), ("events", events)):
        if place is None or not place.exists():
            there = ", ".join(sorted(file.name for file in folder.iterdir())[:12]) or "nothing"
            raise UserError(
                f"{folder} has no {what}{f' at {place.name}' if place else ''}; it holds {there}.",
                ALLOWED,
                f"Name the file: --data.{what} NAME.",
            )
    assert items is not None
    assert events is not None
    parts = tuple(sorted(file for file in events.iterdir() if _is_readable(file))) if events.is_dir() else (events,)
    if not parts:
        raise UserError(f"{events} holds no table.", ALLOWED, "Put the events there.")
    beside = tuple(
        file
        for file in sorted(folder.iterdir())
        if file.is_file() and _is_readable(file) and file not in (items, *parts)
    )
    return Found(str(config.path), items, parts, beside)


def read_old_movielens(file: Path) -> "pd.DataFrame":
    """movies.dat of MovieLens-1M or u.item of MovieLens-100K, whose columns have no names."""
    import pandas as pd

    lines = file.read_text(encoding="latin-1").splitlines()
    if file.suffix == ".dat":
        return pd.DataFrame([line.split("::") for line in lines if line], columns=list(COLUMNS_1M["movies.dat"]))
    rows = [line.split("|") for line in lines if line]
    genres = [" ".join(name for name, flag in zip(GENRES_100K, row[5:], strict=False) if flag == "1") for row in rows]
    titles = [row[1] for row in rows]
    return pd.DataFrame({"item_id": [row[0] for row in rows], "title": titles, "tags": genres})


def _is_readable(file: Path) -> bool:
    return file.suffix.lower() in TABLE_SUFFIXES


def _named(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first of several names that is there, whatever its suffix."""
    there = sorted(folder.iterdir())
    for name in names:
        for file in there:
            is_table = file.is_dir() or _is_readable(file) or file.suffix in OLD_SUFFIXES
            if is_table and name in (file.name.lower(), file.stem.lower()):
                return file
    return None


def _from_hub(config: InteractionConfig) -> Found:
    """A hub set whose parts are called items and events, written aside as Parquet so that both are streamed."""
    import tempfile

    from core.data.hub_sets import load_hub_tables

    tables: Mapping[str, pd.DataFrame] = load_hub_tables(config.path.removeprefix(HUB))
    folder = Path(tempfile.mkdtemp(prefix="ai_app_suite_hub_"))
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    return find_interactions(config.model_copy(update={"path": str(folder)}))
