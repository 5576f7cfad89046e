"""The settings of the bag-of-units encoder of texts."""

from pydantic import Field

from core.config import Record
from core.data.unit_config import UnitConfig


class TextBagConfig(Record):
    """A bag of hashed words and parts of words that becomes one vector."""

    units: UnitConfig = UnitConfig()
    """How a text becomes a bag."""
    dimension: int = Field(default=256, ge=8)
    """Length of the vector."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of a text's units that are left out while training."""
