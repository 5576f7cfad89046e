"""What is asked of the recommender, and what it answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Start = Literal["known", "events", "interests", "item", "nothing"]
Why = Literal["because", "words", "popular", "pinned", "explore"]


@dataclass(frozen=True)
class Seen:
    """Something that a user had to do with.

    Args:
        item_id: Of the catalogue.
        kind: Of the event; empty = the one that says the most.
        time: Seconds since 1970; None = just now.
        value: Such as a rating; None = none.
    """

    item_id: str
    kind: str = ""
    time: int | None = None
    value: float | None = None


@dataclass(frozen=True)
class Filters:
    """Which items may stand in a list.

    Args:
        categories: Only these; empty = all.
        min_price: Only those with a price of at least this.
        max_price: Only those with a price of at most this.
        in_stock_only: Only those in stock.
    """

    categories: tuple[str, ...] = ()
    min_price: float | None = None
    max_price: float | None = None
    in_stock_only: bool = False


@dataclass(frozen=True)
class Wish:
    """One list that is asked for.

    Args:
        user: Whose known events count; empty = nobody's.
        history: Events that count beside them, oldest first.
        interests: What is looked for, in words.
        item: An item to start from.
        without: Items that must not stand in it, by id.
        k: Length of the list.
        filters: Which items may stand in it.
        diversity: 0 = the best items, 1 = as different from each other as they can be.
        novelty: 0 = the best items, 1 = away from what everybody likes.
    """

    user: str = ""
    history: tuple[Seen, ...] = ()
    interests: str = ""
    item: str = ""
    without: tuple[str, ...] = ()
    k: int = 10
    filters: Filters = field(default_factory=Filters)
    diversity: float = 0.0
    novelty: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, without what is as it would be anyway."""
        plain = asdict(Wish())
        return {name: value for name, value in asdict(self).items() if value != plain[name]}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Wish":
        """What `to_json` told."""
        history = tuple(Seen(**seen) for seen in told.get("history", ()))
        filters = Filters(**told.get("filters", {}))
        filters = replace(filters, categories=tuple(filters.categories))
        without = tuple(told.get("without", ()))
        return cls(**{**told, "history": history, "filters": filters, "without": without})


@dataclass(frozen=True)
class Reason:
    """Why an item stands in a list.

    Args:
        kind: What speaks for it the most.
        item_id: Of the history, without which its score would fall the furthest; empty = none.
        words: Of its texts, that speak for it the most.
    """

    kind: Why
    item_id: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ranked:
    """One item of a list.

    Args:
        item_id: Of the catalogue.
        row: Its place there.
        rank: From 1.
        score: Of the model.
        reason: Why it stands there.
        is_new: Nobody had liked it when the model was trained.
        chance: How likely it was to stand at this place; below 1 where the list explores.
    """

    item_id: str
    row: int
    rank: int
    score: float
    reason: Reason
    is_new: bool
    chance: float = 1.0

    def to_json(self, title: str) -> dict[str, Any]:
        """JSON-ready."""
        reason = {"kind": self.reason.kind, "item": self.reason.item_id, "words": list(self.reason.words)}
        told = {"item": self.item_id, "title": title, "rank": self.rank, "score": round(self.score, 4)}
        return {**told, "reason": {key: value for key, value in reason.items() if value}, "new": self.is_new}


@dataclass(frozen=True)
class RankedList:
    """A list.

    Args:
        items: The best first.
        start: What it was made from.
        diversity_cost: Share of the list's worth that diversity and novelty took; 0 = none.
        planned: Ids of what stands at each place where nothing is left to chance.
        pool: Ids of what places left to chance are drawn from; empty = none is.
    """

    items: tuple[Ranked, ...]
    start: Start
    diversity_cost: float = 0.0
    planned: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
