"""When two entries ask the same."""

import unicodedata

from core.retrieval.entry import Entry


def normalise_question(question: str) -> str:
    """A question without case, width, punctuation and blanks, by which equal ones are recognised."""
    return "".join(c for c in unicodedata.normalize("NFKC", question).casefold() if c.isalnum())


def is_same_question(first: Entry, second: Entry) -> bool:
    """Whether one customer could meet both as answers to the same question.

    Not so entries of different languages, nor passages under the same heading, which complete each other.
    """
    languages = {first.language, second.language} - {""}
    if len(languages) > 1 or (is_passage(first) and is_passage(second)):
        return False
    question = normalise_question(first.question)
    return bool(question) and question == normalise_question(second.question)


def is_same_answer(first: Entry, second: Entry) -> bool:
    """Whether two entries say the same in the same words."""
    return normalise_question(first.answer) == normalise_question(second.answer)


def is_passage(entry: Entry) -> bool:
    """Whether an entry was cut from a document: its id is its place there."""
    return bool(entry.source) and entry.entry_id.startswith(entry.source)
