"""Facts about texts found in the training split; with the config they rebuild the task without the data."""

from core.config import Record
from core.data.vocabulary_config import Vocabulary


class TextSchema(Record):
    """Learnt, not chosen."""

    labels: tuple[str, ...]
    """Class names, sorted; the position is the class number."""
    label_counts: tuple[int, ...]
    """Training examples of each label."""
    num_out_of_scope: int = 0
    """Training texts that belong to no label."""
    vocabulary: Vocabulary | None = None
    """Units of a model that is trained from scratch; none = it reads tokens."""
    tokenizer: str = ""
    """Content of tokenizer.json of a pretrained model; empty = it reads units."""
    architecture: str = ""
    """Content of config.json of a pretrained model."""
    max_tokens: int = 0
    """Tokens of a text that are read."""
    widths: tuple[int, ...] = ()
    """Words that each kind of filter looks at; none = the model names no n-grams."""
    positive_labels: tuple[str, ...] = ()
    """Labels that must not be missed."""
