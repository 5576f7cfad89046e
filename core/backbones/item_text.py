"""Title, tags and description of an item as numbers: a TextCNN over all words, and a bag of all units beside it.

Every number is a sum of n-grams' shares, as in text_cnn: a filter's maximum stands at one place, and the bag is linear.
A Transformer can take the place of the TextCNN.

Shapes: n items, W words, U units a word, F fields, R numbers that come out.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.backbones.attention_block import AttentionBlock
from core.backbones.recommender_config import ItemTextConfig
from core.backbones.text_cnn import Filters, TextEmbedding, build_table, drop, sum_rows, window_shares
from core.data.vocabulary_config import Vocabulary

NUM_FIELDS = 3


class ItemText(nn.Module):
    """What the texts of an item say.

    Args:
        config: Sizes; the words of each field stand side by side.
        vocabulary: Learnt from the texts of the items.
        size: R.
    """

    rarity: Tensor
    field_W: Tensor

    def __init__(self, config: ItemTextConfig, vocabulary: Vocabulary, size: int) -> None:
        super().__init__()
        self.embedding = TextEmbedding(vocabulary, config.vector_size, 0.0, 0.0)
        self.first_part = 1 + len(vocabulary.words)
        self.reader: Filters | WordAttention
        if config.kind == "cnn":
            self.reader, read = (
                Filters(config.vector_size, config.filters, config.widths),
                len(config.widths) * config.filters,
            )
        else:
            self.reader, read = WordAttention(config), config.vector_size
        self.dropout, self.unit_dropout = nn.Dropout(config.dropout), config.unit_dropout
        self.deep = nn.Linear(read, size)
        self.bag = build_table(vocabulary.num_units, size)
        self.lengths = nn.Linear(NUM_FIELDS, size, bias=False)
        for start in (self.deep.weight, self.deep.bias, self.bag, self.lengths.weight):
            nn.init.zeros_(start)
        words = (config.title_words, config.tag_words, config.description_words)
        field_W = torch.repeat_interleave(torch.arange(NUM_FIELDS), torch.tensor(words))
        self.fields = nn.Embedding(NUM_FIELDS, config.vector_size)
        self.shares = nn.Parameter(torch.tensor(config.field_shares).sqrt())
        self.register_buffer("field_W", field_W, persistent=False)
        self.register_buffer("rarity", torch.tensor((0.0, *vocabulary.rarity)), persistent=False)

    def forward(self, units_nWU: Tensor) -> Tensor:
        """(n, R)."""
        units_nWU = drop(units_nWU, self.unit_dropout, self.training)
        if isinstance(self.reader, WordAttention):
            features = self.reader(*self._words(units_nWU))
        else:
            features = torch.cat([map_nFW.amax(dim=2) for map_nFW in self.reader(*self._words(units_nWU))], dim=1)
        said_nR = self.deep(self.dropout(features)) + self.lengths(self.log_lengths(units_nWU))
        bag_nR = sum_rows(self.bag, units_nWU.flatten(1), self.weights(units_nWU).flatten(1))
        said: Tensor = said_nR + bag_nR
        return said

    def weights(self, units_nWU: Tensor) -> Tensor:
        """How much each unit counts in the bag, (n, W, U): a field's units have length 1 together, times its share.

        Parts of words count in titles alone, which are short and full of names and years.
        """
        is_counted = (units_nWU < self.first_part) | (self.field_W == 0)[:, None]
        rare_nWU = self.rarity[units_nWU] * is_counted
        square_nW = rare_nWU.square().sum(dim=2)
        member_WF = nn.functional.one_hot(self.field_W, NUM_FIELDS).to(rare_nWU.dtype)
        length_nF = (square_nW @ member_WF).sqrt().clamp(min=1e-6)
        return rare_nWU * ((self.shares / length_nF) @ member_WF.T)[:, :, None]

    def log_lengths(self, units_nWU: Tensor) -> Tensor:
        """ln(1 + words) of each field, (n, F): how much is told of an item tells how known it is."""
        member_WF = nn.functional.one_hot(self.field_W, NUM_FIELDS).to(self.rarity.dtype)
        return torch.log1p((units_nWU > 0).any(dim=2).to(member_WF.dtype) @ member_WF)

    def contributions(self, units_nWU: Tensor, wanted_nR: Tensor) -> Tensor:
        """What units and windows add to the sum of the numbers times `wanted`, (n, W, U + widths), exactly.

        What is not told by words (the lengths of fields, the bias) is not among them, nor what a Transformer adds: then
        there are no windows, (n, W, U).
        """
        rows_nPR = nn.functional.embedding(units_nWU.flatten(1), self.bag)
        said_nWU = torch.matmul(rows_nPR, wanted_nR[:, :, None]).view(units_nWU.shape)
        units = said_nWU * self.weights(units_nWU)
        if isinstance(self.reader, WordAttention):
            return units
        weight_nD = wanted_nR @ self.deep.weight
        maps = self.reader(*self._words(units_nWU))
        per_width: Sequence[Tensor] = weight_nD.chunk(len(maps), dim=1)
        windows = [window_shares(found, weight) for found, weight in zip(maps, per_width, strict=True)]
        return torch.cat([units, torch.stack(windows, dim=2)], dim=2)

    def _words(self, units_nWU: Tensor) -> tuple[Tensor, Tensor]:
        """A vector for each word, which tells its field too, and where there is a word."""
        vectors, mask = self.embedding(units_nWU)
        return vectors + self.fields(self.field_W), mask


class WordAttention(nn.Module):
    """A Transformer over the words of an item: the mean of what its places say.

    Args:
        config: Layers, heads and sizes.
    """

    def __init__(self, config: ItemTextConfig) -> None:
        super().__init__()
        words = config.title_words + config.tag_words + config.description_words
        self.place = nn.Embedding(words, config.vector_size)
        nn.init.normal_(self.place.weight, std=0.02)
        blocks = [AttentionBlock(config.vector_size, config.heads, config.dropout) for _ in range(config.layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(config.vector_size)

    def forward(self, vectors_nWV: Tensor, mask_nW: Tensor) -> Tensor:
        """(n, V); zeros where there is no word."""
        state = vectors_nWV + self.place.weight
        # A place without a word looks at itself, so that no row of the softmax is empty.
        itself_WW = torch.eye(mask_nW.shape[1], dtype=torch.bool, device=mask_nW.device)
        looked = (mask_nW[:, None, :] | itself_WW)[:, None]
        for block in self.blocks:
            state = block(state, looked)
        there = mask_nW[:, :, None].to(state.dtype)
        said: Tensor = (self.norm(state) * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)
        return said
