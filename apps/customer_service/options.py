"""The "did you mean": which meanings are offered, in readable words, and which one the customer picked."""

import re
from collections.abc import Callable, Iterator, Mapping

from apps.customer_service.bot_words import PERSON_OPTION
from apps.customer_service.dialogue_config import DialogueConfig
from apps.customer_service.gate import in_one_language
from apps.customer_service.message import plain_form
from apps.customer_service.phrases import YES, is_person_label, label_key, talk_of_label
from apps.customer_service.reply import Option
from apps.customer_service.session import Offered
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Retrieval
from core.tasks.text_answer import TextAnswer
from core.texts import Language, Text

Finder = Callable[[str, str], Entry | None]
MAX_OPTION_CHARS = 120
LEAST_OPTIONS = 2
ORDINALS = (
    ("1", "one", "first", "一", "第一", "第一个", "1st"),
    ("2", "two", "second", "二", "第二", "第二个", "2nd"),
    ("3", "three", "third", "三", "第三", "第三个", "3rd"),
    *((str(n),) for n in range(4, 10)),
)
LAST = ("last", "最后一个", "最后")


def build_options(
    intent: TextAnswer,
    retrieval: Retrieval,
    config: DialogueConfig,
    find: Finder,
    words: Mapping[str, Text],
    language: Language,
) -> tuple[Option, ...]:
    """The likeliest meanings, most probable first; one meaning is offered once.

    Args:
        intent: Its prediction set is offered unless it was refused.
        retrieval: So is its.
        config: How many.
        find: Entry of an intent and a language.
        words: Readable words of intents.
        language: Of the options.
    """
    meanings = [*_intent_meanings(intent, retrieval, config, find, words, language), *_entry_meanings(retrieval)]
    sure = [meaning for meaning in meanings if meaning[2]]
    likely = sorted(sure, key=lambda meaning: -meaning[0])
    rest = sorted((m for m in meanings if not m[2]), key=lambda meaning: -meaning[0])
    options: list[Option] = []
    for place, (_, option, _) in enumerate([*likely, *rest]):
        if len(options) == config.clarify_options or (place >= len(likely) and len(options) >= LEAST_OPTIONS):
            break
        if not any(_is_same(option, other) for other in options):
            options.append(option)
    return tuple(options)


def label_words(label: str, words: Mapping[str, Text], language: Language) -> str:
    """A label in readable words."""
    if label in words:
        return words[label].in_language(language)
    plain = re.sub(r"[_\-]+", " ", label).strip()
    return (plain[:1].upper() + plain[1:]) or label


def pick_option(text: str, offered: tuple[Offered, ...]) -> Offered | None:
    """The option that a message chooses: by its words, its label, its number, or yes where only one was offered."""
    said = plain_form(text)
    for option in offered:
        if said in (plain_form(option.text), plain_form(option.label.replace("_", " "))):
            return option
    if len(offered) == 1 and said in YES:
        return offered[0]
    bare = re.sub(r"\A(?:option|number|no\.?|the|选项?|选择|#|要)\s*|\s*(?:one|option|please|个|吧)\Z", "", said)
    for candidate in (said, bare, re.sub(r"\A(?:the)\s+", "", bare)):
        if candidate in LAST and offered:
            return offered[-1]
        for number, spellings in enumerate(ORDINALS[: len(offered)]):
            if candidate in spellings:
                return offered[number]
    return None


Meaning = tuple[float, Option, bool]
"""Probability, option, and whether it stands in a prediction set that may be relied on."""


def _intent_meanings(
    intent: TextAnswer,
    retrieval: Retrieval,
    config: DialogueConfig,
    find: Finder,
    words: Mapping[str, Text],
    language: Language,
) -> Iterator[Meaning]:
    if intent.verdict.decision == "refused":
        return
    for label, probability in intent.ranking[: len(intent.verdict.prediction_set) + LEAST_OPTIONS]:
        if talk_of_label(label) or label_key(label) in map(label_key, config.small_talk):
            continue
        is_likely = label in intent.verdict.prediction_set
        if is_person_label(label, config.handoff_labels):
            yield probability, Option(PERSON_OPTION.in_language(language), label), is_likely
            continue
        entry = next((hit.entry for hit in retrieval.hits if hit.entry.intent == label), None) or find(label, language)
        shown = _title(entry) if entry else label_words(label, words, language)
        yield probability, Option(shown, label, entry.entry_id if entry else ""), is_likely


def _entry_meanings(retrieval: Retrieval) -> Iterator[Meaning]:
    if retrieval.verdict.decision == "refused":
        return
    for hit in in_one_language(retrieval.hits)[: len(retrieval.verdict.prediction_set) + LEAST_OPTIONS]:
        option = Option(_title(hit.entry), hit.entry.intent, hit.entry.entry_id)
        yield hit.probability, option, hit.entry.entry_id in retrieval.verdict.prediction_set


def _title(entry: Entry) -> str:
    title = " ".join((entry.question or entry.answer).split())
    return title if len(title) <= MAX_OPTION_CHARS else title[: MAX_OPTION_CHARS - 1].rstrip() + "…"


def _is_same(one: Option, other: Option) -> bool:
    return bool(one.entry_id and one.entry_id == other.entry_id) or plain_form(one.text) == plain_form(other.text)
