"""The shop as it is now: events and items that came since the training, rules, and lists that are kept to learn from.

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

from apps.recommender.choose import Exploration
from apps.recommender.offering import ItemChange, Offering
from apps.recommender.recommender import Recommender
from apps.recommender.wish import RankedList, Seen, Wish
from core.data.personal_data import mask_personal_data
from core.errors import UsageError, UserError
from core.serving.audit import Audited
from core.serving.behaviour import Behaviour, Event, ShownList
from core.serving.database import DATABASE_IS_AWAY
from core.serving.offers import Offers
from core.serving.rules import Rule, Rules
from core.serving.store import Store

APP = "recommender"
DISMISS = "dismiss"
"""A kind of event that is always taken: the user does not want to see the item again."""
NEWEST = 1000
"""Events of a user since the training that count."""
AWAY_S = 5.0
"""A store that did not answer is not asked again for so long, so that lists do not wait for it."""
LOG = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Now:
    """A wish as things stand.

    Args:
        wish: With what its user did since the training.
        rules: In force.
        last_event: The last event that counts; 0 = none.
        is_live: The store was heard.
    """

    wish: Wish
    rules: tuple[Rule, ...]
    last_event: int
    is_live: bool


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
        seed: Of what is left to chance; None = another one each time.
    """

    def __init__(self, recommender: Recommender, store: Store, bundle_id: str = "", *, seed: int | None = None) -> None:
        self.recommender, self.bundle_id = recommender, bundle_id
        self.behaviour, self.rules = Behaviour(store.engine), Rules(store.engine)
        self._offering = Offering(APP, Offers(store.engine), recommender.store, recommender.trained)
        self._random = np.random.default_rng(seed)
        self._offering.follow()
        # Read at once: what is blocked stays so if the store goes away before the first list.
        self._last_rules = self.rules.active(APP)
        self._away_until = 0.0
        self._lock = threading.Lock()

    def now(self, wish: Wish) -> Now:
        """The wish with what the store knows; a user whom nobody knows is somebody new."""
        events = self._ask(lambda: self.behaviour.events(APP, wish.user, NEWEST)) if wish.user else []
        is_live = self._read_rules() and events is not None
        self._ask(self._offering.follow)
        with self._lock:
            rules = self._last_rules
        last = events[-1].id if events else 0
        return Now(self.with_events(wish, events or ()), rules, last, is_live)

    def list_for(self, wish: Wish) -> Served:
        """The list of a wish, kept if some of its places are left to chance.

        Raises:
            UserError: It names an item or kind that is not known, or asks for an impossible list.
        """
        now, config = self.now(wish), self.recommender.config.lists
        exploration = None
        if now.is_live and config.exploration_share:
            exploration = Exploration(config.exploration_share, config.exploration_pool, self._random)
        ranked = self.recommender.recommend(now.wish, now.rules, exploration)
        if exploration is None or not ranked.items:
            return Served(ranked, "", now.is_live)
        list_id = self._ask(lambda: self.behaviour.add_list(APP, self._shown(wish, ranked, now)))
        return Served(ranked, list_id or "", list_id is not None)

    def record(self, event: Event) -> int:
        """Keeps what a user did and gives its number: the next list of that user takes it into account.

        Raises:
            UserError: There is no such item or kind, or the store is away.
        """
        if not self._is_offered(event.item_id):
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
            raise _away("The event was not kept", "Send it again in a moment, with a key so that it counts once.")
        return number

    def put_item(self, change: ItemChange) -> int:
        """Offers a new item, or tells other facts of a known one, from the next list on in all processes.

        Raises:
            UserError: Its picture cannot be read, or the store is away.
        """
        number = self._ask(lambda: self._offering.put(change))
        if number is None:
            raise _away("The item was not kept")
        self._ask(self._offering.follow)
        return number

    def set_rule(self, rule: Rule, who: str, why: str) -> int:
        """Sets a rule for every list from now on.

        Raises:
            UserError: It is not said who or why, or the store is away.
        """
        number = self._ask(lambda: self.rules.put(APP, rule, who, why))
        if number is None:
            raise _away("The rule was not set")
        self._read_rules()
        return number

    def take_back_rule(self, number: int, who: str, why: str) -> None:
        """Ends a rule.

        Raises:
            UserError: There is none of that number, it is not said who or why, or the store is away.
        """

        def take_back() -> bool:
            self.rules.take_back(APP, number, who, why)
            return True

        if self._ask(take_back) is None:
            raise _away("The rule was not taken back")
        self._read_rules()

    def rules_and_changes(self, most: int) -> tuple[tuple[Rule, ...], Sequence[Audited]]:
        """The rules in force, and the newest changes.

        Raises:
            UserError: The store is away.
        """
        found = self._ask(lambda: (self.rules.active(APP), self.rules.audit(APP, most)))
        if found is None:
            raise _away("The rules cannot be read")
        return found

    def with_events(self, wish: Wish, events: Sequence[Event]) -> Wish:
        """The wish with what its user did since the training."""
        since = self._since(wish.user, events)
        return replace(
            wish,
            user=wish.user if wish.user in self.recommender.histories else "",
            history=(*(seen for event in since if (seen := self._seen(event))), *wish.history),
            without=(*wish.without, *(event.item_id for event in since if event.kind == DISMISS)),
        )

    def history(self, user: str) -> tuple[Seen, ...]:
        """All that is known of a user, oldest first: what the model was trained on, and what came since."""
        events = self._ask(lambda: self.behaviour.events(APP, user, NEWEST)) or ()
        since = (seen for event in self._since(user, events) if (seen := self._seen(event)))
        return (*self.recommender.histories.get(user, ()), *since)

    @property
    def is_away(self) -> bool:
        """The store did not answer a moment ago."""
        return time.monotonic() < self._away_until

    def _is_offered(self, item_id: str) -> bool:
        """Another server may have been told of it a moment ago."""
        if self.recommender.store.items.catalogue.row_of(item_id) is None:
            self._ask(self._offering.follow)
        return self.recommender.store.items.catalogue.row_of(item_id) is not None

    def _read_rules(self) -> bool:
        """Takes the rules as they are, for as long as the store does not tell others; says whether it was heard."""
        rules = self._ask(lambda: self.rules.active(APP))
        with self._lock:
            self._last_rules = self._last_rules if rules is None else rules
        return rules is not None

    def _since(self, user: str, events: Sequence[Event]) -> list[Event]:
        """Events that the training did not know, oldest first, with items that are offered."""
        if not events:
            return []
        learnt = {(seen.item_id, seen.kind, seen.time) for seen in self.recommender.histories.get(user, ())}
        catalogue = self.recommender.store.items.catalogue
        since = [
            event
            for event in events
            if (event.item_id, event.kind, event.time) not in learnt and catalogue.row_of(event.item_id) is not None
        ]
        return sorted(since, key=lambda event: (event.time, event.id))

    def _seen(self, event: Event) -> Seen | None:
        """An event as the model knows events; None = it has learnt from none that says this."""
        kinds, kind = self.recommender.config.data.kinds, event.kind
        if kind not in kinds:
            return None
        met = sorted(name for name in self.recommender.histories.kinds if kinds[name] > 0)
        if kinds[kind] > 0 and kind not in met and met:
            kind = min(met, key=lambda name: abs(kinds[name] - kinds[kind]))
        return Seen(event.item_id, kind, event.time, event.value if kind == event.kind else None)

    def _shown(self, wish: Wish, ranked: RankedList, now: Now) -> ShownList:
        # Interests are words of a person, who may have told more than they should.
        asked = replace(wish, user="", interests=mask_personal_data(wish.interests).text)
        return ShownList(
            user_id=wish.user,
            bundle_id=self.bundle_id,
            after_event=now.last_event,
            asked={
                "wish": asked.to_json(),
                "rules": [rule.to_json() for rule in now.rules],
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
        except DATABASE_IS_AWAY as error:
            with self._lock:
                self._away_until = time.monotonic() + AWAY_S
            LOG.warning("the store is away; lists go on without it: %s", str(error).splitlines()[0])
            return None


def _away(what: str, fix: str = "Try again in a moment.") -> UserError:
    return UserError(f"{what}: the store is away.", "A database that answers.", fix)
