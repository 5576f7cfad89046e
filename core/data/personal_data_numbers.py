"""Phones, bank cards and identity numbers among the digits of a text, told from order numbers, dates and amounts.

Digits with spaces, hyphens, dots or brackets between them make a chain of groups; neighbouring groups are judged
together, the longest first.
"""

import re
from collections.abc import Iterator

from core.data.personal_data_digits import MAX_DIGITS, MIN_DIGITS, Digits, Word, is_called_phone, kind_of
from core.data.personal_data_kind import Kind, Span

MAX_GROUPS = 7
CONTEXT = 40

_CHAIN = re.compile(r"\d+(?:[ .()-]{1,3}\d+)*", re.ASCII)
_GROUP = re.compile(r"\d+", re.ASCII)
_ORDER = re.compile(
    r"(?:(?i:\b(?:orders?|tracking|invoice|parcel|shipment|ref|reference|ticket|case|sku|item|serial)\b)"
    r"|订单|单号|单子|运单|物流|快递|编号|工单|货号|序列|流水|商品|№|#|\b(?!SSN|TEL|UK|US)[A-Z]{2,3} )"
    r"(?:[ .:：#]|(?i:\b(?:number|no|nr|id|code|is|was)\b)|号|码|为|是|尾){0,8}\Z"
)
_CONTACT = re.compile(
    r"(?:(?i:\b(?:phones?|tel|telephone|mobile|cell|call|ring|text|sms|whatsapp|reach|contact|fax|dial)\b)"
    r"|电话|手机|联系|座机|致电|拨打|来电|短信|传真|微信|热线)[^0-9\[\]\n;!?；。！？]{0,20}\Z"
)
# Letters, a hyphen or a currency before digits make a code or an amount of them.
_CODE = re.compile(r"(?:[A-Za-z_][-_/#.]?|[$¥￥€£] ?)\Z")
_NO_CODE = re.compile(r"(?i:tel|phone|mobile|mob|cell|call|ph|vx|wx|wechat|whatsapp|fax|sms|card|visa|id)[-_/#.]?\Z")
_CODE_AFTER = re.compile(r"[A-Za-z_]{1,20}\d", re.ASCII)
_IS_X = re.compile(r"[Xx](?![A-Za-z0-9_])")


def find_numbers(plain: str) -> Iterator[Span]:
    """Every phone, card and identity number; digits that belong to a code stay."""
    for chain in _CHAIN.finditer(plain):
        if chain.end() - chain.start() >= MIN_DIGITS:
            yield from _find_in_chain(plain, [group.span() for group in _GROUP.finditer(plain, *chain.span())])


def _find_in_chain(plain: str, groups: list[tuple[int, int]]) -> Iterator[Span]:
    index = _after_code(plain, groups)
    while index < len(groups):
        found = _judge(plain, groups, index)
        if found is None:
            index += 1
            continue
        kind, count, end = found
        start, index = groups[index][0], index + count
        yield kind, _with_prefix(plain, start, end), end


def _judge(plain: str, groups: list[tuple[int, int]], first: int) -> tuple[Kind, int, int] | None:
    """Kind, how many groups and the end of the number that starts at a group; certain forms before likely ones."""
    ends, candidates = _ends(groups, first), []
    word: Word = _word_before(plain, groups[first][0]) if ends else ""
    for last in ends:
        digits, end = _digits(plain, groups, first, last, word)
        if _CODE_AFTER.match(plain, end) or _is_decimal(plain, groups, first, last):
            continue
        if kind := kind_of(digits):
            return kind, last - first + 1, end
        candidates.append((digits, last, end))
    for digits, last, end in candidates:
        if is_called_phone(digits):
            return "phone", last - first + 1, end
    return None


def _ends(groups: list[tuple[int, int]], first: int) -> list[int]:
    """Last groups to try, farthest first, of 7 to 20 digits; a chain of single digits only as a whole."""
    if first == 0 and len(groups) == 11 and all(end - start == 1 for start, end in groups):
        return [10]
    ends, total = [], 0
    for last in range(first, min(first + MAX_GROUPS, len(groups))):
        total += groups[last][1] - groups[last][0]
        if total > MAX_DIGITS:
            break
        if total >= MIN_DIGITS:
            ends.append(last)
    return ends[::-1]


def _digits(plain: str, groups: list[tuple[int, int]], first: int, last: int, word: Word) -> tuple[Digits, int]:
    parts = [plain[start:end] for start, end in groups[first : last + 1]]
    end = groups[last][1]
    if sum(map(len, parts)) == 17 and _IS_X.match(plain, end):
        parts[-1], end = f"{parts[-1]}X", end + 1
    before, after = _separator(plain, groups, first - 1), _separator(plain, groups, last)
    digits = Digits(
        groups=tuple(parts),
        separators=tuple(_separator(plain, groups, index) for index in range(first, last)),
        plus=plain[max(0, groups[first][0] - 2) : groups[first][0]].rstrip(" ").endswith("+"),
        word=word,
        glued="-" in (before, after),
    )
    return digits, end


def _separator(plain: str, groups: list[tuple[int, int]], index: int) -> str:
    """What stands after a group; empty at the ends of a chain."""
    return plain[groups[index][1] : groups[index + 1][0]] if 0 <= index < len(groups) - 1 else ""


def _is_decimal(plain: str, groups: list[tuple[int, int]], first: int, last: int) -> bool:
    return "." in (_separator(plain, groups, first - 1), _separator(plain, groups, last))


def _after_code(plain: str, groups: list[tuple[int, int]]) -> int:
    """The first group that is not part of a code such as LM-2048-1533."""
    before = plain[max(0, groups[0][0] - 12) : groups[0][0]]
    if not _CODE.search(before) or _NO_CODE.search(before):
        return 0
    index = 1
    while index < len(groups) and _separator(plain, groups, index - 1) in ("-", "."):
        index += 1
    return index


def _word_before(plain: str, start: int) -> Word:
    """Whether the words just before speak of a phone or of an order; the nearer counts."""
    before = plain[max(0, start - CONTEXT) : start]
    order, contact = _ORDER.search(before), _CONTACT.search(before)
    if order and (not contact or order.start() > contact.start()):
        return "order"
    return "contact" if contact else ""


def _with_prefix(plain: str, start: int, end: int) -> int:
    """The start with a + and an opening bracket that is closed inside."""
    if start > 1 and plain[start - 2 : start] == "+ ":
        start -= 2
    elif start and plain[start - 1] == "+":
        start -= 1
    return start - 1 if start and plain[start - 1] == "(" and ")" in plain[start:end] else start
