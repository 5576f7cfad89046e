"""The settings of distillation: a small model learns what a large one says."""

from pydantic import Field

from core.config import Record


class DistillConfig(Record):
    """A teacher, and the texts that it is asked about beside those of the training split."""

    teacher: str = ""
    """Run or bundle of the same app with the same labels; empty = no teacher."""
    temperature: float = Field(default=1.0, gt=0, le=20)
    """Above 1 the teacher's second thoughts count more (Hinton, Vinyals and Dean 2015)."""
    unlabelled: str = ""
    """Table with a column of texts, or a .txt file of a text a line; empty = none."""
    variations: int = Field(default=0, ge=0, le=20)
    """Texts made of each training text by leaving out, swapping and recombining words."""
    replacements: int = Field(default=0, ge=0, le=20)
    """Texts made of each training text and each variation by putting near words in place of some of its words.

    Which words are near is told by the model's pretrained word vectors.
    """
