"""What counts as a unit of a text, and the units that training texts hold."""

from pydantic import Field

from core.config import Record


class VocabularyConfig(Record):
    """What counts as a unit of a text."""

    max_words: int = Field(default=64, ge=4, le=1024)
    """Words of a text that are read; the rest is cut."""
    min_part: int = Field(default=3, ge=1, le=8)
    """Letters of the shortest character n-gram, the blank at either end of a word included."""
    max_part: int = Field(default=5, ge=1, le=8)
    """Letters of the longest character n-gram."""
    max_parts: int = Field(default=20, ge=0, le=64)
    """Character n-grams of a word that are read."""
    max_phrase: int = Field(default=3, ge=1, le=6)
    """Words of the longest phrase; Chinese characters are words, so these are their n-grams."""
    min_count: int = Field(default=2, ge=1)
    """Training texts that must hold a part or a phrase."""
    max_units: int = Field(default=60_000, ge=100)
    """Parts and phrases that are kept of each kind, the most frequent ones."""


class Vocabulary(Record):
    """Facts learnt from training texts. Ids: 0 = none, then words, then parts, then phrases."""

    config: VocabularyConfig
    """What counts as a unit."""
    words: tuple[str, ...]
    """Words, folded; first those that training texts hold."""
    parts: tuple[str, ...]
    """Character n-grams; a blank marks the end of a word."""
    phrases: tuple[str, ...]
    """Words joined by blanks."""
    rarity: tuple[float, ...]
    """Inverse document frequency of each id from 1 on, smoothed: 1 + ln((1 + texts) / (1 + texts with it)).

    0 for words that no training text holds: a bag of units has nothing to say of them.
    """

    @property
    def num_seen_words(self) -> int:
        """Words that training texts hold; those known from elsewhere come after them."""
        return sum(share > 0 for share in self.rarity[: len(self.words)])

    @property
    def num_vector_units(self) -> int:
        """Ids of words and parts, with 0 for none: the rows of a table of word vectors."""
        return 1 + len(self.words) + len(self.parts)

    @property
    def num_units(self) -> int:
        """All ids, with 0 for none."""
        return self.num_vector_units + len(self.phrases)

    @property
    def units_per_word(self) -> int:
        """U: the word, the phrases that begin with it, its parts, in this order."""
        return self.config.max_phrase + self.config.max_parts
