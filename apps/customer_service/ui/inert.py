"""Text of strangers as HTML that can do nothing: escaped, without control characters, cut where it is endless."""

import unicodedata
from html import escape

from apps.customer_service.assemble import safe_url

MAX_CHARS = 4000
KEPT = "\n\t"


def inert(text: str, limit: int = MAX_CHARS) -> str:
    """The text as HTML: nothing in it runs, styles or leaves its place."""
    return escape(plain(text, limit))


def plain(text: str, limit: int = MAX_CHARS) -> str:
    """The text without control characters and halves of characters, cut at `limit`."""
    kept = "".join(c for c in text[:limit] if c in KEPT or unicodedata.category(c) not in ("Cc", "Cs"))
    return f"{kept} …" if len(text) > limit else kept


def link(title: str, url: str) -> str:
    """A link that opens beside the page; the bare title where the address is not a web page's."""
    words, address = inert(title, 200), safe_url(url)
    if not address:
        return f'<span dir="auto">{words}</span>'
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer nofollow" dir="auto">{words}</a>'
