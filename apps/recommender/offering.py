"""What the shop offers as it is now: new items, new texts, prices and what is sold out, since the training.

Changes stand in the store, so that they outlive a server and reach all processes; each follows before its next list.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config

from apps.recommender.item_store import ItemStore
from core.errors import UserError
from core.serving.database import MAX_ID
from core.serving.offers import Offered, Offers

MAX_TEXT = 20_000
LOG = logging.getLogger(__name__)
ItemText = Annotated[str | None, Field(max_length=MAX_TEXT)]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class ItemChange:
    """An item that is new, or facts of a known one; None = as it was.

    Args:
        item_id: Of the shop.
        title: What it is called.
        description: What it is.
        tags: Words separated by `|`.
        category: Of the shop.
        price: As in the catalogue.
        in_stock: Whether it can be had; of a new item yes, if it is not said.
        image: A path that the server can read.
        more: Other columns of the catalogue.
    """

    item_id: Annotated[str, Field(min_length=1, max_length=MAX_ID)]
    title: ItemText = None
    description: ItemText = None
    tags: ItemText = None
    category: ItemText = None
    price: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    in_stock: bool | None = None
    image: ItemText = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """Those that are told, by column."""
        told = {name: value for name, value in asdict(self).items() if value is not None and name != "item_id"}
        return {**told.pop("more"), **told}


class Offering:
    """Keeps the items of a recommender as the store has them. Safe to call from several threads.

    Args:
        app: Whose items.
        offers: Of the store.
        items: Are brought up to date.
        trained: When the bundle was made, UTC: what was told of its items before, it knows better.
    """

    def __init__(self, app: str, offers: Offers, items: ItemStore, trained: str) -> None:
        self._app, self._offers, self._items, self._trained = app, offers, items, datetime.fromisoformat(trained)
        self._last = 0
        self._lock = threading.Lock()

    def put(self, change: ItemChange) -> int:
        """Keeps a change durably and gives its number.

        Raises:
            UserError: Its picture cannot be read.
        """
        self._items.check_picture(change.image or "")
        return self._offers.put(self._app, change.item_id, change.facts)

    def follow(self) -> None:
        """Brings the items up to date."""
        if self._offers.newest(self._app) == self._last:
            return
        with self._lock:
            changes = self._offers.since(self._app, self._last)
            known = [change for change in changes if not self._is_older(change)]
            self._items.put([(change.item_id, self._with_readable_picture(change)) for change in known])
            self._last = max([self._last, *(change.id for change in changes)])

    def _is_older(self, change: Offered) -> bool:
        """The training read a catalogue that has the item already."""
        return self._items.is_trained(change.item_id) and datetime.fromisoformat(change.created) < self._trained

    def _with_readable_picture(self, change: Offered) -> Mapping[str, Any]:
        """Another machine may have had the picture: the item is offered all the same."""
        try:
            self._items.check_picture(change.facts.get("image", ""))
        except UserError as error:
            LOG.warning("item %s goes without its picture: %s", change.item_id, error)
            return {**change.facts, "image": ""}
        return change.facts
