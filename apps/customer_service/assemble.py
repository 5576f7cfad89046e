"""An answer put together from the knowledge: the best entry with its slots filled, what else to see, and links."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.customer_service.bot_words import SEE_ALSO
from apps.customer_service.gate import in_one_language
from apps.customer_service.message import plain_form
from apps.customer_service.reply import Source
from apps.customer_service.templates import fill_slots
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Hit
from core.texts import Language

MAX_PASSAGE_CHARS = 400
MAX_ANSWER_CHARS = 1500
"""An answer that a team wrote is given whole up to here; a passage of a document only in extract."""
CLOSE_SHARE = 0.5
LEAST_CLOSE = 0.2
"""A further entry is close when it is at least half as probable as the first, and not improbable in itself."""
MAX_SEE_ALSO = 2
MAX_TITLE_CHARS = 80
SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?](?!\s|$)[^.!?。！？\n]*)*[.!?。！？]*\s*")


@dataclass(frozen=True)
class Assembled:
    """An answer from the knowledge.

    Args:
        text: Plain text.
        sources: The entry answered with, then those to see also.
        follow_ups: Questions of what else was found.
    """

    text: str
    sources: tuple[Source, ...]
    follow_ups: tuple[str, ...]


def assemble_answer(
    hits: tuple[Hit, ...], query: str, slots: Mapping[str, str], language: Language, max_follow_ups: int
) -> Assembled:
    """The answer of the first hit; the others are pointed to.

    Args:
        hits: The one to answer with first; at least one.
        query: What was asked, to choose the extract of a long passage.
        slots: What the customer has told.
        language: Of the words around the answer.
        max_follow_ups: Most questions suggested.
    """
    assert hits
    first = hits[0]
    text = shown_answer(first.entry, query, slots, language)
    close = list(_close_hits(hits))
    if close:
        marks = "；" if language == "zh" else "; "
        text = f"{text}\n{SEE_ALSO.in_language(language)}{marks.join(title_of(hit.entry) for hit in close)}"
    sources = tuple(source_of(hit.entry) for hit in (first, *close))
    return Assembled(text, sources, _follow_ups(hits, {source.entry_id for source in sources}, max_follow_ups))


def shown_answer(entry: Entry, query: str, slots: Mapping[str, str], language: Language) -> str:
    """An entry's answer as the customer reads it."""
    own: Language = entry.language if entry.language in ("en", "zh") else language  # type: ignore[assignment]
    text = fill_slots(entry.answer, slots, own)
    limit = MAX_ANSWER_CHARS if is_question(entry) else MAX_PASSAGE_CHARS
    return text if len(text) <= limit else extract(text, query, limit)


def is_question(entry: Entry) -> bool:
    """Is it a question with the answer that a team wrote, not a passage of a document?"""
    return bool(entry.question.strip()) and not re.search(
        r"\.(?:md|markdown|txt|html?|pdf)\b", entry.source, re.IGNORECASE
    )


def extract(text: str, query: str, limit: int) -> str:
    """The run of whole sentences, at most `limit` characters, that shares most with a query."""
    sentences = [match.group().rstrip("\n") for match in SENTENCE.finditer(text) if match.group().strip()]
    wanted = _grams(query)
    shared = [len(wanted & _grams(sentence)) for sentence in sentences]
    best, best_score = (0, 0), -1
    for start in range(len(sentences)):
        end, size = start, 0
        while end < len(sentences) and size + len(sentences[end]) <= limit:
            size += len(sentences[end])
            end += 1
        if (score := sum(shared[start:end])) > best_score and end > start:
            best, best_score = (start, end), score
    chosen = "".join(sentences[slice(*best)]).strip() or text[:limit].rstrip()
    return f"{'… ' if best[0] else ''}{chosen}{' …' if best[1] < len(sentences) else ''}"


def source_of(entry: Entry) -> Source:
    """What the page links to."""
    return Source(entry.entry_id, title_of(entry), safe_url(entry.url))


def title_of(entry: Entry) -> str:
    """Short words for an entry."""
    title = " ".join((entry.question or entry.answer).split())
    title = re.sub(r"[{}]", "", title)
    return title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1].rstrip() + "…"


def safe_url(url: str) -> str:
    """The address if it is a web page's, else nothing: a link must not run anything."""
    cleaned = url.strip()
    if any(character.isspace() or not character.isprintable() for character in cleaned):
        return ""
    try:
        parts = urlsplit(cleaned)
        host = parts.hostname
    except ValueError:
        return ""
    return cleaned if parts.scheme.lower() in ("http", "https") and host else ""


def _close_hits(hits: tuple[Hit, ...]) -> Iterator[Hit]:
    first, least = hits[0], max(LEAST_CLOSE, CLOSE_SHARE * hits[0].probability)
    said = {plain_form(first.entry.answer)}
    num_given = 0
    for hit in in_one_language(hits)[1:]:
        if num_given == MAX_SEE_ALSO:
            return
        if hit.probability >= least and plain_form(hit.entry.answer) not in said:
            said.add(plain_form(hit.entry.answer))
            num_given += 1
            yield hit


def _follow_ups(hits: tuple[Hit, ...], given: set[str], limit: int) -> tuple[str, ...]:
    said = {plain_form(hits[0].entry.question)}
    chosen: list[str] = []
    for hit in in_one_language(hits)[1:]:
        entry, asked = hit.entry, plain_form(hit.entry.question)
        if asked and asked not in said and entry.entry_id not in given and is_question(entry):
            said.add(asked)
            chosen.append(title_of(entry))
    return tuple(chosen[:limit])


def _grams(text: str) -> set[str]:
    """Words of Latin script and pairs of Han characters."""
    said = text.casefold()
    pairs = {said[i : i + 2] for i in range(len(said) - 1) if "\u3400" <= said[i] <= "\u9fff" and said[i + 1].isalnum()}
    return pairs | {word for word in re.findall(r"[^\W_]{3,}", said) if word.isascii()}
