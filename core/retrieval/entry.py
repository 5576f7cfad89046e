"""What a knowledge base holds: one entry, which is a question with its answer or a passage of a document."""

from core.config import Record


class Entry(Record):
    """One thing that can be answered with, and its source."""

    entry_id: str
    """Unique in the knowledge base; stays the same when the entry is changed."""
    question: str = ""
    """As the team wrote it; for a passage its heading."""
    answer: str
    """What the customer reads; may hold slots such as {order_number}."""
    url: str = ""
    """Where the whole of it can be read."""
    category: str = ""
    """Of the team's own."""
    intent: str = ""
    """The intent that it answers; empty = none."""
    language: str = ""
    """en, zh, or empty where not known."""
    source: str = ""
    """File that it came from, with the place in it."""
    known_queries: tuple[str, ...] = ()
    """Questions of customers that it is known to answer; they are searched too."""
