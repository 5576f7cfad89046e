"""How a text becomes a bag of hashed units."""

from pydantic import Field

from core.config import Record


class UnitConfig(Record):
    """How a text becomes a bag of units."""

    buckets: int = Field(default=32_768, ge=16)
    """Places that units are hashed to; units that share one are confused."""
    max_words: int = Field(default=128, ge=1)
    """Words of a text that are read."""
    max_units: int = Field(default=768, ge=1)
    """Distinct units of a text that are kept; words first, then pairs of words, then parts of words."""
