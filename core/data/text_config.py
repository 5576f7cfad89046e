"""The settings of text data: where it is, which column is what, which labels mean that nothing fits."""

from typing import Literal

from pydantic import Field

from core.config import DataConfig, Record


class TextColumns(Record):
    """Column of each role in a table; `none` = guess from common spellings."""

    text: str | None = None
    """What somebody wrote."""
    label: str | None = None
    """Name of the class."""
    domain: str | None = None
    """Coarser class: joined with the label where one label word stands in several domains."""
    split: str | None = None
    """train, validation (valid, val, dev) or test."""
    group: str | None = None
    """Conversation or customer: texts of one group stay in one split."""
    answer: str | None = None
    """What was answered; where there is no label, texts with the same answer are one class."""
    score: str | None = None
    """How good the answer was; of several answers to one text the best counts."""


class TextDataConfig(DataConfig):
    """Texts with labels from a table, a folder of tables, class folders of text files, CLINC's JSON, or the hub."""

    columns: TextColumns = TextColumns()
    out_of_scope_labels: tuple[str, ...] | Literal["auto"] = "auto"
    """Labels that say that no class fits; auto = oos, out_of_scope, none and the like."""
    out_of_scope_share: float = Field(default=0.06, ge=0, lt=0.5)
    """Share of training examples that texts out of scope make up at least, where there are some: they are repeated."""
