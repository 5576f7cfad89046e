"""What was found while knowledge was read: rejected rows and files, entries that repeat or contradict each other."""

from collections import defaultdict
from collections.abc import Sequence

from core.config import Record
from core.data.report import Rejected
from core.retrieval.entry import Entry
from core.retrieval.same_question import is_same_answer, is_same_question, normalise_question


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
        by_question[normalise_question(entry.question)].append(entry)
    duplicates: list[EntryPair] = []
    contradictions: list[EntryPair] = []
    for same in by_question.values():
        for place, second in enumerate(same):
            first = next((other for other in same[:place] if is_same_question(other, second)), None)
            if first is not None:
                pair = EntryPair(question=first.question, first_id=first.entry_id, second_id=second.entry_id)
                (duplicates if is_same_answer(first, second) else contradictions).append(pair)
    return duplicates, contradictions
