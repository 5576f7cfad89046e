"""What a number is by its digits: identity number, bank card, phone, or nothing personal."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from core.data.personal_data_kind import Kind

MIN_DIGITS = 7
MAX_DIGITS = 20

_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_SHAPES = {(18,), (15,), (6, 8, 4), (6, 4, 4, 4), (6, 4, 8), (3, 3, 4, 4, 4), (6, 6, 3)}

# Issuers by first digits, with the lengths that they use: Visa, Mastercard, American Express, Diners, JCB, Discover,
# UnionPay and Maestro, then older cards of a Chinese bank.
_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6\d{15,18}|5[06-8]\d{14,17}"
    r"|9558\d{12,15}",
    re.ASCII,
)
_CARD_SHAPES = (
    {(length,) for length in range(13, 20)}
    | {(4, 4, 4, last) for last in range(1, 8)}
    | {(4, 4, 4, 4, last) for last in range(1, 4)}
    | {(4, 6, 5), (4, 6, 4), (6, 13), (6, 10), (8, 8), (4, 12), (4, 15)}
)

# 1 and a digit from 3, then nine: a Chinese mobile phone. Its usual groupings; a date has others.
_CN_MOBILE = re.compile(r"(?:00)?(?:86)?1[3-9]\d{9}", re.ASCII)
_CN_SHAPES = {(11,), (3, 4, 4), (3, 8), (7, 4), (4, 4, 3), (5, 6), (3, 3, 5), (4, 3, 4), (6, 5), (5, 3, 3), (1,) * 11}
# Area code and subscriber of a North American phone; 800 and the like belong to companies, as 400 does in China.
_NORTH_AMERICAN = re.compile(r"1?(?!8(?:00|33|44|55|66|77|88)|400)[2-9]\d\d[2-9]\d{6}", re.ASCII)
_COMPANY = re.compile(r"1?(?:8(?:00|33|44|55|66|77|88)|400)\d{7}", re.ASCII)
# The trunk digit 0, an area code or a mobile prefix, and the rest: Chinese landlines, British and German phones.
_TRUNK = re.compile(r"0[1-9]\d{8,10}", re.ASCII)
_EXCHANGE_SHAPES = {(3, 3, 4), (3, 7), (1, 3, 3, 4), (1, 10), (1, 3, 7)}

Word = Literal["contact", "order", ""]


@dataclass(frozen=True)
class Digits:
    """Groups of digits that are judged as one number.

    Args:
        groups: The digits of each; the last may end in X.
        separators: What stands between them.
        plus: Whether + stands before.
        word: What the text before speaks of.
        glued: Whether a hyphen ties it to more digits.
    """

    groups: tuple[str, ...]
    separators: tuple[str, ...]
    plus: bool
    word: Word
    glued: bool

    @property
    def joined(self) -> str:
        return "".join(self.groups)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.groups))


def kind_of(digits: Digits) -> Kind | None:
    """What the number is by its own form."""
    if _is_identity(digits):
        return "id"
    if _is_card(digits):
        return "card"
    return "phone" if _is_phone(digits) else None


def is_called_phone(digits: Digits) -> bool:
    """Whether a number of no certain form is a phone because the text before it speaks of one."""
    if digits.word != "contact" or digits.glued or not MIN_DIGITS <= len(digits.joined) <= 15:
        return False
    return digits.joined.isdigit() and not _is_date(digits) and not _COMPANY.fullmatch(digits.joined)


def _is_identity(digits: Digits) -> bool:
    joined = digits.joined
    if digits.shape in _ID_SHAPES:
        return _is_chinese_id(joined)
    social = digits.shape == (3, 2, 4) and digits.separators == ("-", "-") and not digits.glued
    return social and joined[:3] not in ("000", "666") and joined[0] != "9" and digits.word != "order"


def _is_chinese_id(joined: str) -> bool:
    """Source: GB 11643-1999; the 15 digits of before 1999 have no century and no check digit."""
    if len(joined) not in (15, 18) or not _PROVINCE.match(joined) or not joined[:-1].isdigit():
        return False
    born = joined[6:14] if len(joined) == 18 else f"19{joined[6:12]}"
    if not _is_day(born) or int(born[:4]) < 1900:
        return False
    if len(joined) == 15:
        return joined.isdigit()
    total = sum(int(digit) * weight for digit, weight in zip(joined, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == joined[-1].upper()


def _is_card(digits: Digits) -> bool:
    joined = digits.joined
    if digits.shape not in _CARD_SHAPES or (digits.word == "order" and len(digits.groups) == 1):
        return False
    return not digits.glued and _CARD.fullmatch(joined) is not None and _passes_luhn(joined)


def _passes_luhn(joined: str) -> bool:
    """Source: ISO/IEC 7812-1, annex B."""
    doubled = (divmod(2 * int(digit), 10) for digit in joined[-2::-2])
    return (sum(map(sum, doubled)) + sum(map(int, joined[-1::-2]))) % 10 == 0


def _is_phone(digits: Digits) -> bool:
    joined = digits.joined
    if digits.plus or (joined.startswith("00") and joined[2:3] not in ("", "0")):
        abroad = 8 <= len(joined) <= 15 if digits.plus else 11 <= len(joined) <= 17 and digits.word != "order"
        return abroad and joined.isdigit() and not digits.glued
    if _is_chinese_mobile(digits):
        return True
    if digits.glued or (digits.word == "order" and len(digits.groups) == 1):
        return False
    grouped_abroad = digits.shape in _EXCHANGE_SHAPES and _NORTH_AMERICAN.fullmatch(joined) is not None
    return grouped_abroad or (_TRUNK.fullmatch(joined) is not None and digits.shape[0] >= 3 and min(digits.shape) >= 3)


def _is_chinese_mobile(digits: Digits) -> bool:
    shape = digits.shape
    if digits.groups[0] in ("86", "0086"):
        shape = shape[1:]
    elif shape[0] > 11:
        shape = (11,) if len(shape) == 1 else (0,)
    is_alone = len(digits.groups) == 1 or not digits.glued
    return shape in _CN_SHAPES and is_alone and _CN_MOBILE.fullmatch(digits.joined) is not None


def _is_date(digits: Digits) -> bool:
    """Whether it is a day, or begins with one."""
    joined = digits.joined
    if len(digits.groups) == 1:
        return len(joined) in (8, 12, 14) and _is_day(joined[:8])
    return sorted(digits.shape[:3]) in ([2, 2, 4], [1, 2, 4], [1, 1, 4])


def _is_day(joined: str) -> bool:
    try:
        date(int(joined[:4]), int(joined[4:6]), int(joined[6:8]))
    except ValueError:
        return False
    return "1900" <= joined[:4] <= "2099"
