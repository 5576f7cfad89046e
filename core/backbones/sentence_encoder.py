"""A pretrained Transformer whose pooled text is the vector that entries are found by.

Shapes: B texts, L tokens, H hidden size.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from core.backbones.transformer import TransformerClassifier, build_transformer_classifier
from core.backbones.transformer_config import TransformerConfig
from core.backbones.transformer_files import TextEncoderFacts


class SentenceEncoder(nn.Module):
    """Tokens to unit vectors.

    Args:
        pooled: Its head is left off.
    """

    def __init__(self, pooled: TransformerClassifier) -> None:
        super().__init__()
        pooled.classifier = nn.Identity()  # type: ignore[assignment]
        self.pooled = pooled

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, H) of tokens (B, L)."""
        return F.normalize(self.pooled.embed(tokens), dim=-1)

    def merged(self) -> "SentenceEncoder":
        """The same with its low-rank additions worked into the weights."""
        self.pooled = self.pooled.merged()
        return self


def build_sentence_encoder(config: TransformerConfig, facts: TextEncoderFacts) -> SentenceEncoder:
    """The pretrained model of a config.

    Raises:
        UserError: The weights cannot be had, or the model cannot read so many tokens.
    """
    return SentenceEncoder(build_transformer_classifier(config, num_labels=1, facts=facts))
