"""Answers with slots such as {order_number}: filled where it is known, else worded so that nothing is missing.

What is not known is left out where a noun before the slot already says it ("the amount {amount}"), gets neutral words
where the sentence needs some ("if {product} is sold out"), and takes its clause along where the clause only states it
("your delivery date is {date}").
"""

import re
from collections.abc import Mapping

from core.texts import Language, Text

SLOT = re.compile(r"\{+\s*([^\W\d]\w{0,39})\s*(?:[!:][^{}\n]{0,20})?\}+")
NEUTRAL = {
    "order_number": Text("your order", "您的订单"),
    "date": Text("the agreed date", "约定日期"),
    "amount": Text("the amount", "该金额"),
    "product": Text("the product", "该商品"),
}
NOUN = {
    "order_number": Text("order", "订单"),
    "date": Text("date", "日期"),
    "amount": Text("amount", "金额"),
    "product": Text("product", "商品"),
}
SAID_BEFORE_EN = {
    "order_number": r"(?:number|no\.|reference|code|(?:the|your|this|that|my|an?)\s+(?:\w+\s)?order)",
    "date": r"(?:dates?|day)",
    "amount": r"(?:amounts?|sum|total|price|basket|fee|charge|balance|payment)(?:\s+(?:of|is\s+for))?",
    "product": r"(?:product|item|article|model)s?",
}
"""A noun that says already what the slot would."""
SAID_BEFORE_ZH = {
    "order_number": r"(?:订单号?|单号|编号)",
    "date": r"(?:日期|时间|日子|日)",
    "amount": r"(?:金额|款项?|扣款|费用?|价格?|总额|[两几多一]笔|余额|付款)",
    "product": r"(?:商品|产品|物品|货品)",
}
STATES_EN = re.compile(r"(?:\b(?:is|are|was|were|be|equals)|[:=])\s*$", re.IGNORECASE)
STATES_ZH = re.compile(r"(?:预计|预计于|预计在|为|是|即|[:：=])\s*$")
GIVES_EN = re.compile(
    r"\b(?:send|tell|give|enter|quote|state|include|mention|provide)\s+(?:us\s+|me\s+)?order\s*$", re.IGNORECASE
)
GIVES_ZH = re.compile(r"(?:把|将|提供|告诉我们|填写|输入|发送|注明|附上)订单\s*$")
ORDER_EN = re.compile(r"\border\s*$", re.IGNORECASE)
DETERMINER_EN = re.compile(r"\b(?:the|your|this|that|these|those|a|an|my|our|any|each)\s*$", re.IGNORECASE)
PREPOSITION_EN = re.compile(r"\s*\b(?:of|for|on|at|by|with|in|to|from|via|as|no|number)\s*$", re.IGNORECASE)
CLAUSE_START = re.compile(r"(?:[.!?;,](?=\s)|[。！？；，;]|\n)\s*")
CLAUSE_END = re.compile(r"[.!?;,](?=\s|$)|[。！？；，]|\n|$")
SENTENCE_ENDS = ".!?。！？\n"


def fill_slots(template: str, slots: Mapping[str, str], language: Language) -> str:
    """The text with its slots filled or worded away; never holds a brace.

    Args:
        template: Any text.
        slots: Slot name to what is known.
        language: Of the template.
    """
    if "{" not in template and "}" not in template:
        return template.strip()
    done, rest = "", template
    while match := SLOT.search(rest):
        before, after, name = done + rest[: match.start()], rest[match.end() :], match.group(1)
        value = slots.get(name, "")
        if value:
            done, rest = _with(before, value, name, language), after
        else:
            done, rest = _without(before, after, name, language)
    text = re.sub(r"[{}]+", "", done + rest)
    return _tidy(text)


def _with(before: str, value: str, name: str, language: Language) -> str:
    """The text before a slot and its value; a common noun gets its article."""
    if name == "product" and language == "en" and value.islower() and not DETERMINER_EN.search(before):
        return _append(before, f"the {value}")
    return before + value


