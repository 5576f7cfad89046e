"""The settings of a TextCNN."""

from pydantic import Field

from core.config import Record
from core.data.vocabulary_config import VocabularyConfig


class WordVectorConfig(Record):
    """What a model knows of words before it is trained: vectors that a pretrained encoder gives them."""

    name: str = ""
    """A Hugging Face id, or a local folder with config, tokenizer and weights; empty = learnt from the data alone."""
    pretrained: bool = True
    """false = fresh vectors of the same words."""
    max_words: int = Field(default=30_000, ge=0)
    """Words of the encoder's tokenizer that are known beside those of the training texts."""


class TextCnnConfig(Record):
    """Vectors of words and their parts, convolutions of several widths, max over time, and a wide part beside them."""

    vocabulary: VocabularyConfig = VocabularyConfig()
    """What counts as a unit of a text."""
    vector_size: int = Field(default=128, ge=4, le=1024)
    """Length of the vector of a word, the mean of its own and its parts' vectors."""
    word_vectors: WordVectorConfig = WordVectorConfig()
    """Where the vectors of words start from."""
    widths: tuple[int, ...] = Field(default=(1, 2, 3, 4), min_length=1)
    """Words that each kind of filter looks at."""
    filters: int = Field(default=128, ge=4, le=2048)
    """Filters of each width."""
    wide_size: int = Field(default=128, ge=0, le=1024)
    """Length of the vector of a unit in the wide part, a weighted bag of units; 0 = no wide part."""
    members: int = Field(default=1, ge=1, le=8)
    """Networks side by side whose logits are averaged."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Dropout before the linear layer."""
    vector_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Dropout of the numbers in a word's vector."""
    word_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of words left out in training, with all their units."""
    unit_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of units left out in training: a word is then known by its parts, or by some of them."""
