"""A pretrained Transformer that classifies texts: tokens in, logits out; the only door to peft.

Shapes: B batch, L tokens, H hidden size, K labels.
"""

import warnings
from typing import Any, Literal

import torch
from torch import Tensor, nn

from core.backbones.transformer_config import TransformerConfig
from core.backbones.transformer_files import TextEncoderFacts, build_encoder, load_encoder_weights
from core.errors import UserError


class TransformerClassifier(nn.Module):
    """Encoder, pooling, dropout, linear head. Padding is told by its token, so there is no second input.

    Args:
        backbone: As `transformers` makes it, perhaps with low-rank additions.
        hidden_size: H.
        num_labels: K.
        pad_id: The token that fills up short texts.
        pooling: Mean over the tokens, or the first one.
        dropout: Before the head.
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        hidden_size: int,
        num_labels: int,
        pad_id: int,
        pooling: Literal["mean", "cls"],
        dropout: float,
    ) -> None:
        super().__init__()
        self.backbone, self.pad_id, self.pooling = backbone, pad_id, pooling
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size, num_labels)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)
        frozen = [name for name, parameter in backbone.named_parameters() if not parameter.requires_grad]
        self.kept_frozen = frozenset(f"backbone.{name}" for name in frozen)
        """Parameters that no training thaws."""
        self.learns_backbone = len(frozen) < sum(1 for _ in backbone.parameters())

    def forward(self, tokens: Tensor) -> dict[str, Tensor]:
        """logits (B, K) and embedding (B, H) of tokens (B, L)."""
        embedding_BH = self.embed(tokens)
        return {"logits": self.classifier(self.dropout(embedding_BH)), "embedding": embedding_BH}

    def serve(self, tokens: Tensor) -> dict[str, Tensor]:
        """The same."""
        return self(tokens)  # type: ignore[no-any-return]

    def embed(self, tokens_BL: Tensor) -> Tensor:
        """The pooled text (B, H)."""
        # A text of padding alone must not divide by zero.
        first_L = torch.arange(tokens_BL.shape[1], device=tokens_BL.device) == 0
        mask_BL = (tokens_BL != self.pad_id) | first_L
        found = self.backbone(input_ids=tokens_BL.long(), attention_mask=mask_BL.long())
        hidden_BLH: Tensor = found.last_hidden_state.float()
        if self.pooling == "cls":
            return hidden_BLH[:, 0]
        weight_BL1 = mask_BL.unsqueeze(-1).to(hidden_BLH.dtype)
        return (hidden_BLH * weight_BL1).sum(1) / weight_BL1.sum(1)

    def train(self, mode: bool = True) -> "TransformerClassifier":
        """A backbone that does not learn has no use for dropout."""
        super().train(mode)
        self.backbone.train(mode and self.learns_backbone)
        return self

    def merged(self) -> "TransformerClassifier":
        """The same model with its low-rank additions worked into the weights, named as those of a plain one."""
        merge: Any = getattr(self.backbone, "merge_and_unload", None)
        if merge is not None:
            self.backbone = merge()
            self.kept_frozen = frozenset()
        return self


def build_transformer_classifier(
    config: TransformerConfig, num_labels: int, facts: TextEncoderFacts
) -> TransformerClassifier:
    """A pretrained encoder with a fresh head.

    Args:
        config: Model, tuning, pooling.
        num_labels: K.
        facts: Of the model, as `load_text_encoder` gives them.

    Raises:
        UserError: The weights cannot be had, or the model cannot read so many tokens.
    """
    backbone: Any = load_encoder_weights(config.name) if config.pretrained else build_encoder(facts)
    check_length(config.name, config.max_tokens, backbone, facts.pad_id)
    hidden_size = int(backbone.config.hidden_size)
    # Without pretrained weights nothing is worth keeping frozen: this is how a bundle's weights are read back.
    if config.pretrained and config.tuning == "lora":
        backbone = _with_lora(backbone, config)
    elif config.pretrained and config.tuning == "frozen":
        backbone.requires_grad_(False)
    return TransformerClassifier(
        backbone,
        hidden_size=hidden_size,
        num_labels=num_labels,
        pad_id=facts.pad_id,
        pooling=config.pooling,
        dropout=config.dropout,
    )


def _with_lora(backbone: nn.Module, config: TransformerConfig) -> nn.Module:
    """Low-rank additions to every linear layer; the weights themselves stay as they are.

    Source: Hu et al., LoRA, ICLR 2022.
    """
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=config.lora_rank, lora_alpha=config.lora_alpha, lora_dropout=config.dropout, target_modules="all-linear"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that is going away
        wrapped: nn.Module = get_peft_model(backbone, settings)
    return wrapped


def check_length(name: str, max_tokens: int, model: nn.Module, pad_id: int) -> None:
    """Raises UserError if a pretrained model cannot read so many tokens."""
    other_id = 1 if pad_id == 0 else 0
    try:
        with torch.no_grad():
            model.eval()(input_ids=torch.full((1, max_tokens), other_id))
    except (IndexError, RuntimeError) as error:
        raise UserError(
            f"{name} cannot read {max_tokens} tokens: {str(error).splitlines()[0][:200]}",
            "As many as it was trained with, 512 for most.",
            "Lower the number of tokens (max_tokens, or reranker_tokens of a cross-encoder).",
        ) from None
    finally:
        model.train()
