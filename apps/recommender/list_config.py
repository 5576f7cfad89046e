"""Settings of the lists that are served; the model does not depend on them."""

from pydantic import Field

from core.config import Record


class ListConfig(Record):
    """Places of lists that are kept for new items, or left to chance."""

    new_item_place: int = Field(default=3, ge=0, le=1000)
    """The place of a list that an item added since the training gets, the best one that its texts speak for; 0 = none:
    new items then stand where their texts alone put them, which is hardly ever in front."""

    exploration_share: float = Field(default=0.0, ge=0, le=0.5)
    """Share of the places given to an item that comes further down, lists being kept with the chance of each place;
    0 = none, and lists are not kept."""
    exploration_pool: int = Field(default=50, ge=1, le=1000)
    """So many of the items that come next are drawn from, all alike."""
