"""Links to web pages, and to nothing else."""

from html import escape

from apps.customer_service.assemble import safe_url
from core.texts import Text
from core.ui.inert import inert

BAD_LINK = Text(
    "This is not a web address. Begin it with http:// or https://, or leave it empty.",
    "这不是网页地址。请以 http:// 或 https:// 开头，或留空。",
)


def is_link(url: str) -> bool:
    """Is it the address of a web page, or empty?"""
    return not url or bool(safe_url(url))


def link(title: str, url: str) -> str:
    """A link that opens beside the page; the bare title where the address is not a web page's."""
    words, address = inert(title, 200), safe_url(url)
    if not address:
        return f'<span dir="auto">{words}</span>'
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer nofollow" dir="auto">{words}</a>'
