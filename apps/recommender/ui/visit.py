"""One visit as one browser tab has it: for whom a list is made, what they did on the page, how the list is to be."""

from dataclasses import dataclass, field, replace
from typing import Literal

from apps.recommender.wish import Filters

Mode = Literal["user", "new", "item"]
What = Literal["view", "like", "dismiss"]
LIST_LENGTH = 12
MAX_DEEDS = 200


@dataclass(frozen=True)
class Deed:
    """Something that was done to a card.

    Args:
        item_id: Of the catalogue.
        what: It was viewed, liked or dismissed.
        time: Seconds since 1970.
    """

    item_id: str
    what: What
    time: int


@dataclass(frozen=True)
class Visit:
    """The state of the page.

    Args:
        mode: A list for a known user, somebody new, or like an item.
        user: The known user.
        item_id: The item to start from.
        interests: Of somebody new, in words.
        query: What is searched for, among users or items.
        deeds: What was done on the page, oldest first.
        filters: Which items may be shown.
        diversity: 0 to 1.
        novelty: 0 to 1.
        shown: Ids of the list before, to tell what has changed; empty = it was another one's.
        form: Changes when what was typed is to be forgotten.
        is_empty: Nothing fits, or the list could not be made.
    """

    mode: Mode = "user"
    user: str = ""
    item_id: str = ""
    interests: str = ""
    query: str = ""
    deeds: tuple[Deed, ...] = ()
    filters: Filters = field(default_factory=Filters)
    diversity: float = 0.0
    novelty: float = 0.0
    shown: tuple[str, ...] = ()
    form: int = 0

    def did(self, deed: Deed) -> "Visit":
        """With one more deed, which takes the place of an earlier one to the same item."""
        others = tuple(one for one in self.deeds if one.item_id != deed.item_id)
        return replace(self, deeds=(*others, deed)[-MAX_DEEDS:])

    def undid(self, item_id: str) -> "Visit":
        """Without what was done to an item."""
        return replace(self, deeds=tuple(one for one in self.deeds if one.item_id != item_id))

    def turned_to(self, mode: Mode, **chosen: str) -> "Visit":
        """For somebody else: what the last one did is not theirs; filters and sliders stay."""
        fresh = Visit(mode=mode, filters=self.filters, diversity=self.diversity, novelty=self.novelty)
        return replace(fresh, form=self.form + 1, **chosen)  # type: ignore[arg-type]