def _without(before: str, after: str, name: str, language: Language) -> tuple[str, str]:
    """The text before and after a slot that is not known, so that they read on."""
    if before.rstrip().endswith(("(", "\uff08", "[")) and after.lstrip().startswith((")", "\uff09", "]")):
        return before.rstrip()[:-1].rstrip(), after.lstrip()[1:]
    states = STATES_EN if language == "en" else STATES_ZH
    if states.search(before) and _ends_clause(after):
        shorter = _drop_clause(before, after)
        if "".join(shorter).strip():
            return shorter
    if language == "zh":
        return _without_zh(before, after, name)
    return _without_en(before, after, name) if name in NEUTRAL else _unknown_en(before, after, name)


def _without_en(before: str, after: str, name: str) -> tuple[str, str]:
    if GIVES_EN.search(before):
        return ORDER_EN.sub("your order number", before), after
    if said := re.search(rf"\b{SAID_BEFORE_EN[name]}\s*$", before, re.IGNORECASE):
        return re.sub(r"\s+(?:of|is\s+for)\s*$", "", before) if said.group().rstrip().endswith(
            " of"
        ) else before.rstrip(), after
    if name == "order_number" and ORDER_EN.search(before):
        return _append(ORDER_EN.sub("", before), NEUTRAL[name].en), after
    if DETERMINER_EN.search(before):
        return before + NOUN[name].en, after
    return _append(before, NEUTRAL[name].en), after


def _unknown_en(before: str, after: str, name: str) -> tuple[str, str]:
    """A slot of the team's own that nothing fills: left out at the end of a clause, else named by its own words."""
    words = name.replace("_", " ").strip().lower()
    last = re.search(r"(\w+)\s*$", before)
    if (last and last.group(1).lower() in words.split()) or not words.isascii():
        return before.rstrip(), after
    shorter = PREPOSITION_EN.sub("", before).rstrip()
    if _ends_clause(after) and shorter:
        return shorter, after
    return (before + words, after) if DETERMINER_EN.search(before) else (_append(before, f"the {words}"), after)


def _without_zh(before: str, after: str, name: str) -> tuple[str, str]:
    left, right = before.rstrip(" "), after.lstrip(" ")
    if GIVES_ZH.search(left):
        return f"{left}号", right
    known = SAID_BEFORE_ZH.get(name)
    if known is None:
        return left + (name if not name.isascii() else ""), right
    if re.search(rf"{known}$", left):
        return left, right
    return left + NEUTRAL[name].zh, right


def _append(before: str, words: str) -> str:
    """Words after a text, with a capital at the start of a sentence."""
    head = before.rstrip()
    return before + (words[:1].upper() + words[1:] if not head or head[-1] in SENTENCE_ENDS else words)


def _ends_clause(after: str) -> bool:
    """Is nothing said after the slot, or no more than "will arrive" in Chinese?"""
    return bool(re.match(r"\s*(?:送达|到达|到货|左右|前后)?\s*(?:[.!?;,](?:\s|$)|[。！？；，\n]|$)", after))


def _drop_clause(before: str, after: str) -> tuple[str, str]:
    """Takes out the clause around a slot, and one of the two marks that set it apart."""
    starts = list(CLAUSE_START.finditer(before))
    start = starts[-1] if starts else None
    end = CLAUSE_END.search(after)
    assert end is not None
    mark = after[end.start() : end.end()]
    kept = before[: start.start()] if start else ""
    opening = before[start.start() : start.end()] if start else ""
    if opening.strip() and opening.strip() not in SENTENCE_ENDS:
        return kept, after[end.start() :]
    rest = after[end.end() :]
    if mark in SENTENCE_ENDS:
        return (kept + opening).rstrip(" "), rest if not (kept + opening) else f" {rest.lstrip(' ')}"
    return kept + opening, rest.lstrip()[:1].upper() + rest.lstrip()[1:]


def _tidy(text: str) -> str:
    text = re.sub(r"(?<=\S)[ \t]{2,}(?=\S)", " ", text)
    text = re.sub(r"[ \t]+(?=[,.;:!?](?:\s|$)|[，。；：！？、])", "", text)
    text = re.sub(r"(?<=[。！？；，])[ \t]+", "", text)
    return text.strip()
