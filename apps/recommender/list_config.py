"""Settings of the lists that are served; the model does not depend on them."""

from pydantic import Field

from core.config import Record


class ListConfig(Record):
    """Places of lists that are left to chance, for lists that are kept with the chance of each place."""

    exploration_share: float = Field(default=0.0, ge=0, le=0.5)
    """Share of the places given to an item that comes further down; 0 = none, and lists are not kept."""
    exploration_pool: int = Field(default=50, ge=1, le=1000)
    """So many of the items that come next are drawn from, all alike."""
