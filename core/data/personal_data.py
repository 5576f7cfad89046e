"""Personal data in a message, found and masked: e-mail, phone, bank and identity numbers, names; English and Chinese.

Linear in the length of the text. presidio is not used: its recognisers need a spaCy model,
390 MB and a download, and it has none for Chinese names, phones or identity numbers with their checksum.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.data.personal_data_kind import Kind, Span
from core.data.personal_data_names import find_names
from core.data.personal_data_numbers import find_numbers
from core.data.personal_data_papers import find_papers

MAX_LOCAL = 64
_DOMAIN = re.compile(r"@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}")
_LOCAL = re.compile(rf"[A-Za-zÀ-ɏ0-9_][A-Za-zÀ-ɏ0-9_.!#$%&'*+/=?^`{{|}}~-]{{0,{MAX_LOCAL - 1}}}\Z")

_SPACES = "\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u3000\u200b\u200c\u200d\u2060\ufeff"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2212\uff0d\u30fc"
_PLAIN = (
    {code: unicodedata.digit(chr(code)) + ord("0") for code in range(128, 0x1FC00) if chr(code).isdecimal()}
    | {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, _SPACES), ord(" "))
    | dict.fromkeys(map(ord, _HYPHENS), ord("-"))
    | {ord("’"): ord("'")}
)
"""Full-width letters, the digits of all scripts, spaces and hyphens to ASCII, one character for one."""


@dataclass(frozen=True)
class Found:
    """Where something personal stands in a text.

    Args:
        kind: What it is.
        start: Its first character.
        end: One past its last character.
    """

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class Masked:
    """A text without personal data.

    Args:
        text: With `[kind]` in the place of each finding.
        found: In the order of the text that was given, with positions in it.
    """

    text: str
    found: tuple[Found, ...]


def mask_personal_data(text: str) -> Masked:
    """The text with everything personal replaced by `[phone]`, `[email]`, `[card]`, `[id]` or `[name]`.

    Order numbers, amounts and dates stay. Masking what is masked changes nothing: the search is repeated until it
    finds nothing, as what is taken away can uncover the rest (of two numbers that touch, say).
    """
    plain = text if text.isascii() else text.translate(_PLAIN)
    found: list[Found] = []
    while fresh := _find(plain):
        found += fresh
        plain = _without(plain, fresh)
    found.sort(key=lambda part: part.start)
    return Masked(_replaced(text, found), tuple(found))


def _find(plain: str) -> list[Found]:
    """What one pass finds, the most certain kinds first; nothing overlaps."""
    found: list[Found] = []
    for search in _SEARCHES:
        fresh = [Found(kind, start, end) for kind, start, end in search(plain)]
        found += fresh
        plain = _without(plain, fresh)
    return found


def _find_emails(plain: str) -> Iterator[Span]:
    # From the @ outwards: a pattern that starts with the local part would try every letter of the text.
    end = 0
    for domain in _DOMAIN.finditer(plain):
        at = domain.start()
        if local := _LOCAL.search(plain[max(end, at - MAX_LOCAL) : at]):
            end = domain.end()
            yield "email", at - len(local[0]), end


_SEARCHES: tuple[Callable[[str], Iterable[Span]], ...] = (_find_emails, find_papers, find_numbers, find_names)


def _without(plain: str, found: Sequence[Found]) -> str:
    """The same length, with brackets for what was found: to every search they are what a mask is."""
    return _joined(plain, found, lambda part: "]" * (part.end - part.start)) if found else plain


def _replaced(text: str, found: Sequence[Found]) -> str:
    return _joined(text, found, lambda part: f"[{part.kind}]") if found else text


def _joined(text: str, found: Sequence[Found], shown: Callable[[Found], str]) -> str:
    pieces, end = [], 0
    for part in sorted(found, key=lambda part: part.start):
        pieces += [text[end : part.start], shown(part)]
        end = part.end
    return "".join([*pieces, text[end:]])
