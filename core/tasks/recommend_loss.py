"""What a model of items and users is trained for: the next liked item, and texts that give the vectors of ids.

Shapes: B users, L events, P places at which a liking comes next, C compared items, D dimensions, n items.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def recommend_loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], text_loss: float) -> Tensor:
    """Mean loss of a batch, in training and in evaluation.

    Args:
        outputs: Of TwoTower.
        batch: Encoded examples.
        text_loss: How much it counts that a text gives its id's vector.
    """
    if "target_loss" in outputs:
        there = batch["targets"] > 0
        finite = torch.where(there & outputs["target_loss"].isfinite(), outputs["target_loss"], 0.0)
        return finite.sum() / there.sum().clamp(min=1)
    next_BL = F.pad(batch["items"][:, 1:], (0, 1)).long()
    is_place_BL = F.pad(batch["liked"][:, 1:], (0, 1)) & (batch["items"] > 0)
    wanted_P = torch.searchsorted(outputs["numbers"], next_BL[is_place_BL].contiguous())
    user_PD = outputs["user"][is_place_BL]
    compared_CD, bias_C = outputs["compared"][:, :-1], outputs["compared"][:, -1]
    logits_PC = user_PD @ compared_CD.T + (bias_C - outputs["log_chance"])
    logits_PC = logits_PC.masked_fill(~outputs["allowed"], -torch.inf)
    # A batch without any such place still has a gradient, of zero.
    loss = F.cross_entropy(logits_PC, wanted_P) if len(wanted_P) else outputs["user"].sum() * 0.0
    told, meant = outputs["told"], outputs["meant"]
    if text_loss and len(told):
        loss = loss + text_loss * (told - meant).square().sum() / meant.square().sum().clamp(min=1e-6)
    return loss
