"""What is asked of the recommender, and what it answers. What comes from outside is checked by pydantic."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, with_config

from core.serving.behaviour import LATEST_TIME
from core.serving.database import MAX_ID

Start = Literal["known", "events", "interests", "item", "nothing"]
STRICT = ConfigDict(extra="forbid")
Share = Annotated[float, Field(ge=0, le=1)]
MAX_EVENTS, MAX_INTERESTS = 1000, 500
TOLD_WORDS = 3
Why = Literal["because", "words", "popular", "pinned", "explore"]


@with_config(STRICT)
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
    time: Annotated[int | None, Field(gt=0, lt=LATEST_TIME)] = None
    value: float | None = None


@with_config(STRICT)
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


@with_config(STRICT)
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

    user: Annotated[str, Field(max_length=MAX_ID)] = ""
    history: Annotated[tuple[Seen, ...], Field(max_length=MAX_EVENTS)] = ()
    interests: Annotated[str, Field(max_length=MAX_INTERESTS)] = ""
    item: str = ""
    without: Annotated[tuple[str, ...], Field(max_length=MAX_EVENTS)] = ()
    k: int = 10
    filters: Filters = field(default_factory=Filters)
    diversity: Share = 0.0
    novelty: Share = 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, without what is as it would be anyway."""
        plain = asdict(Wish())
        return {name: value for name, value in asdict(self).items() if value != plain[name]}


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
        reason = {"kind": self.reason.kind, "item": self.reason.item_id, "words": list(self.reason.words[:TOLD_WORDS])}
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
