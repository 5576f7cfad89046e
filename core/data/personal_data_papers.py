"""Bank accounts and passports: numbers that hold letters."""

import re
from collections.abc import Iterator

from core.data.personal_data_kind import Span

_IBAN_LENGTHS = {
    word[:2]: int(word[2:])
    for word in re.findall(
        r"\w{4}",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
        "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 "
        "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 "
        "SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20",
    )
}
"""Source: SWIFT, IBAN registry."""

_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?=[ -]?[A-Za-z0-9])")
# A letter and digits alone would also be an order number: only beside the word.
_PASSPORT = re.compile(
    r"(?i:passport|护照)(?i:[ ]?(?:number|no\.?|#|号码?))?(?:[ ]?(?i:is|是|为))?[ ]?[:：]?[ ]?"
    r"([A-Za-z]{0,2}\d{6,9})(?![A-Za-z0-9])"
)


def find_papers(plain: str) -> Iterator[Span]:
    """IBANs whose check digits hold, and passport numbers that are called so."""
    end = 0
    for start in _IBAN_START.finditer(plain):
        if start.start() >= end and (stop := _iban_end(plain, start.start())):
            end = stop
            yield "card", start.start(), end
    if "passport" in plain.lower() or "护照" in plain:
        for passport in _PASSPORT.finditer(plain):
            if passport.start(1) >= end:
                yield "id", *passport.span(1)


def _iban_end(plain: str, start: int) -> int:
    """One past the IBAN that starts there; 0 if none does."""
    wanted = _IBAN_LENGTHS.get(plain[start : start + 2].upper(), 0)
    code, end = "", start
    while len(code) < wanted and end < len(plain):
        if plain[end].isascii() and plain[end].isalnum():
            code += plain[end]
        elif plain[end] not in " -":
            return 0
        end += 1
    goes_on = end < len(plain) and plain[end].isascii() and plain[end].isalnum()
    return end if wanted and len(code) == wanted and not goes_on and _is_iban(code) else 0


def _is_iban(code: str) -> bool:
    """Source: ISO 13616, check digits by ISO 7064 MOD 97-10."""
    return int("".join(str(int(letter, 36)) for letter in code[4:] + code[:4])) % 97 == 1
