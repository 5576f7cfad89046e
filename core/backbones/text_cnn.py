"""TextCNN (Kim 2014) on words and their parts, with a wide part beside it: each logit is a sum of n-grams' shares.

A logit is bias + what each window of words adds through the filters that fired there + what each unit adds through
the wide part. Both are exact: a filter's maximum over time stands at one position, and the wide part is linear.

Shapes: B batch, L words, U units a word, V length of a word's vector, F filters of a width, W widths, R length of a
unit's wide vector, D features, M members, K labels.

Sources: Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014; Bojanowski et al., Enriching
Word Vectors with Subword Information, TACL 2017; Cheng et al., Wide & Deep Learning, DLRS 2016.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.backbones.text_cnn_config import TextCnnConfig
from core.data.vocabulary_config import Vocabulary

FIRST_SCALE = 0.1
"""Spread of fresh unit vectors."""


class TextEmbedding(nn.Module):
    """A word's vector: the mean over itself and its parts, as far as they are known.

    Args:
        vocabulary: Tells which ids are words and parts, and where phrases stand among a word's units.
        vector_size: V.
        dropout: Of the numbers in a vector.
        unit_dropout: Share of units left out in training.
    """

    def __init__(self, vocabulary: Vocabulary, vector_size: int, dropout: float, unit_dropout: float) -> None:
        super().__init__()
        self.first_part = vocabulary.config.max_phrase
        self.unit_dropout = unit_dropout
        self.table = build_table(vocabulary.num_vector_units, vector_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, units_BLU: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, L, V) and which places hold a word (B, L), of ids of units."""
        ids_BLU = torch.cat([units_BLU[:, :, :1], units_BLU[:, :, self.first_part :]], dim=2)
        ids_BLU = drop(ids_BLU, self.unit_dropout, self.training)
        batch, length, _ = ids_BLU.shape
        sums_NV = sum_rows(self.table, ids_BLU.flatten(0, 1), None)
        count_BL1 = (ids_BLU > 0).sum(dim=2, keepdim=True).clamp(min=1)
        vectors_BLV = sums_NV.view(batch, length, -1) / count_BL1
        return self.dropout(vectors_BLV), (units_BLU > 0).any(dim=2)


