"""Where items and events lie: a folder with one table of each, the MovieLens layouts among them, or a hub set."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.hub_sets import write_hub_tables
from core.data.interaction_config import InteractionConfig
from core.data.tables import TABLE_SUFFIXES
from core.data.text_sources import HUB
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

ITEM_NAMES = ("items", "movies", "products", "catalogue", "catalog", "u.item")
EVENT_NAMES = ("events", "interactions", "ratings", "clicks", "u.data")
JOINED_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""Of further tables that may say something of the items."""
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


def find_interactions(config: InteractionConfig, scratch: Path) -> Found:
    """The files of `config.path`.

    Args:
        config: Where the data is.
        scratch: An empty folder, into which a hub set is written as tables that can be streamed.

    Raises:
        UserError: Items or events are not there.
    """
    folder = Path(config.path).expanduser()
    if config.path.startswith(HUB):
        folder = scratch
        write_hub_tables(config.path.removeprefix(HUB), (*ITEM_NAMES, *EVENT_NAMES), folder)
    if not folder.is_dir():
        raise UserError(f"{config.path} is no folder.", ALLOWED, "Correct --data.")
    items = _one(folder, "items", config.items, ITEM_NAMES, config.path)
    events = _one(folder, "events", config.events, EVENT_NAMES, config.path)
    parts = _parts(events) if config.events else _with_numbered(folder, events)
    beside = tuple(
        file for file in sorted(folder.iterdir()) if file.suffix.lower() in JOINED_SUFFIXES and file.is_file()
    )
    beside = tuple(file for file in beside if file not in (items, *parts))
    return Found(config.path, items, parts, beside)


def _one(folder: Path, what: str, named: str, usual: tuple[str, ...], source: str) -> Path:
    place = folder / named if named else _named(folder, usual)
    if place is not None and place.exists():
        return place
    there = ", ".join(sorted(file.name for file in folder.iterdir())[:12]) or "nothing"
    raise UserError(
        f"{source} has no {what}{f' at {named}' if named else ''}; it holds {there}.",
        ALLOWED,
        f"Name the file: --data.{what} NAME.",
    )


def _parts(place: Path) -> tuple[Path, ...]:
    """A file, or all tables in a folder and the folders in it."""
    if place.is_file():
        return (place,)
    parts = tuple(sorted(file for file in place.rglob("*") if file.is_file() and _is_readable(file)))
    if not parts:
        raise UserError(f"{place} holds no table.", ALLOWED, "Put the events there.")
    return parts


def _with_numbered(folder: Path, first: Path) -> tuple[Path, ...]:
    """All files of events, where there are several: events-1.csv, events_2025.csv, events.part2.csv."""
    name = _stem(first)
    several = [
        file for file in sorted(folder.iterdir()) if _is_table(file) and _stem(file) == name and file.is_dir() is False
    ]
    return tuple(several) if first.is_file() else _parts(first)


def _stem(file: Path) -> str:
    """A file's name without what numbers it."""
    return re.sub(r"[-_.](\d|part).*$", "", file.stem.lower())


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
    return file.suffix.lower() in TABLE_SUFFIXES and not file.name.startswith(".")


def _is_table(place: Path) -> bool:
    return place.is_dir() or _is_readable(place) or place.suffix in OLD_SUFFIXES


def _named(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first of several names that is there, whatever its suffix."""
    there = [place for place in sorted(folder.iterdir()) if _is_table(place)]
    for name in names:
        for place in there:
            if name in (place.name.lower(), place.stem.lower(), _stem(place)):
                return place
    return None
