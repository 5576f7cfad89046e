"""LSTM or GRU over the words of a text, in both directions, pooled to one vector.

Padding changes nothing: the backward direction reads each text from its own last word, so that packed sequences,
which do not export, are not needed.

Shapes: B batch, L words, U units a word, V length of a word's vector, H state of a direction, D features, K labels.
"""

import torch
from torch import Tensor, nn

from core.backbones.sequence_config import SequenceConfig
from core.backbones.text_cnn import TextEmbedding
from core.data.vocabulary_config import Vocabulary


class Layer(nn.Module):
    """One layer in both directions."""

    def __init__(self, kind: str, input_size: int, hidden_size: int) -> None:
        super().__init__()
        cell = nn.LSTM if kind == "lstm" else nn.GRU
        self.onward = cell(input_size, hidden_size, batch_first=True)
        self.inward = cell(input_size, hidden_size, batch_first=True)

    def forward(self, vectors_BLV: Tensor, mirror_BL: Tensor) -> Tensor:
        """States (B, L, 2 H)."""
        if torch.compiler.is_exporting():
            _forget_fixed_lengths()
        onward_BLH, _ = self.onward(vectors_BLV)
        mirrored_BLH, _ = self.inward(_mirrored(vectors_BLV, mirror_BL))
        return torch.cat([onward_BLH, _mirrored(mirrored_BLH, mirror_BL)], dim=2)


class MaxMeanPooling(nn.Module):
    """Maximum and mean over the words, side by side."""

    def forward(self, states_BLD: Tensor, mask_BL: Tensor) -> Tensor:
        mask_BL1 = mask_BL.unsqueeze(2)
        # Below what any state can say, so that a text without words gives a number too.
        highest_BD = states_BLD.masked_fill(~mask_BL1, -1.0).amax(dim=1)
        mean_BD = (states_BLD * mask_BL1).sum(dim=1) / mask_BL1.sum(dim=1).clamp(min=1)
        return torch.cat([highest_BD, mean_BD], dim=1)


class AttentionPooling(nn.Module):
    """Mean weighted by how much each word matters.

    Source: Yang et al., Hierarchical Attention Networks for Document Classification, NAACL 2016.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(size, size)
        self.score = nn.Linear(size, 1, bias=False)

    def forward(self, states_BLD: Tensor, mask_BL: Tensor) -> Tensor:
        score_BL = self.score(torch.tanh(self.hidden(states_BLD))).squeeze(2).float()
        weight_BL = torch.softmax(score_BL.masked_fill(~mask_BL, -1e4), dim=1) * mask_BL
        return (states_BLD * weight_BL.unsqueeze(2)).sum(dim=1)


class SequenceClassifier(nn.Module):
    """Which label a text has, by a recurrent network.

    Args:
        config: Kind, sizes, pooling.
        vocabulary: Learnt from the training texts.
        num_labels: K.
    """

    def __init__(self, config: SequenceConfig, vocabulary: Vocabulary, num_labels: int) -> None:
        super().__init__()
        width = 2 * config.hidden_size
        self.embedding = TextEmbedding(vocabulary, config.vector_size, config.vector_dropout, config.unit_dropout)
        sizes = [config.vector_size, *[width] * (config.layers - 1)]
        self.layers = nn.ModuleList(Layer(config.kind, size, config.hidden_size) for size in sizes)
        is_attention = config.pooling == "attention"
        self.pooling = AttentionPooling(width) if is_attention else MaxMeanPooling()
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(width if is_attention else 2 * width, num_labels)

    def forward(self, units: Tensor) -> dict[str, Tensor]:
        """logits (B, K) and embedding (B, D) of ids of units (B, L, U)."""
        states_BLV, mask_BL = self.embedding(units.long())
        mirror_BL = _mirror(mask_BL)
        for number, layer in enumerate(self.layers):
            states_BLV = layer(states_BLV if number == 0 else self.dropout(states_BLV), mirror_BL)
        embedding_BD = self.pooling(states_BLV, mask_BL)
        return {"logits": self.classifier(self.dropout(embedding_BD)), "embedding": embedding_BD}

    def serve(self, units: Tensor) -> dict[str, Tensor]:
        """The same."""
        return self(units)  # type: ignore[no-any-return]


def _forget_fixed_lengths() -> None:
    """Lets a second export in one process have a free length too.

    The exporter exchanges these operators' implementation for one whose length is free, but what was looked up
    during an export before is still remembered, and that one fixes the length.
    """
    for operator in (torch.ops.aten.lstm.input, torch.ops.aten.gru.input):
        operator._dispatch_cache.clear()


def _mirror(mask_BL: Tensor) -> Tensor:
    """Where each place lies when a text is read from its last known word; padding stays where it is."""
    place_L = torch.arange(mask_BL.shape[1], device=mask_BL.device)
    length_B1 = (mask_BL * (place_L + 1)).amax(dim=1, keepdim=True)
    return torch.where(place_L < length_B1, length_B1 - 1 - place_L, place_L)


def _mirrored(values_BLV: Tensor, mirror_BL: Tensor) -> Tensor:
    return values_BLV.gather(1, mirror_BL.unsqueeze(2).expand(-1, -1, values_BLV.shape[2]))
