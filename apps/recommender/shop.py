"""The shop as it is now: events that came since the training, the team's rules, and lists that are kept to learn from.

Lists are served whatever happens to the store. While it is away they are made of what the bundle knows and of the
rules as they were last read, and nothing is left to chance, as what is not kept teaches nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from sqlalchemy.exc import InterfaceError, OperationalError

from apps.recommender.choose import Exploration
from apps.recommender.recommender import Recommender
from apps.recommender.wish import RankedList, Seen, Wish
from core.data.personal_data import mask_personal_data
from core.errors import UsageError, UserError
from core.serving.behaviour import Behaviour, Event, ShownList
from core.serving.rules import Rule, Rules
from core.serving.store import Store

APP = "recommender"
DISMISS = "dismiss"
"""A kind of event that every shop has: the user does not want to see the item again."""
NEWEST = 1000
"""Events of a user since the training that count."""
AWAY_S = 5.0
"""A store that did not answer is not asked again for so long, so that lists do not wait for it."""
LOG = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """A list as it is given out.

    Args:
        ranked: The list.
        list_id: Under which it is kept, for events that follow it; empty = it is not.
        is_live: The store was heard: its newest events and rules count.
    """

    ranked: RankedList
    list_id: str = ""
    is_live: bool = True


class Shop:
    """Lists of a bundle with what the store knows beside. Safe to call from several threads.

    Args:
        recommender: Of the bundle.
        store: Whose database is shared with other processes.
        bundle_id: Kept with each list.
    """

    def __init__(self, recommender: Recommender, store: Store, bundle_id: str = "") -> None:
        self.recommender, self.bundle_id = recommender, bundle_id
        self.behaviour, self.rules = Behaviour(store.engine), Rules(store.engine)
        self._last_rules: tuple[Rule, ...] = ()
        self._away_until = 0.0
        self._lock = threading.Lock()

    def list_for(self, wish: Wish) -> Served:
        """The list of a wish now; a user whom nobody knows is somebody new.

        Raises:
            UserError: It names an item or kind that is not known, or asks for an impossible list.
        """
        events = self._ask(lambda: self.behaviour.events(APP, wish.user, NEWEST)) if wish.user else []
        rules = self._ask(lambda: self.rules.active(APP))
        with self._lock:
            self._last_rules = self._last_rules if rules is None else rules
            rules = self._last_rules
        is_live = events is not None and not self.is_away
        config = self.recommender.config.lists
        exploration = None
        if is_live and config.exploration_share:
            exploration = Exploration(config.exploration_share, config.exploration_pool, np.random.default_rng())
        ranked = self.recommender.recommend(self.with_events(wish, events or ()), rules, exploration)
        if exploration is None or not ranked.items:
            return Served(ranked, "", is_live)
        last = events[-1].id if events else 0
        list_id = self._ask(lambda: self.behaviour.add_list(APP, self._shown(wish, rules, ranked, last)))
        return Served(ranked, list_id or "", list_id is not None)

    def record(self, event: Event) -> int:
        """Keeps what a user did and gives its number: the next list of that user takes it into account.

        Raises:
            UserError: There is no such item or kind, or the store is away.
        """
        if self.recommender.store.items.catalogue.row_of(event.item_id) is None:
            raise UserError(f"There is no item `{event.item_id}`.", "An id of the catalogue.", "Correct the id.")
        kind = event.kind.casefold()
        kinds = {name.casefold(): name for name in self.recommender.task.schema.kinds}
        if kind not in kinds and kind != DISMISS:
            known = ", ".join([*kinds.values(), DISMISS])
            raise UsageError(f"There is no kind of event `{event.kind}`.", f"Kinds: {known}.", "Use one of these.")
        if kind == "rating" and event.value is None:
            raise UsageError("A rating without a value.", "A number.", "Send it as `value`.")
        number = self._ask(lambda: self.behaviour.add(APP, replace(event, kind=kinds.get(kind, DISMISS))))
        if number is None:
            raise UserError(
                "The event was not kept: the store is away.",
                "It is kept once its number has been answered.",
                "Send it again in a moment, with the same key so that it counts once.",
            )
        return number

    def with_events(self, wish: Wish, events: Sequence[Event]) -> Wish:
        """The wish with what its user did since the training."""
        told = self.recommender.histories.get(wish.user, ())
        learnt = {(seen.item_id, seen.kind, seen.time) for seen in told}
        catalogue = self.recommender.store.items.catalogue
        since = [
            event
            for event in events
            if (event.item_id, event.kind, event.time) not in learnt and catalogue.row_of(event.item_id) is not None
        ]
        since.sort(key=lambda event: (event.time, event.id))
        seen = [found for event in since if (found := self._seen(event)) is not None]
        dismissed = [event.item_id for event in since if event.kind == DISMISS]
        return replace(
            wish,
            user=wish.user if told else "",
            history=(*seen, *wish.history),
            without=(*wish.without, *dismissed),
        )

    @property
    def is_away(self) -> bool:
        """The store did not answer a moment ago."""
        return time.monotonic() < self._away_until

    def _seen(self, event: Event) -> Seen | None:
        """An event as the model knows events; None = it has learnt from none that says this."""
        met, data = self.recommender.histories.kinds, self.recommender.config.data
        if event.kind == DISMISS:
            # A rating below all is what says it; where nobody ever rated, the model knows of no dislike.
            return Seen(event.item_id, "rating", event.time, float("-inf")) if "rating" in met else None
        kind = event.kind
        if kind not in met and met:
            kind = min(sorted(met), key=lambda name: abs(data.kinds[name] - data.kinds[kind]))
        return Seen(event.item_id, kind, event.time, event.value if kind == event.kind else None)

    def _shown(self, wish: Wish, rules: Sequence[Rule], ranked: RankedList, last: int) -> ShownList:
        # Interests are words of a person, who may have told more than they should.
        asked = replace(wish, user="", interests=mask_personal_data(wish.interests).text)
        return ShownList(
            user_id=wish.user,
            bundle_id=self.bundle_id,
            after_event=last,
            asked={
                "wish": asked.to_json(),
                "rules": [rule.to_json() for rule in rules],
                "share": self.recommender.config.lists.exploration_share,
                "planned": ranked.planned,
                "pool": ranked.pool,
            },
            items=tuple(item.item_id for item in ranked.items),
            chances=tuple(item.chance for item in ranked.items),
        )

    def _ask(self, question: Callable[[], T]) -> T | None:
        """What the store says; None = it is away."""
        if self.is_away:
            return None
        try:
            return question()
        except (OperationalError, InterfaceError) as error:
            with self._lock:
                self._away_until = time.monotonic() + AWAY_S
            LOG.warning("the store is away; lists go on without it: %s", error.orig)
            return None
