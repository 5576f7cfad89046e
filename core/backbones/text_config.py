"""The settings of a text model: which encoder, and those of each."""

from typing import Literal

from core.backbones.sequence_config import SequenceConfig
from core.backbones.text_cnn_config import TextCnnConfig
from core.backbones.transformer_config import TransformerConfig
from core.config import ModelConfig


class TextModelConfig(ModelConfig):
    """An encoder of texts with a linear head; only the settings of the one that is named count."""

    encoder: Literal["text_cnn", "recurrent", "transformer"] = "text_cnn"
    """text_cnn or recurrent (LSTM, GRU) from scratch, or transformer for a pretrained one."""
    text_cnn: TextCnnConfig = TextCnnConfig()
    recurrent: SequenceConfig = SequenceConfig()
    transformer: TransformerConfig = TransformerConfig()
