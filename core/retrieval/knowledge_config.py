"""Where the knowledge comes from and how it is read."""

from pydantic import Field, model_validator

from core.config import Record


class KnowledgeColumns(Record):
    """Which column of a table of questions and answers plays which role; none given = guessed from common spellings."""

    question: str | None = None
    """Column of the question."""
    answer: str | None = None
    """Column of the answer."""
    entry_id: str | None = None
    """Column of the entry's id; rows of one id become one entry."""
    url: str | None = None
    """Column of the link."""
    category: str | None = None
    """Column of the category."""
    intent: str | None = None
    """Column of the intent that the entry answers."""
    language: str | None = None
    """Column of the language, en or zh."""
    known_queries: str | None = None
    """Column of further questions that the entry answers: a list, or one a line."""


class QueryColumns(Record):
    """Which column of a table of customer queries plays which role; none given = guessed from common spellings."""

    query: str | None = None
    """Column of what the customer wrote."""
    entry_id: str | None = None
    """Column of the id of the entry that answers it."""
    split: str | None = None
    """Column of the split: train, validation or test."""


class KnowledgeConfig(Record):
    """Questions with answers, or documents, and queries of customers to learn from."""

    path: str = ""
    """Table of questions and answers, a document, or a folder of them; sample = the app's own; empty = none."""
    columns: KnowledgeColumns = KnowledgeColumns()
    """Columns of the tables of questions and answers."""
    queries: str = ""
    """Table of customer queries with the entry that answers each; empty = none."""
    query_columns: QueryColumns = QueryColumns()
    """Columns of the table of queries."""
    passage_chars: int = Field(default=800, ge=100)
    """Characters of a passage at most; documents are cut at headings, paragraphs and sentences."""
    passage_overlap: int = Field(default=100, ge=0)
    """Characters, in whole sentences, that a passage repeats from the one before it under the same heading."""

    @model_validator(mode="after")
    def _overlap_is_smaller(self) -> "KnowledgeConfig":
        if self.passage_overlap > self.passage_chars // 2:
            raise ValueError("passage_overlap is at most half of passage_chars")
        return self
