"""Text of strangers as HTML that can do nothing: escaped, without control characters, cut where it is endless."""

import unicodedata
from html import escape

MAX_CHARS = 4000
KEPT = "\n\t"


def inert(text: str, limit: int = MAX_CHARS) -> str:
    """The text as HTML: nothing in it runs, styles or leaves its place."""
    return escape(plain(text, limit))


def plain(text: str, limit: int = MAX_CHARS) -> str:
    """The text without control characters and halves of characters, cut at `limit`."""
    kept = "".join(c for c in text[:limit] if c in KEPT or unicodedata.category(c) not in ("Cc", "Cs"))
    return f"{kept} …" if len(text) > limit else kept
