"""The settings of a recurrent text encoder."""

from typing import Literal

from pydantic import Field

from core.config import Record
from core.data.vocabulary_config import VocabularyConfig


class SequenceConfig(Record):
    """Vectors of words and their parts, read in both directions by an LSTM or a GRU, pooled over the words."""

    vocabulary: VocabularyConfig = VocabularyConfig()
    """What counts as a unit of a text."""
    kind: Literal["lstm", "gru"] = "lstm"
    """Long short-term memory (Hochreiter and Schmidhuber 1997) or gated recurrent units (Cho et al. 2014)."""
    vector_size: int = Field(default=128, ge=4, le=1024)
    """Length of the vector of a word, the mean of its own and its parts' vectors."""
    hidden_size: int = Field(default=128, ge=4, le=2048)
    """Length of the state of each direction."""
    layers: int = Field(default=1, ge=1, le=8)
    """Layers on top of each other, each in both directions."""
    pooling: Literal["max_mean", "attention"] = "max_mean"
    """A text is maximum and mean over its words side by side, or a mean weighted by learnt attention."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Dropout between layers and before the linear layer."""
    vector_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Dropout of the numbers in a word's vector."""
    unit_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of units left out in training: a word is then known by its parts, or by some of them."""
