"""Does a message lean on the turn before, as "and how long does that take?" does?"""

import re
from typing import Literal

from apps.customer_service.session import Session
from core.texts import Language

Lean = Literal["strong", "weak", "none"]

MAX_WORDS_EN = 9
MAX_CHARS_ZH = 16
SHORT_WORDS_EN = 5
SHORT_CHARS_ZH = 9
_GOES_ON = (
    r"is|was|are|were|takes?|took|costs?|works?|free|too|also|by|done|happens?|means?|apply|applies|include|instead|again"
    r"|arrive|come|go|and|or|if|online|there|myself|yet|now"
)
_AFTER = rf"(?=\s*(?:[?.!,;]|$|\b(?:{_GOES_ON})\b))"
"""After a pronoun; before a noun "that" and "this" only point ("this order")."""
STRONG_EN = re.compile(
    rf"\b(?:what|how)\s+about\b|\band\s+(?:then|if)\b|\bwhat\s+if\s+not\b"
    rf"|\b(?:that|this|it|they|them|those|these|one)\b{_AFTER}"
    r"|\A\s*(?:and\s+)?(?:how|why|when|where|how\s+(?:long|much|many|so))\s*\?*\s*\Z",
    re.IGNORECASE,
)
STANDS_ALONE_EN = re.compile(
    r"\b(?:is|would|will)\s+it\s+(?:possible|ok|okay)\b|\bit\s+(?:says|seems)\b", re.IGNORECASE
)
WEAK_EN = re.compile(r"\A\s*(?:and|but|also|then|so|or|ok|okay)\b", re.IGNORECASE)
STRONG_ZH = re.compile(
    r"它|那样|这样"
    r"|\A\s*(?:要|需要|大概|一般)?(?:多久|多长时间|几天|多少钱|收费吗|免费吗|怎么弄|怎么办|为什么)[?？呢啊]*\s*\Z"
)
ELLIPSIS_ZH = re.compile(r"\A\s*(?:那么?.{0,9}|.{1,8}呢)\s*[?？]?\s*\Z")
"""May leave out what it is about; but only if it asks about nothing of its own."""
_ASKS_ZH = (
    "什么时候|什么|怎么样|怎么办|怎么|怎样|如何|为什么|为何|哪里|哪儿|哪"
    "|谁|几天|几|多少钱|多少|多久|多长时间|是不是|是|吗"
)
ASKS_ZH = re.compile(_ASKS_ZH)
EMPTY_ZH = re.compile(rf"{_ASKS_ZH}|[那么我要需得该会能可以去在从到呢啊呀吧的了?？\s]")
"""Words that say nothing about the matter, question words among them."""
MAX_CONTENT_ZH, MAX_NAMED_ZH = 2, 6
"""Characters that a question may have beside those, and that may be named where nothing is asked ("那退款呢")."""
WEAK_ZH = re.compile(r"\A\s*(?:那|还有|另外|然后|而且|但是|那么|这个|那个|如果)")
MAX_TOPIC = 200
"""Characters of the turn before that are put in front."""


def lean_on_before(text: str, language: Language) -> Lean:
    """How much a message needs the turn before: strong for a pronoun or an ellipsis, weak for a word that goes on."""
    if language == "zh":
        if len(text) > MAX_CHARS_ZH:
            return "none"
        strong = bool(STRONG_ZH.search(text)) or _is_ellipsis_zh(text)
        weak = WEAK_ZH.search(text)
    else:
        if len(text.split()) > MAX_WORDS_EN:
            return "none"
        strong = bool(STRONG_EN.search(text)) and not STANDS_ALONE_EN.search(text)
        weak = WEAK_EN.search(text)
    if strong:
        return "strong"
    return "weak" if weak else "none"


def is_short(text: str, language: Language) -> bool:
    """May a message be an ellipsis although no word in it says so?"""
    return len(text) <= SHORT_CHARS_ZH if language == "zh" else len(text.split()) <= SHORT_WORDS_EN


def find_topic(session: Session) -> str:
    """What the conversation is about: the last question that was answered standing by itself; empty = nothing yet."""
    for turn in reversed(session.turns):
        if turn.kind == "answer" and turn.is_alone:
            return turn.query[-MAX_TOPIC:]
    return ""


def with_topic(topic: str, text: str, language: Language) -> str:
    """The message with what it leans on, as one query."""
    bare = topic.rstrip(" ?!.。？！")
    return f"{bare}，{text}" if language == "zh" else f"{bare} {text}"


def _is_ellipsis_zh(text: str) -> bool:
    """A short "那…" or "…呢" that names at most what changes, as in "那退款呢" and "要去哪里看呢".

    "宇宙的尽头是什么呢" is as short, but a whole question.
    """
    if not ELLIPSIS_ZH.search(text):
        return False
    content = EMPTY_ZH.sub("", text)
    return len(content) <= (MAX_CONTENT_ZH if ASKS_ZH.search(text) else MAX_NAMED_ZH) and "你" not in text
