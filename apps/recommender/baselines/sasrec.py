"""SASRec on ids alone with cross-entropy over all items, in plain PyTorch: the baseline to beat where order matters.

Source: Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018; the loss as in Klenitskiy and Vasilev,
Turning Dross Into Gold Loss: is BERT4Rec really better than SASRec?, RecSys 2023.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from apps.recommender.baselines.scorer import Baseline, FloatArray, Liked, Rows, Scorer

LENGTH, BATCH, RATE, LAYERS, HEADS = 50, 32, 2e-3, 2, 2


class SasRec(nn.Module):
    """A causal Transformer over ids; the table of ids is also what is compared with."""

    def __init__(self, num_items: int, size: int, dropout: float) -> None:
        super().__init__()
        self.items = nn.Embedding(num_items + 1, size, padding_idx=0)
        self.places = nn.Embedding(LENGTH, size)
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            size, HEADS, 4 * size, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(size), enable_nested_tensor=False)
        self.dropout, self.scale = nn.Dropout(dropout), size**0.5

    def forward(self, items_BL: Tensor) -> Tensor:
        """What comes after each place, (B, L, D)."""
        length = items_BL.shape[1]
        state = self.dropout(self.items(items_BL) * self.scale + self.places.weight[-length:])
        causal = torch.ones(length, length, dtype=torch.bool).triu(1)
        # Padding stands before a history; a place of it may look at itself, or its row would be empty.
        mask = causal | (items_BL == 0)[:, None, :] & ~torch.eye(length, dtype=torch.bool)
        looked: Tensor = self.layers(state, mask=mask.repeat_interleave(HEADS, dim=0))
        return looked


def fit_sasrec(liked: Liked, settings: Mapping[str, float]) -> Scorer:
    """Trains for the epochs that the settings say."""
    torch.manual_seed(0)
    model = SasRec(liked.num_items, int(settings["size"]), settings["dropout"])
    for _ in train_epochs(model, liked, int(settings["epochs"])):
        pass
    return scorer_of(model, liked.num_items)


def train_epochs(model: SasRec, liked: Liked, epochs: int) -> Iterable[float]:
    """Trains epoch after epoch, giving the mean loss of each."""
    windows = torch.from_numpy(_windows(liked.histories)).long()
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
    # The schedule rises over the first twentieth, which takes a step or two.
    steps = max(40, epochs * -(-len(windows) // BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    known = torch.zeros(liked.num_items + 1, dtype=torch.bool)
    known[torch.from_numpy(np.unique(np.concatenate(liked.histories)) + 1).long()] = True
    for _ in range(epochs):
        model.train()
        total = 0.0
        order = torch.randperm(len(windows))
        for start in range(0, len(order), BATCH):
            batch = windows[order[start : start + BATCH]]
            before, after = batch[:, :-1], batch[:, 1:]
            there = (before > 0) & (after > 0)
            logits = model(before)[there] @ model.items.weight.T
            loss = F.cross_entropy(logits.masked_fill(~known, -torch.inf), after[there])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        yield total / -(-len(windows) // BATCH)


def scorer_of(model: SasRec, num_items: int) -> Scorer:
    """Ranks with a trained model."""

    def score(histories: Sequence[Rows]) -> FloatArray:
        model.eval()
        parts = []
        with torch.no_grad():
            for start in range(0, len(histories), 256):
                items = np.zeros((len(histories[start : start + 256]), LENGTH), np.int64)
                for place, rows in enumerate(histories[start : start + 256]):
                    newest = rows[-LENGTH:]
                    if len(newest):
                        items[place, -len(newest) :] = newest + 1
                user = model(torch.from_numpy(items))[:, -1]
                parts.append((user @ model.items.weight.T)[:, 1:].double().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, num_items))

    return score


def _windows(histories: Sequence[Rows]) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    """Each history cut from the newest backwards, padded before; the last of one is the first of the next."""
    found = []
    for rows in histories:
        stop = len(rows)
        while stop >= 2:
            begin = max(0, stop - LENGTH - 1)
            window = np.zeros(LENGTH + 1, np.int64)
            window[LENGTH + 1 - (stop - begin) :] = rows[begin:stop] + 1
            found.append(window)
            stop = begin + 1 if begin else 0
    return np.stack(found)


SASREC = (
    Baseline(
        "sasrec_ids",
        fit_sasrec,
        tuple({"size": 64, "dropout": dropout, "epochs": epochs} for dropout in (0.3, 0.5) for epochs in (10, 20)),
    ),
)
