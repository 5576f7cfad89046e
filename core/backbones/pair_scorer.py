"""A pretrained cross-encoder: a query and a text, read together, to how well the text answers.

Shapes: B pairs, L tokens.
"""

import inspect
from typing import Any

from torch import Tensor, nn

from core.backbones.transformer import check_length
from core.backbones.transformer_files import TextEncoderFacts, load_pair_weights, load_text_encoder


class PairScorer(nn.Module):
    """Tokens of pairs to scores.

    Args:
        model: As `transformers` makes it, with one label.
        pad_id: The token that fills up short pairs.
    """

    def __init__(self, model: nn.Module, pad_id: int) -> None:
        super().__init__()
        self.model, self.pad_id = model, pad_id
        config: Any = model.config
        accepted = inspect.signature(model.forward).parameters
        self.reads_segments = "token_type_ids" in accepted and getattr(config, "type_vocab_size", 0) > 1

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """(B,) of tokens (B, L) and, for a model that reads them, segments (B, L)."""
        mask_BL = tokens != self.pad_id
        more = {} if segments is None else {"token_type_ids": segments.long()}
        found = self.model(input_ids=tokens.long(), attention_mask=mask_BL.long(), **more)
        scores_B: Tensor = found.logits.float()[:, 0]
        return scores_B


def build_pair_scorer(name: str, max_tokens: int) -> tuple[PairScorer, TextEncoderFacts]:
    """The pretrained model of a name, and its tokenizer.

    Raises:
        UserError: It cannot be had, is no cross-encoder, or cannot read so many tokens.
    """
    facts = load_text_encoder(name)
    model = load_pair_weights(name)
    check_length(name, max_tokens, model, facts.pad_id)
    return PairScorer(model.eval(), facts.pad_id), facts
