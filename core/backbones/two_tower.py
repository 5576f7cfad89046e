"""Items and users as vectors whose dot product is the score: what is trained, and the two graphs that are served.

An item has two vectors: `source`, what having to do with it says of a user, and `target` with a bias, which users it
suits. Those of a known item belong to its id; those of a new one are told by its text. In training some known items
are drawn, and stand with what their text tells, so that the text learns to stand for the behaviour. Of a user of whom
little is known, texts of known items speak beside their ids: see `share_texts`.

Shapes: B users, L events, D dimensions, S of them that texts tell, N items of the catalogue, n of some, W words,
U units a word, T targets. The row of an item has D of its source, S of what its text says beside, D of its target, and
its bias.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.backbones.item_factors import ItemFactors
from core.backbones.item_text import ItemText
from core.backbones.picture_encoder import PictureEncoder
from core.backbones.recommender_config import RecommenderModelConfig
from core.backbones.user_tower import HistoryAttention, HistoryTransformer
from core.data.vocabulary_config import Vocabulary

FULL_UP_TO = 50_000
RANDOM_SPREAD = 0.05
CHUNK = 2048
SPREAD = 2.0
"""How far what texts tell of those who like an item is spread from its mean. Lists that start from one item told by its
text were then most like those of its id, on MovieLens and the sample, and least like each other."""
COUNTED_UP_TO = 10
"""Ranks of so few targets are faster to count than to sort all scores for."""


class TwoTower(nn.Module):
    """Which items suit a user next.

    Args:
        config: Sizes and choices.
        vocabulary: Of the texts of the items.
        num_items: N.
        strengths: Of each kind of event, at first.
        max_history: Events of a history at most.
    """

    units: Tensor
    pictures: Tensor
    known: Tensor
    touched: Tensor
    trained_text: Tensor
    log_chance: Tensor
    source_spread: Tensor
    source_move: Tensor
    text_share: Tensor
    text_fades: Tensor

    def __init__(
        self,
        config: RecommenderModelConfig,
        vocabulary: Vocabulary,
        num_items: int,
        strengths: Sequence[float],
        max_history: int,
    ) -> None:
        super().__init__()
        self.config, self.dimension = config, config.dimension
        self.told_dimension = min(config.dimension, config.text.dimension)
        self.text = ItemText(config.text, vocabulary, 2 * self.told_dimension + 1)
        self.eye = PictureEncoder(config.picture) if config.picture.enabled else None
        seen = self.eye.size if self.eye else 0
        self.picture = nn.Linear(seen, 2 * self.told_dimension + 1, bias=False) if seen else None
        if self.picture:
            nn.init.zeros_(self.picture.weight)
        self.ids = nn.Parameter(torch.randn(num_items + 1, 2 * config.dimension + 1) * RANDOM_SPREAD)
        with torch.no_grad():
            self.ids[0] = 0
            self.ids[:, -1] = 0
        is_learnt = config.learn_ids or not config.start.enabled
        self.ids.requires_grad_(is_learnt)
        if config.user.kind == "attention":
            self.user: nn.Module = HistoryAttention(config.user, config.dimension, strengths)
        else:
            self.user = HistoryTransformer(config.user, config.dimension, len(strengths), max_history)
        self.user.requires_grad_(is_learnt or config.user.kind == "transformer")
        words = config.text.title_words + config.text.tag_words + config.text.description_words
        units = torch.zeros(num_items + 1, words, vocabulary.units_per_word, dtype=torch.int32)
        # What the catalogue tells is in the catalogue: see `start`.
        self.register_buffer("units", units, persistent=False)
        self.register_buffer("pictures", torch.zeros(num_items + 1, seen), persistent=False)
        self.register_buffer("trained_text", torch.zeros(num_items + 1, dtype=torch.bool))
        self.register_buffer("known", torch.zeros(num_items + 1, dtype=torch.bool))
        self.register_buffer("touched", torch.zeros(num_items + 1, dtype=torch.bool))
        self.register_buffer("log_chance", torch.zeros(num_items + 1))
        self.register_buffer("source_spread", torch.ones(()))
        self.register_buffer("source_move", torch.zeros(self.told_dimension))
        self.register_buffer("text_share", torch.zeros(()))
        self.register_buffer("text_fades", torch.ones(()))
        self._read_once: tuple[Tensor, Tensor] | None = None
        self.is_full = config.softmax == "full" or (config.softmax == "auto" and num_items <= FULL_UP_TO)

    def start(
        self,
        units: npt.NDArray[np.int32],
        counts: npt.NDArray[np.int64],
        touched: npt.NDArray[np.bool_],
        held_out: npt.NDArray[np.int64],
    ) -> None:
        """Takes what the training split tells of the items.

        Args:
            units: Of the texts of all items, (N, W, U).
            counts: Likings of each item (N,).
            touched: Whether anybody had to do with it at all (N,); if not it is a new one, told by its text.
            held_out: Rows whose texts are not trained on.
        """
        with torch.no_grad():
            self.units[1:] = torch.from_numpy(units)
            self.known[1:] = torch.from_numpy(counts > 0)
            self.touched[1:] = torch.from_numpy(touched)
            self.trained_text.copy_(self.known)
            self.trained_text[torch.from_numpy(held_out) + 1] = False
            share = torch.from_numpy(counts / max(1, counts.sum())).float()
            self.log_chance[1:] = share.clamp(min=1e-9).log()

    def begin_at(self, factors: ItemFactors) -> None:
        """Vectors of ids in closed form."""
        with torch.no_grad():
            self.ids[1:, : self.dimension] = torch.from_numpy(factors.source)
            self.ids[1:, self.dimension : -1] = torch.from_numpy(factors.target)

    # ---- training --------------------------------------------------------------------------------

    def forward(
        self, items: Tensor, kinds: Tensor, ages: Tensor, liked: Tensor, seen: Tensor, targets: Tensor
    ) -> dict[str, Tensor]:
        """In training what the loss is made of; in evaluation `ranks` and `new_ranks` (B, T) of the targets.

        Args:
            items: Numbers (B, L), 0 = padding.
            kinds: (B, L), 0 = padding.
            ages: ln(1 + days) before the newest event (B, L).
            liked: (B, L).
            seen: Numbers that are not ranked (B, S); evaluation only.
            targets: Numbers (B, T), 0 = none; evaluation only.
        """
        if not self.training:
            return self._ranked(items, kinds, ages, liked, seen, targets)
        candidates = self._candidates(items)
        drawn = self._drawn(candidates)
        table = self.ids.clone() if self.ids.requires_grad else self.ids.detach().clone()
        told = self.read(self.units[drawn], self.pictures[drawn])
        table = table.index_put((drawn,), told)
        history = table[items.long()]
        user = self.user(history[..., : self.dimension], kinds.long(), ages, liked)
        compared = table if self.is_full else table[candidates]
        return {
            "user": user,
            "compared": compared[:, self.dimension :],
            "numbers": candidates,
            "log_chance": torch.zeros_like(candidates, dtype=torch.float32)
            if self.is_full
            else self._chances(candidates),
            "allowed": self.known[candidates],
            "told": told,
            "meant": self.ids[drawn].detach(),
        }

    def _candidates(self, items: Tensor) -> Tensor:
        """Numbers that a liked item is told from."""
        if self.is_full:
            return torch.arange(len(self.ids), device=items.device)
        known = self.known.nonzero().squeeze(1)
        extra = known[torch.randint(len(known), (self.config.drawn_items,), device=items.device)]
        found: Tensor = torch.unique(torch.cat([items.flatten().long(), extra, items.new_zeros(1).long()]))
        return found

    def _chances(self, candidates: Tensor) -> Tensor:
        """ln of how often an item is expected among the candidates, up to a constant: it is taken off its score.

        Source: Yi et al., Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations, RecSys 2019.
        """
        uniform = self.config.drawn_items / max(1, int(self.known.sum()))
        expected: Tensor = self.log_chance[candidates].exp() * len(candidates) + uniform
        return torch.log(expected)

    def _drawn(self, candidates: Tensor) -> Tensor:
        """Numbers of some candidates whose text may be learnt from."""
        possible = candidates[self.trained_text[candidates]]
        order = torch.randperm(len(possible), device=possible.device)
        drawn: Tensor = possible[order[: self.config.text.trained_items]]
        return drawn

    # ---- evaluation ------------------------------------------------------------------------------

    def _ranked(
        self, items: Tensor, kinds: Tensor, ages: Tensor, liked: Tensor, seen: Tensor, targets: Tensor
    ) -> dict[str, Tensor]:
        """Ranks among all items that are not seen, and of items with held-out texts among themselves, told by these."""
        if self._read_once is None:
            held_out = (self.known & ~self.trained_text).nonzero().squeeze(1)
            self._read_once = self.vectors(), self.told(held_out)
        table, told = self._read_once
        user = self.serve(table[items.long()], kinds, ages, liked)["user"]
        scores = user @ self.targets(table).T
        scores = scores.scatter(1, seen.long(), -torch.inf)
        scores[:, 0] = -torch.inf
        return {
            "ranks": ranks_of(scores, targets),
            "new_ranks": self._new_ranks(user, told, targets),
            "target_loss": (torch.logsumexp(scores, dim=1, keepdim=True) - scores.gather(1, targets.long())),
        }

    def _new_ranks(self, user: Tensor, told: Tensor, targets: Tensor) -> Tensor:
        """Ranks among items with held-out texts, which these texts tell; -1 = of a target that is none of them."""
        if not len(told):
            return torch.full(targets.shape, -1.0)
        is_held_out = self.known & ~self.trained_text
        place = torch.where(is_held_out, is_held_out.cumsum(0) - 1, -1)
        scores = user @ told[:, self.dimension :].T
        places = place[targets.long()]
        ranks = ranks_of(F.pad(scores, (1, 0), value=-torch.inf), places + 1)
        return torch.where(places >= 0, ranks, torch.full_like(ranks, -1))

    def train(self, mode: bool = True) -> "TwoTower":
        """What was read for one evaluation is forgotten before the next: weights change in between."""
        self._read_once = None
        return super().train(mode)

    def told(self, numbers: Tensor) -> Tensor:
        """What texts tell, (n, 2 D + 1), some at a time."""
        some = (numbers[at : at + CHUNK] for at in range(0, len(numbers), CHUNK))
        parts = [self.read(self.units[part], self.pictures[part]) for part in some]
        return torch.cat(parts) if parts else self.ids[numbers]

    def read(self, units: Tensor, pictures: Tensor) -> Tensor:
        """Vectors that texts and pictures tell, (n, 2 D + 1); zeros where they tell nothing."""
        said = self.text(units.long())
        if self.picture is not None:
            said = said + self.picture(self._some(pictures))
        source, target, bias = said.split((self.told_dimension, self.told_dimension, 1), dim=1)
        rest = (0, self.dimension - self.told_dimension)
        if not self.training:
            source = self.source_spread * source + self.source_move
        return torch.cat([F.pad(source, rest), F.pad(target, rest), bias], dim=1)

    def _some(self, pictures: Tensor) -> Tensor:
        """In training a share of the pictures is left out."""
        if not self.training:
            return pictures
        return pictures * (torch.rand(len(pictures), 1, device=pictures.device) >= self.config.picture.dropout)

    def settle(self) -> None:
        """After the training: brings what texts tell of those who like an item among what behaviour told of others.

        A text is unsure, and says of each item much that holds for all. So the mean of what texts tell of known items
        is put where that of their ids is, and what a text tells beside is spread.
        """
        known = self.trained_text.nonzero().squeeze(1)
        if not len(known):
            return
        with torch.no_grad():
            self.source_spread.fill_(1)
            self.source_move.zero_()
            apart = self.ids[known] - SPREAD * self.told(known)
            self.source_spread.fill_(SPREAD)
            self.source_move.copy_(apart[:, : self.told_dimension].mean(dim=0))
        self._read_once = None

    def share_texts(self, share: float, fades: float) -> None:
        """Texts of known items count in a history beside their ids, the less the more events there are.

        Args:
            share: How much beside one id, of a single event; 0 = not at all.
            fades: At so many events it is half of that, and then soon nothing.
        """
        self.text_share.fill_(share)
        self.text_fades.fill_(fades)
        self._read_once = None

    def vectors(self) -> Tensor:
        """Of all items (N + 1, 2 D + S + 1): of those that somebody met their id's, of new ones what is told."""
        new, met = (~self.touched).nonzero().squeeze(1)[1:], self.touched.nonzero().squeeze(1)
        plain = self.ids.index_put((new,), self.told(new)) if len(new) else self.ids
        said = plain.new_zeros(len(plain), self.told_dimension)
        if self.text_share > 0:
            said[met] = self.told(met)[:, : self.told_dimension]
        return self.row(plain, said)

    def row(self, plain: Tensor, said: Tensor) -> Tensor:
        """What texts say beside (n, S) put into vectors (n, 2 D + 1)."""
        return torch.cat([plain[:, : self.dimension], said, plain[:, self.dimension :]], dim=1)

    def targets(self, rows: Tensor) -> Tensor:
        """Target and bias (n, D + 1) of rows of `vectors`."""
        return rows[:, self.dimension + self.told_dimension :]

    # ---- serving ---------------------------------------------------------------------------------

    def serve(self, history: Tensor, kinds: Tensor, ages: Tensor, liked: Tensor) -> dict[str, Tensor]:
        """`user` (B, D + 1) of the rows of a history (B, L, 2 D + S + 1); its last number meets the bias of an item."""
        source, said = history[..., : self.dimension], history[..., self.dimension :][..., : self.told_dimension]
        num_events = (kinds > 0).sum(dim=1).to(history.dtype)
        share = self.text_share / (1 + (num_events / self.text_fades) ** 2)
        source = source + share[:, None, None] * F.pad(said, (0, self.dimension - self.told_dimension))
        user = self.user.last(source, kinds.long(), ages, liked)  # type: ignore[operator]
        return {"user": torch.cat([user, torch.ones_like(user[:, :1])], dim=1)}


