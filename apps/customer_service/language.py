"""The language of a message, by its script; each message is judged by itself."""

import re

from core.texts import Language

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
LATIN_WORD = re.compile(r"(?<![a-zA-Z0-9_@./-])[a-zA-Z\u00c0-\u024f][a-zA-Z\u00c0-\u024f'\u2019-]*(?!-?[a-zA-Z0-9_@/])")
"""Words only: no order numbers, addresses of mail or web, nor model names with digits."""


def detect_language(text: str, before: Language) -> Language:
    """English or Chinese; a message that shows neither (emoji, digits, another script) keeps the one before.

    One Han character weighs as much as one Latin word, which is about what each says: a Chinese sentence that names
    an English product stays Chinese, an English one that gives a Chinese name stays English. Where both weigh the same
    it is Chinese, whose speakers mix in English words more often than the other way round.
    """
    han, latin = len(HAN.findall(text)), len(LATIN_WORD.findall(text))
    if not han and not latin:
        return before
    return "zh" if han >= latin else "en"
