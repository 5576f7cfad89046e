"""A bag of hashed units becomes a unit vector: at first about TF-IDF, and better with every pair it learns from.

Shapes: B texts, U units a text, D dimensions.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.backbones.text_bag_config import TextBagConfig

IMPORTANCE_RATE = 3.0
"""How much faster a unit's importance learns than its vector: it is one number, met in few texts."""
MIXING_RATE = 0.1
"""How much slower the map learns than the vectors: it turns all of them at once."""


class TextBag(nn.Module):
    """Sum of the units' vectors, each times its importance, through one linear map, to length 1.

    Vectors are random at first, and so nearly orthogonal; importance is rarity. The cosine of two texts is then that
    of their TF-IDF bags, give or take 1 / sqrt(D). A unit that no training text holds keeps its random vector, so
    entries that are added later are found by their words.

    Args:
        config: Sizes.
        rarity: Of each unit, (buckets + 1,).
        seed: Of the random vectors.

    Source: Johnson and Lindenstrauss 1984 for the random vectors; Weinberger et al., Feature Hashing for Large Scale
        Multitask Learning, ICML 2009.
    """

    def __init__(self, config: TextBagConfig, rarity: npt.NDArray[np.float32], seed: int = 0) -> None:
        super().__init__()
        size, dimension = config.units.buckets + 1, config.dimension
        assert rarity.shape == (size,), (rarity.shape, size)
        generator = torch.Generator().manual_seed(seed)
        self.table = nn.Parameter(torch.randn(size, dimension, generator=generator) / math.sqrt(dimension))
        self.log_importance = nn.Parameter(torch.from_numpy(rarity).clamp_min(1e-3).log() / IMPORTANCE_RATE)
        self.mixing = nn.Parameter(torch.zeros(dimension, dimension))
        self.dropout = config.dropout

    def forward(self, ids: Tensor, weights: Tensor) -> Tensor:
        """Unit vectors (B, D) of ids and weights (B, U); a text without units gives zeros."""
        ids = ids.long()  # which ONNX Runtime wants
        weight_BU = F.dropout(weights * (IMPORTANCE_RATE * self.log_importance[ids]).exp(), self.dropout, self.training)
        if torch.compiler.is_exporting():
            sum_BD = (weight_BU.unsqueeze(1) @ self.table[ids]).squeeze(1)
        else:  # the same, without a copy of the vector of each unit
            sum_BD = F.embedding_bag(ids, self.table, per_sample_weights=weight_BU, mode="sum", padding_idx=0)
        return F.normalize(sum_BD + MIXING_RATE * (sum_BD @ self.mixing), dim=-1)
