"""What a list can be held against: other finished runs beside this one, and what most people like."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from apps.recommender.wish import RankedList, Wish
from core.export.bundle import MANIFEST

if TYPE_CHECKING:
    from apps.recommender.recommender import Recommender
    from core.serving.predictor import Predictor
    from core.serving.rules import Rule

MAX_RUNS = 20
OPENED = 2
"""Other models that are kept open."""


@dataclass(frozen=True)
class Run:
    """Another run that can be opened.

    Args:
        name: Of its folder.
        bundle: Its folder of the model.
        written: When the model was written, so that a new one in the same place is another.
    """

    name: str
    bundle: Path
    written: float


def find_runs(bundle: Path, app: str) -> list[Run]:
    """Finished runs of the app in the folder that holds the run of a bundle, the newest first.

    Args:
        bundle: Of the page.
        app: Whose.
    """
    own = bundle.resolve()
    manifests = {file.resolve() for file in own.parent.parent.glob(f"*/bundle/{MANIFEST}")} - {own / MANIFEST}
    runs = [
        Run(file.parent.parent.name, file.parent, file.stat().st_mtime) for file in manifests if _app_of(file) == app
    ]
    return sorted(runs, key=lambda run: -run.written)[:MAX_RUNS]


@lru_cache(maxsize=OPENED)
def open_run(run: Run) -> "tuple[Recommender, Predictor]":
    """The model of another run.

    Raises:
        UserError: It cannot be opened.
    """
    from apps.recommender.app import SPEC
    from apps.recommender.recommender import Recommender
    from core.serving.predictor import load_predictor

    predictor = load_predictor(run.bundle, SPEC)
    return Recommender(predictor), predictor


def popular_list(recommender: "Recommender", wish: Wish, rules: "Sequence[Rule]") -> RankedList:
    """What most people like, without what the same user has seen: the list that needs no model."""
    known = recommender.histories.get(wish.user, ())
    seen = tuple(event.item_id for event in (*known, *wish.history)) + ((wish.item,) if wish.item else ())
    return recommender.recommend(Wish(k=wish.k, filters=wish.filters, without=(*seen, *wish.without)), rules)


def as_known_to(recommender: "Recommender", wish: Wish) -> Wish:
    """The wish without items that a model has never heard of, as those that were added since."""
    row_of = recommender.store.items.catalogue.row_of
    history = tuple(seen for seen in wish.history if row_of(seen.item_id) is not None)
    without = tuple(item_id for item_id in wish.without if row_of(item_id) is not None)
    return replace(wish, history=history, without=without)


def _app_of(manifest: Path) -> str:
    """Whose model it is; the files beside it are checked when it is opened."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(content.get("app", "")) if isinstance(content, dict) else ""
