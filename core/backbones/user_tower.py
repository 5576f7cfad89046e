"""What a history says about a user, at each of its places: attention by kind, recency and content, or a Transformer.

Shapes: B users, L events of a history with padding before them, D dimensions, K kinds.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.backbones.attention_block import AttentionBlock
from core.backbones.recommender_config import UserTowerConfig

MAX_LOG_DAYS = 8.0
HEADS = 2
STEADY = 6.0
"""Logit of the share of its weight that a liking keeps for ever, in the head that forgets nothing."""


class HistoryAttention(nn.Module):
    """A weighted sum of the items that a user had to do with, for each of two heads that stand in turns.

    An item counts by its kind of event, by how many likings came after it, and by a gate that looks at its vector and
    its age. At first the gate is open for all, the even dimensions forget the past and hear of what was disliked, and
    the odd ones do neither: the sequence and the taste of item_factors.

    Args:
        config: How fast the past is forgotten, at first.
        dimension: D.
        strengths: Of each kind of event, at first; below 0 = it says that the user does not want such things.
    """

    def __init__(self, config: UserTowerConfig, dimension: int, strengths: Sequence[float]) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.log_recent = nn.Parameter(torch.full((HEADS,), math.log(config.recent_events)))
        self.old = nn.Parameter(torch.tensor([math.log(config.old_share / (1 - config.old_share)), STEADY]))
        liked = [max(0.0, one) for one in strengths]
        kinds = []
        for disliked_share in (config.disliked_share, 0.0):
            disliked = [one * (disliked_share if one > 0 else config.dismissed_share) for one in strengths]
            kinds.append([0.0, *liked, *disliked])
        self.kind = nn.Parameter(torch.tensor(kinds))
        self.gate = nn.Linear(dimension + 1, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def forward(self, source_BLD: Tensor, kinds_BL: Tensor, ages_BL: Tensor, liked_BL: Tensor) -> Tensor:
        """What the events up to each place say, (B, L, D)."""
        counted_BL = liked_BL.to(source_BLD.dtype).cumsum(dim=1)
        later_BLL = (counted_BL[:, :, None] - counted_BL[:, None, :]).clamp(min=0)
        gates_BL = self._gates(source_BLD, ages_BL)
        if self.training:
            gates_BL = gates_BL * (torch.rand_like(gates_BL) >= self.dropout)
        length = kinds_BL.shape[1]
        causal_LL = torch.ones(length, length, device=source_BLD.device, dtype=source_BLD.dtype).tril()
        said = []
        for head in range(HEADS):
            strength_BL = self.kind[head][kinds_BL] * gates_BL
            weight_BLL = self._recency(later_BLL, head) * causal_LL * strength_BL[:, None, :]
            said.append(weight_BLL @ source_BLD[:, :, head::HEADS])
        return torch.stack(said, dim=-1).flatten(-2)

    def last(self, source_BLD: Tensor, kinds_BL: Tensor, ages_BL: Tensor, liked_BL: Tensor) -> Tensor:
        """What the whole history says, (B, D): the last place of `forward`, without the others."""
        later_BL = liked_BL.to(source_BLD.dtype).flip(1).cumsum(dim=1).flip(1) - liked_BL.to(source_BLD.dtype)
        gates_BL = self._gates(source_BLD, ages_BL)
        said = []
        for head in range(HEADS):
            weight_BL = self._recency(later_BL, head) * self.kind[head][kinds_BL] * gates_BL
            said.append((weight_BL[:, None, :] @ source_BLD[:, :, head::HEADS]).squeeze(1))
        return torch.stack(said, dim=-1).flatten(-2)

    def _recency(self, later: Tensor, head: int) -> Tensor:
        old = torch.sigmoid(self.old[head])
        recency: Tensor = old + (1 - old) * torch.exp(-later / self.log_recent[head].exp())
        return recency

    def _gates(self, source_BLD: Tensor, ages_BL: Tensor) -> Tensor:
        looked_at = torch.cat([source_BLD, ages_BL[:, :, None] / MAX_LOG_DAYS], dim=2)
        return 2 * torch.sigmoid(self.gate(looked_at)).squeeze(2)


class HistoryTransformer(nn.Module):
    """A causal Transformer over the history.

    Source: Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018 (SASRec); pre-normalised.

    Args:
        config: Layers, heads and dropout.
        dimension: D.
        num_kinds: K.
        max_history: L at most.
    """

    def __init__(self, config: UserTowerConfig, dimension: int, num_kinds: int, max_history: int) -> None:
        super().__init__()
        self.heads = config.heads
        self.scale = math.sqrt(dimension)
        self.kind = nn.Embedding(1 + 2 * num_kinds, dimension)
        self.place = nn.Embedding(max_history, dimension)
        self.age = nn.Linear(1, dimension)
        for table in (self.kind, self.place):
            nn.init.normal_(table.weight, std=0.02)
        self.dropout = nn.Dropout(config.dropout)
        layer = [AttentionBlock(dimension, config.heads, config.dropout) for _ in range(config.layers)]
        self.blocks = nn.ModuleList(layer)
        self.norm = nn.LayerNorm(dimension)

    def forward(self, source_BLD: Tensor, kinds_BL: Tensor, ages_BL: Tensor, liked_BL: Tensor) -> Tensor:
        """What the events up to each place say, (B, L, D)."""
        del liked_BL
        length = kinds_BL.shape[1]
        place_L = torch.arange(length - 1, -1, -1, device=kinds_BL.device).clamp(max=self.place.num_embeddings - 1)
        age_BLD = self.age(ages_BL[:, :, None] / MAX_LOG_DAYS)
        state = self.dropout(source_BLD * self.scale + self.kind(kinds_BL) + self.place(place_L) + age_BLD)
        there_BL = kinds_BL > 0
        causal_LL = torch.ones(length, length, dtype=torch.bool, device=kinds_BL.device).tril()
        # A place of padding looks at itself, so that no row of the softmax is empty.
        itself_LL = torch.eye(length, dtype=torch.bool, device=kinds_BL.device)
        mask = ((causal_LL & there_BL[:, None, :]) | itself_LL)[:, None]
        for block in self.blocks:
            state = block(state, mask)
        normed: Tensor = self.norm(state)
        return normed

    def last(self, source_BLD: Tensor, kinds_BL: Tensor, ages_BL: Tensor, liked_BL: Tensor) -> Tensor:
        """What the whole history says, (B, D)."""
        state: Tensor = self(source_BLD, kinds_BL, ages_BL, liked_BL)
        return state[:, -1]
