"""The settings of the encoder that finds entries by meaning, and of its training."""

from typing import Literal

from pydantic import Field

from core.backbones.text_bag_config import TextBagConfig
from core.backbones.transformer_config import TransformerConfig
from core.config import Record, TrainConfig


class EncoderConfig(Record):
    """Trained on the queries that are known to belong to entries."""

    enabled: bool = True
    """Have an encoder where one can be had; false = search by words alone."""
    encoder: Literal["bag", "transformer"] = "bag"
    """bag = hashed words, from scratch, none without queries; transformer = pretrained, as it is without queries."""
    min_queries: int = Field(default=50, ge=8)
    """Training queries below which nothing is trained."""
    bag: TextBagConfig = TextBagConfig()
    """The bag's network."""
    train: TrainConfig = TrainConfig(
        epochs=6,
        global_batch_size=64,
        learning_rate=1e-2,
        weight_decay=0.0,
        gradient_clip_norm=0.0,
        monitor="mrr",
        trackers=(),
    )
    """The bag's training; a query must find its entry among those of its batch."""
    transformer: TransformerConfig = TransformerConfig(max_tokens=128)
    """The pretrained model, pooled over its tokens."""
    transformer_train: TrainConfig = TrainConfig(
        epochs=4,
        global_batch_size=64,
        learning_rate=5e-5,
        weight_decay=0.01,
        monitor="mrr",
        trackers=(),
    )
    """Its fine-tuning."""

    reranker: str = ""
    """A cross-encoder that reads the query together with each entry found: a Hugging Face id or a local folder of a
    model for sequence classification with one label; empty = none. It is used as it is, with an encoder or without."""
    reranked: int = Field(default=20, ge=2, le=50)
    """Entries found that it reads, the best ones; time grows with it."""
    reranker_tokens: int = Field(default=256, ge=8, le=8192)
    """Tokens of a query with an entry that it reads; the rest is cut."""

    @property
    def training(self) -> TrainConfig:
        """The training of the encoder that is chosen."""
        return self.train if self.encoder == "bag" else self.transformer_train
