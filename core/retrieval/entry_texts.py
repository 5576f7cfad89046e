"""What an entry is found by: its terms in two fields, and its texts for the encoder."""

from typing import NamedTuple

from core.retrieval.entry import Entry
from core.retrieval.words import search_terms


class EntryTerms(NamedTuple):
    """Terms of an entry, in two fields that are scored apart and added.

    Args:
        asked: Of the question and of the known queries.
        whole: Of these and the answer.
    """

    asked: list[str]
    whole: list[str]


def entry_terms(entry: Entry) -> EntryTerms:
    """An entry's terms."""
    asked = [term for text in (entry.question, *entry.known_queries) for term in search_terms(text)]
    return EntryTerms(asked, asked + search_terms(entry.answer))


def entry_texts(entry: Entry) -> tuple[str, ...]:
    """Texts of an entry that are encoded each for itself: the question, the answer, each known query."""
    texts = (without_halves(text).strip() for text in (entry.question, entry.answer, *entry.known_queries))
    return tuple(dict.fromkeys(text for text in texts if text))


def without_halves(text: str) -> str:
    """A text with a question mark for every half of a surrogate pair, which no encoding can write."""
    return text.encode("utf-8", "replace").decode("utf-8")
