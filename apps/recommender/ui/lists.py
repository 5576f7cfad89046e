"""From a visit to the list that is shown: what was done counts as events, and what has changed is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeGuard, get_args

from apps.recommender.shop import DISMISS
from apps.recommender.ui.shelf import Shelf, shelf_of
from apps.recommender.ui.visit import LIST_LENGTH, Deed, Visit, What
from apps.recommender.wish import RankedList, Seen, Wish
from core.errors import UserError

if TYPE_CHECKING:
    from apps.recommender.recommender import Recommender
    from apps.recommender.shop import Now, Shop
    from core.serving.rules import Rule

LIKING_KINDS = ("rating", "share", "comment", "click")
"""The first of these that the model has met stands for a like."""
VIEWING_KINDS = ("click", "browse")
EXAMPLE_SHARES = (0.5, 1.0, 0.9, 0.2, 0.0)
"""Users to begin with, by where they stand when all are sorted by the number of their events."""
MAX_FOUND = 6


@dataclass(frozen=True)
class Shown:
    """A list as it is shown.

    Args:
        visit: For whom; its `shown` are the ids of this list.
        ranked: The list; None = it could not be made.
        moves: Of the items of this list: places moved up since the one before, None = newly in it. Empty = the list
            before was another one's.
        refusal: Why it could not be made.
        is_live: Newest events and rules count; else the store is away.
    """

    visit: Visit
    ranked: RankedList | None
    moves: Mapping[str, int | None]
    refusal: UserError | None = None
    is_live: bool = True


@dataclass(frozen=True)
class Lists:
    """Makes the lists of a page. What is done on it is tried out, and forgotten with the visit: the events of real
    users come by the endpoints.

    Args:
        shop: Knows events that came since the training, and the rules.
    """

    shop: "Shop"

    @property
    def recommender(self) -> "Recommender":
        """Of the bundle."""
        return self.shop.recommender

    @property
    def shelf(self) -> Shelf:
        """The items as they are now."""
        return shelf_of(self.recommender.store.items.catalogue)

    def make(self, visit: Visit, k: int = LIST_LENGTH) -> Shown:
        """The list of a visit, and how it differs from the one before."""
        now = self.now(visit, k)
        try:
            ranked = self.recommender.recommend(now.wish, now.rules)
        except UserError as error:
            return Shown(replace(visit, shown=()), None, {}, error)
        before = {item_id: rank for rank, item_id in enumerate(visit.shown, 1)}
        moves = {
            item.item_id: before[item.item_id] - item.rank if item.item_id in before else None for item in ranked.items
        }
        visit = replace(visit, shown=tuple(item.item_id for item in ranked.items))
        return Shown(visit, ranked, moves if before else {}, is_live=now.is_live)

    def now(self, visit: Visit, k: int = LIST_LENGTH) -> "Now":
        """What is asked of the recommender, with events and rules as they stand."""
        return self.shop.now(self.wish(visit, k))

    def trial(self, visit: Visit, rule: "Rule") -> tuple[RankedList, RankedList]:
        """The list of a visit as it is, and as it would be with one more rule.

        Raises:
            UserError: The list cannot be made.
        """
        now = self.now(visit)
        tried = (*(one for one in now.rules if not one.is_like(rule)), rule)
        return self.recommender.recommend(now.wish, now.rules), self.recommender.recommend(now.wish, tried)

    def wish(self, visit: Visit, k: int) -> Wish:
        """What is asked of the recommender."""
        deeds = [seen for deed in visit.deeds if (seen := self._seen(deed))]
        return Wish(
            user=visit.user if visit.mode == "user" else "",
            history=tuple(deeds),
            interests=visit.interests if visit.mode == "new" else "",
            item=visit.item_id if visit.mode == "item" else "",
            without=tuple(deed.item_id for deed in visit.deeds if deed.what == "dismiss"),
            k=k,
            filters=visit.filters,
            diversity=visit.diversity,
            novelty=visit.novelty,
        )

    def history(self, visit: Visit) -> tuple[Seen, ...]:
        """All events of a known user, oldest first."""
        return self.shop.history(visit.user) if visit.mode == "user" else ()

    @cached_property
    def example_users(self) -> Sequence[str]:
        """Some with many events and some with few."""
        histories = self.recommender.histories
        users = sorted(histories, key=lambda user: (histories.num_events(user), user))
        places = [round(share * (len(users) - 1)) for share in EXAMPLE_SHARES] if users else []
        return list(dict.fromkeys(users[place] for place in places))

    def find_users(self, query: str) -> Sequence[str]:
        """Known users whose id holds what was typed, those that begin with it first."""
        wanted = query.strip().casefold()
        if not wanted:
            return self.example_users[:MAX_FOUND]
        found = [user for user in self.recommender.histories if wanted in user.casefold()]
        return sorted(found, key=lambda user: (not user.casefold().startswith(wanted), len(user), user))[:MAX_FOUND]

    def find_items(self, query: str) -> Sequence[int]:
        """Rows of items whose title, in either language, or id holds what was typed; the most liked ones first."""
        items = self.recommender.store.items
        catalogue, wanted = items.catalogue, query.strip().casefold()
        titles = [catalogue.titles, catalogue.more.get("title_zh", ()), catalogue.ids]
        rows = {row for column in titles for row, text in enumerate(column) if wanted in text.casefold()}
        return sorted(rows, key=lambda row: (-int(items.likings[row]), row))[:MAX_FOUND]

    def _seen(self, deed: Deed) -> Seen | None:
        """A deed as an event that the model knows; None = it knows of none that says this."""
        if deed.what == "dismiss":
            return Seen(deed.item_id, DISMISS) if DISMISS in self.recommender.task.schema.kinds else None
        wanted = LIKING_KINDS if deed.what == "like" else VIEWING_KINDS
        return Seen(deed.item_id, next((kind for kind in wanted if kind in self.recommender.histories.kinds), ""))


def is_deed(what: str) -> TypeGuard[What]:
    """Is it one of the things that can be done to a card?"""
    return what in get_args(What)
