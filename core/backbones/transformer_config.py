"""The settings of a pretrained Transformer that classifies texts."""

from typing import Literal

from pydantic import Field

from core.config import Record

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


class TransformerConfig(Record):
    """A pretrained encoder, pooled over its tokens, and a linear head."""

    name: str = MINILM
    """A Hugging Face id, or a local folder with config, tokenizer and weights (sentence-transformers folders too)."""
    pretrained: bool = True
    """false = the same architecture with fresh weights."""
    tuning: Literal["full", "lora", "frozen"] = "full"
    """What learns besides the head: every weight, low-rank additions to them (Hu et al. 2022), or nothing."""
    lora_rank: int = Field(default=16, ge=1, le=512)
    """Rank of the additions."""
    lora_alpha: int = Field(default=32, ge=1)
    """The additions are scaled by this over their rank."""
    pooling: Literal["mean", "cls"] = "mean"
    """A text is the mean over its tokens, or its first token."""
    max_tokens: int = Field(default=64, ge=4, le=8192)
    """Tokens of a text that are read, special ones included; the rest is cut."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before the head, and of the low-rank additions."""
