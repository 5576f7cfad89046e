"""The small bundle that these tests share."""

from export.small_bundle import made, small_bundle

__all__ = ["made", "small_bundle"]