class Filters(nn.Module):
    """Convolutions of several widths over words, ReLU, and max over time."""

    def __init__(self, vector_size: int, filters: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.convolutions = nn.ModuleList(nn.Conv1d(vector_size, filters, width) for width in widths)

    def forward(self, vectors_BLV: Tensor, mask_BL: Tensor) -> list[Tensor]:
        """What each filter says at each place, (B, F, L) a width.

        The window of place i begins (width - 1) // 2 words before it; padding beyond the last word says 0, so
        that a text's features do not depend on the length of its batch.
        """
        vectors_BVL = vectors_BLV.transpose(1, 2)
        maps = []
        for width, convolution in zip(self.widths, self.convolutions, strict=True):
            padded = F.pad(vectors_BVL, ((width - 1) // 2, width // 2))
            maps.append(F.relu(convolution(padded)) * mask_BL[:, None, :])
        return maps


class Wide(nn.Module):
    """A bag of all units of a text, weighted by how rare they are, of length 1 as in TF-IDF."""

    rarity: Tensor

    def __init__(self, vocabulary: Vocabulary, size: int, unit_dropout: float) -> None:
        super().__init__()
        self.unit_dropout = unit_dropout
        self.table = build_table(vocabulary.num_units, size)
        self.register_buffer("rarity", torch.tensor((0.0, *vocabulary.rarity)), persistent=False)

    def forward(self, units_BLU: Tensor) -> Tensor:
        """Features (B, R)."""
        ids_BN = drop(units_BLU.flatten(1), self.unit_dropout, self.training)
        return sum_rows(self.table, ids_BN, self.weights(ids_BN))

    def weights(self, ids_BN: Tensor) -> Tensor:
        """How much each unit counts."""
        weights_BN = self.rarity[ids_BN]
        return weights_BN / weights_BN.square().sum(dim=1, keepdim=True).sqrt().clamp(min=1e-6)


class Member(nn.Module):
    """One network: filters and wide part beside each other, and a linear layer over both."""

    def __init__(self, config: TextCnnConfig, vocabulary: Vocabulary, num_labels: int) -> None:
        super().__init__()
        self.word_dropout = config.word_dropout
        self.embedding = TextEmbedding(vocabulary, config.vector_size, config.vector_dropout, config.unit_dropout)
        self.filters = Filters(config.vector_size, config.filters, config.widths)
        self.wide = Wide(vocabulary, config.wide_size, config.unit_dropout) if config.wide_size else None
        self.dropout = nn.Dropout(config.dropout)
        self.num_deep = config.filters * len(config.widths)
        self.label = nn.Linear(self.num_deep + config.wide_size, num_labels)

    def forward(self, units_BLU: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, K) and features (B, D)."""
        if self.training and self.word_dropout:
            units_BLU = units_BLU * (torch.rand_like(units_BLU[:, :, :1], dtype=torch.float32) >= self.word_dropout)
        features_BD = self._features(units_BLU, self._maps(units_BLU))
        return self.label(self.dropout(features_BD)), features_BD

    def _maps(self, units_BLU: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.filters(*self.embedding(units_BLU))
        return maps

    def _features(self, units_BLU: Tensor, maps: Sequence[Tensor]) -> Tensor:
        features = [map_BFL.amax(dim=2) for map_BFL in maps]
        if self.wide is not None:
            features.append(self.wide(units_BLU))
        return torch.cat(features, dim=1)

    def explained(self, units_BLU: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Logits, features, and the feature maps for `contributions`."""
        maps = self._maps(units_BLU)
        features_BD = self._features(units_BLU, maps)
        return self.label(features_BD), features_BD, maps

    def contributions(self, units_BLU: Tensor, maps: Sequence[Tensor], label_B: Tensor) -> Tensor:
        """What units and windows add to the logit of a label, (B, L, U + W); with the bias they sum to it."""
        weight_BD = self.label.weight[label_B]
        units_BLU1 = self._unit_shares(units_BLU, weight_BD[:, self.num_deep :])
        per_width = weight_BD[:, : self.num_deep].chunk(len(maps), dim=1)
        windows = [window_shares(map_BFL, weight_BF) for map_BFL, weight_BF in zip(maps, per_width, strict=True)]
        return torch.cat([units_BLU1, torch.stack(windows, dim=2)], dim=2)

    def _unit_shares(self, units_BLU: Tensor, weight_BR: Tensor) -> Tensor:
        if self.wide is None:
            return torch.zeros_like(units_BLU, dtype=weight_BR.dtype)
        ids_BN = units_BLU.flatten(1)
        said_BN = (F.embedding(ids_BN, self.wide.table) * weight_BR[:, None, :]).sum(dim=2)
        return (said_BN * self.wide.weights(ids_BN)).view_as(units_BLU)


class TextCNN(nn.Module):
    """Which label a text has, and which n-grams say so.

    Args:
        config: Sizes and dropout.
        vocabulary: Learnt from the training texts.
        num_labels: K.
    """

    def __init__(self, config: TextCnnConfig, vocabulary: Vocabulary, num_labels: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(Member(config, vocabulary, num_labels) for _ in range(config.members))

    def start_from(self, vectors: npt.NDArray[np.float32]) -> None:
        """Gives each word of the vocabulary, in its order, a vector from elsewhere, of mean square 1.

        These are large beside fresh ones: training moves them little, so that words that no training text holds
        stay in the same space as the others.
        """
        with torch.no_grad():
            for member in self.members:
                _member(member).embedding.table[1 : 1 + len(vectors)] = torch.from_numpy(vectors)

    @property
    def bias(self) -> Tensor:
        """(K,) what a label's logit is before anything is read."""
        return torch.stack([_member(member).label.bias for member in self.members]).mean(dim=0)

    def forward(self, units: Tensor) -> dict[str, Tensor]:
        """logits (B, K), embedding (B, D) of all members, and member_logits (B, M, K) for the loss of each."""
        said = [member(units.long()) for member in self.members]
        member_logits_BMK = torch.stack([logits for logits, _ in said], dim=1)
        return {
            "logits": member_logits_BMK.mean(dim=1),
            "embedding": torch.cat([features for _, features in said], dim=1),
            "member_logits": member_logits_BMK,
        }

    def serve(self, units: Tensor) -> dict[str, Tensor]:
        """logits, embedding, and contributions (B, L, U + W) to the most probable label.

        contributions[b, i, u] is what unit u of word i adds; contributions[b, i, U + w] what the window of width
        number w at word i adds. Their sum and the label's bias are its logit.
        """
        ids_BLU = units.long()
        said = [_member(member).explained(ids_BLU) for member in self.members]
        logits_BK = torch.stack([logits for logits, _, _ in said]).mean(dim=0)
        label_B = logits_BK.argmax(dim=1)
        shares = [
            _member(member).contributions(ids_BLU, maps, label_B)
            for member, (_, _, maps) in zip(self.members, said, strict=True)
        ]
        return {
            "logits": logits_BK,
            "embedding": torch.cat([features for _, features, _ in said], dim=1),
            "contributions": torch.stack(shares).mean(dim=0),
        }


def build_table(rows: int, size: int) -> nn.Parameter:
    """Fresh vectors of units; that of id 0, none, is and stays zero."""
    table = torch.randn(rows, size) * FIRST_SCALE
    table[0] = 0
    return nn.Parameter(table)


def sum_rows(table: Tensor, ids_NU: Tensor, weights_NU: Tensor | None) -> Tensor:
    """(N, size) sums of a table's rows; id 0 adds nothing."""
    if not torch.compiler.is_exporting():
        # The rows are never laid out side by side: training a step takes half the time.
        return F.embedding_bag(ids_NU, table, per_sample_weights=weights_NU, mode="sum", padding_idx=0)
    rows = F.embedding(ids_NU, table)
    return (rows if weights_NU is None else rows * weights_NU[..., None]).sum(dim=1)


def drop(ids: Tensor, share: float, is_training: bool) -> Tensor:
    """Ids, of which a share becomes 0 in training."""
    if not is_training or not share:
        return ids
    return ids * (torch.rand(ids.shape, device=ids.device) >= share)


def window_shares(map_BFL: Tensor, weight_BF: Tensor) -> Tensor:
    """(B, L) what the filters of one width add, each at the place where it fired the most, the first of several."""
    place_L = torch.arange(map_BFL.shape[2], device=map_BFL.device)
    fired_BFL = map_BFL.argmax(dim=2, keepdim=True) == place_L
    return (map_BFL * fired_BFL * weight_BF[:, :, None]).sum(dim=1)


def _member(module: nn.Module) -> Member:
    assert isinstance(module, Member)
    return module
