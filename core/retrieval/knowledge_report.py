"""What was found while knowledge was read: rejected rows and files, entries that repeat or contradict each other."""

from collections import defaultdict
from collections.abc import Sequence

from core.config import Record
from core.data.report import Rejected
from core.retrieval.entry import Entry
from core.retrieval.knowledge_base import may_meet, normalise_question


class EntryPair(Record):
    """Two entries that ask the same."""

    question: str
    """As the first of them has it."""
    first_id: str
    second_id: str


class KnowledgeReport(Record):
    """What was read, left out and suspected."""

    source: str
    """File or folder."""
    num_entries: int = 0
    """Entries that can be found."""
    num_passages: int = 0
    """How many of them are passages of documents."""
    notes: tuple[str, ...] = ()
    """Guesses and choices made while reading."""
    rejected: tuple[Rejected, ...] = ()
    """Rows and files that are not used."""
    duplicates: tuple[EntryPair, ...] = ()
    """Same question, same answer."""
    contradictions: tuple[EntryPair, ...] = ()
    """Same question, another answer."""
    joined_ids: tuple[str, ...] = ()
    """Ids of several rows, which became one entry each."""


def find_repeated(entries: Sequence[Entry]) -> tuple[list[EntryPair], list[EntryPair]]:
    """Duplicates and contradictions: pairs of entries with the same question that one customer could meet."""
    by_question: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        # Passages under one heading share it, and complete each other.
        if not is_passage(entry):
            by_question[normalise_question(entry.question)].append(entry)
    duplicates: list[EntryPair] = []
    contradictions: list[EntryPair] = []
    for question, same in by_question.items():
        for place, second in enumerate(same if question else ()):
            first = next((other for other in same[:place] if may_meet(other, second)), None)
            if first is not None:
                equal = normalise_question(first.answer) == normalise_question(second.answer)
                pair = EntryPair(question=first.question, first_id=first.entry_id, second_id=second.entry_id)
                (duplicates if equal else contradictions).append(pair)
    return duplicates, contradictions


def is_passage(entry: Entry) -> bool:
    """Whether an entry was cut from a document: its id is its place there."""
    return bool(entry.source) and entry.entry_id.startswith(entry.source)