class ItemGraph(nn.Module):
    """What is served of the items: their vectors, and which n-grams of a text speak for a user.

    Args:
        model: Trained.
    """

    def __init__(self, model: TwoTower) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """`vector` (n, 2 D + S + 1) of texts and pictures, and `contributions` (n, W, U + widths) to user times vector.

        Args:
            inputs: `units` (n, W, U), `user` (n, D + 1), and of a model that reads them `pictures` (n, F).
        """
        model, units, user = self.model, inputs["units"].long(), inputs["user"]
        told = model.read(units, inputs.get("pictures", model.pictures[:1]))
        heard = torch.cat([user[:, : model.told_dimension], user[:, -1:]], dim=1)
        wanted = F.pad(heard, (model.told_dimension, 0))
        vector = model.row(told, torch.zeros_like(told[:, : model.told_dimension]))
        return {"vector": vector, "contributions": model.text.contributions(units, wanted)}


def ranks_of(scores: Tensor, targets: Tensor) -> Tensor:
    """Rank of each target (B, T) from 0 on among all scores (B, N) that are finite; equal ones stand before it."""
    wanted = scores.gather(1, targets.long())
    if targets.shape[1] <= COUNTED_UP_TO:
        before = [(scores >= wanted[:, place, None]).sum(dim=1) for place in range(targets.shape[1])]
        return (torch.stack(before, dim=1) - 1).to(scores.dtype)
    rising = scores.sort(dim=1).values
    below = torch.searchsorted(rising, wanted.contiguous())
    return (scores.shape[1] - 1 - below).to(scores.dtype)
