"""Small catalogues and logs of events, written in any layout."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.data.interaction_config import InteractionConfig
from core.data.interactions import Interactions, LoadedInteractions, load_interactions, read_interactions

START_S = 1_700_000_000
ITEMS = [
    {"item_id": f"i{n}", "title": f"Item {n}", "description": f"About {n}", "tags": "red|round", "price": f"{n}.5"}
    for n in range(12)
]


def events(users: int = 6, each: int = 10, seed: int = 0) -> list[dict[str, Any]]:
    """Clicks on different items, each user's minutes apart, users mixed."""
    random = np.random.default_rng(seed)
    found = [
        {"user_id": f"u{user}", "item_id": f"i{item}", "timestamp": START_S + user * 7 + 600 * step, "event": "click"}
        for user in range(users)
        for step, item in enumerate(random.permutation(len(ITEMS))[:each])
    ]
    return [found[place] for place in random.permutation(len(found))]


def write_rows(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Writes rows as the file's suffix says."""
    import pandas as pd

    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    elif file.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(file)
    else:
        pd.DataFrame(rows).to_csv(file, index=False, sep="\t" if file.suffix == ".tsv" else ",")
    return file


def write_shop(folder: Path, rows: Sequence[dict[str, Any]], suffix: str = ".csv") -> Path:
    """Writes items and events."""
    write_rows(folder / f"items{suffix}", ITEMS)
    write_rows(folder / f"events{suffix}", rows)
    return folder


def write_lines(folder: Path, lines: Sequence[str], name: str = "events.csv") -> Path:
    """Writes items, and events as lines."""
    write_rows(folder / "items.csv", ITEMS)
    (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return folder


def config_of(folder: Path | str, settings: dict[str, object]) -> InteractionConfig:
    """A config whose rejected rows are written beside the data."""
    aside = {} if str(folder).startswith("hub:") else {"rejected_to": str(Path(folder) / "out" / "rejected.csv")}
    return InteractionConfig.model_validate({"path": str(folder), **aside, **settings})


def _no_sample() -> Interactions:
    raise AssertionError


def read(folder: Path | str, **settings: object) -> Interactions:
    """Items and events as read."""
    return read_interactions(config_of(folder, settings))


def load(folder: Path | str, seed: int = 0, **settings: object) -> LoadedInteractions:
    """Items, events and examples."""
    return load_interactions(config_of(folder, settings), seed=seed, sample=_no_sample)


def named(found: Interactions) -> list[tuple[str, str, str, int, float]]:
    """Events as words: user, item, kind, time, weight."""
    log = found.log
    return [
        (log.users[user], found.catalogue.ids[row], log.kinds[kind], int(when), float(weight))
        for user, row, when, kind, weight in zip(
            log.user_E, log.row_E, log.time_E, log.kind_E, log.weight_E, strict=True
        )
    ]


def reasons(found: Interactions) -> dict[str, int]:
    """How many rows were left out, by reason."""
    return {item.reason: item.rows for item in found.rejected}
