"""A customer's message made ready to be judged: no control characters, not over-long, and is there a word in it?"""

import re
import unicodedata
from typing import NamedTuple

KEPT_CONTROLS = "\n\t"
JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: emoji and some scripts are spelled with them."""
CHARS_READ = 4
"""Of an over-long message this many times the limit is looked at, so that one of any size costs the same."""


class Message(NamedTuple):
    """What is read of a message.

    Args:
        text: Without control characters; markup is left as it is, for it is only ever text.
        is_cut: It was longer than is read.
        has_words: It holds a letter or a digit of any script.
    """

    text: str
    is_cut: bool
    has_words: bool


def read_message(raw: str, max_chars: int) -> Message:
    """A message as it is judged.

    Args:
        raw: Of any length and content.
        max_chars: The rest is cut.
    """
    head = raw[: max_chars * CHARS_READ]
    clean = "".join(map(_shown, head)).strip()
    text = clean[:max_chars].rstrip()
    is_cut = len(clean) > len(text) or len(raw) > len(head)
    return Message(text, is_cut, any(character.isalnum() for character in text))


def plain_form(text: str) -> str:
    """For comparing what was said: lower case, full-width letters narrow, one space, no punctuation at the ends."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return re.sub(r"\s+", " ", folded).strip(" \t\n.,;:!?~\u3002\uff0c\uff01\uff1f\u3001\u2026\"'\u300c\u300d")


def _shown(character: str) -> str:
    if character in KEPT_CONTROLS or character in JOINERS:
        return character
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    # Cf: marks that turn the direction of text; Cs: half characters, which no file or database takes.
    return "" if category in ("Cf", "Cs", "Cn", "Co") else character
