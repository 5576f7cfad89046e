"""One layer of a Transformer, pre-normalised.

Shapes: B sequences, L places, D dimensions.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class AttentionBlock(nn.Module):
    """Self-attention and a layer of four times the width, each added to what came in.

    Args:
        dimension: D.
        heads: Of the attention.
        dropout: Of what is added, and of the attention.
    """

    def __init__(self, dimension: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.share = heads, dropout
        self.before_attention, self.before_layer = nn.LayerNorm(dimension), nn.LayerNorm(dimension)
        self.queries_keys_values = nn.Linear(dimension, 3 * dimension)
        self.mixed = nn.Linear(dimension, dimension)
        self.layer = nn.Sequential(nn.Linear(dimension, 4 * dimension), nn.GELU(), nn.Linear(4 * dimension, dimension))
        self.dropout = nn.Dropout(dropout)

    def forward(self, state_BLD: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D); `mask` tells what each place looks at, (B, 1, L, L) or such as broadcasts to it."""
        batch, length, dimension = state_BLD.shape
        parts = self.queries_keys_values(self.before_attention(state_BLD))
        query, key, value = parts.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        share = self.share if self.training else 0.0
        looked = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=share)
        state_BLD = state_BLD + self.dropout(self.mixed(looked.transpose(1, 2).reshape(batch, length, dimension)))
        changed: Tensor = state_BLD + self.dropout(self.layer(self.before_layer(state_BLD)))
        return changed
