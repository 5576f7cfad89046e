"""The settings of the encoder that finds entries by meaning, and of its training."""

from pydantic import Field

from core.backbones.text_bag_config import TextBagConfig
from core.config import Record, TrainConfig


class EncoderConfig(Record):
    """Trained on the queries that are known to belong to entries; without enough of them there is none."""

    enabled: bool = True
    """Train one where there are queries enough; false = search by words alone."""
    min_queries: int = Field(default=50, ge=8)
    """Training queries below which none is trained."""
    bag: TextBagConfig = TextBagConfig()
    """Its network."""
    train: TrainConfig = TrainConfig(
        epochs=10,
        global_batch_size=64,
        learning_rate=1e-2,
        weight_decay=0.0,
        gradient_clip_norm=0.0,
        monitor="mrr",
        trackers=(),
    )
    """Its training; a query must find its entry among those of its batch."""
