"""Settings of data that says what is offered and who did what with it."""

from typing import Literal

from pydantic import Field

from core.config import DataConfig, Record

Protocol = Literal["last_share", "last_one", "global_time"]
KINDS = {"browse": 0.5, "click": 1.0, "comment": 2.0, "share": 3.0, "purchase": 4.0, "rating": 1.0, "dismiss": -1.0}


class InteractionColumns(Record):
    """Column of each role; none = recognised by its common spellings."""

    item_id: str | None = None
    """Names an item, in items and events alike."""
    title: str | None = None
    """What an item is called."""
    description: str | None = None
    """What an item is."""
    tags: str | None = None
    """Words about an item, separated by | ; or commas."""
    category: str | None = None
    """The one group that an item belongs to."""
    price: str | None = None
    """A number."""
    in_stock: str | None = None
    """Yes or no, or how many there are."""
    image: str | None = None
    """Path of a picture."""
    user_id: str | None = None
    """Names a user."""
    timestamp: str | None = None
    """Seconds or milliseconds since 1970, or a date and time."""
    event: str | None = None
    """What the user did: browse, click, ..."""
    value: str | None = None
    """How much, such as a rating."""


class InteractionConfig(DataConfig):
    """Items and events: where they are, what events mean, what is held out."""

    items: str = ""
    """File of items inside the folder; empty = items.* or movies.*."""
    events: str = ""
    """File or folder of events inside the folder; empty = events.*, events/, interactions.* or ratings.*."""
    columns: InteractionColumns = InteractionColumns()
    kinds: dict[str, float] = Field(default=KINDS, min_length=1, max_length=100)
    """How much each kind of event says; a negative weight says that the user did not like the item."""
    other_kinds: Literal["refuse", "leave_out"] = "refuse"
    """What to do with events of kinds without a weight."""
    positive_rating: float = 4.0
    """A rating of at least this much is a liking; one below says that the user did not like the item."""
    protocol: Protocol = "last_share"
    """What is held out: the last share of each user's likings, the last one of each, or all after a point in time."""
    held_out_share: float = Field(default=0.2, gt=0, lt=0.5)
    """Share that is held out for testing; validation takes the same share of what is before it."""
    cold_item_share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the items with at least five likings whose events are wholly kept from training, as if they were new."""
    max_history: int = Field(default=200, ge=10)
    """Events of a user, the newest ones, that a model sees."""
    bot_events_per_minute: int = Field(default=1000, ge=2)
    """A user with more events in some minute is taken for a program and left out."""
    rejected_to: str = "runs/rejected_events.csv"
    """Where rows that cannot be read are written; the file is made only if there are some."""

    def is_liking(self, kind: str, value: float | None) -> bool:
        """Does an event say that its user liked the item? Without a value a rating does."""
        is_low = kind == "rating" and value is not None and value < self.positive_rating
        return self.kinds.get(kind, 0.0) > 0 and not is_low
