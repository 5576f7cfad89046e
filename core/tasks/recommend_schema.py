"""Facts about items and events found in the training split; with the config they rebuild the task without the data."""

from core.config import Record
from core.data.vocabulary_config import Vocabulary


class RecommendSchema(Record):
    """Learnt, not chosen."""

    num_items: int
    """Items of the catalogue."""
    kinds: tuple[str, ...]
    """Kinds of events; a kind's number is its place here + 1, and that + the number of kinds for what was disliked."""
    strengths: tuple[float, ...]
    """How much each kind counts at first, that of the strongest kind in the training events being 1."""
    vocabulary: Vocabulary
    """Units of the texts of the items."""
    max_history: int
    """Events of a history that are looked at."""
    max_seen: int = 1
    """Most items that a user of validation or test had seen."""
    max_targets: int = 1
    """Most items that a user of validation or test came to like."""
