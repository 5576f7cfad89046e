"""The training loss of images: label, and mask where one is given.

Every term is a mean over examples of a per-example loss, so it adds up over micro batches and
processes: the loss of a global batch does not depend on how it is cut.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config import TrainConfig
from core.tasks.image_schema import ImageSchema


def image_loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], schema: ImageSchema, train: TrainConfig) -> Tensor:
    """Cross-entropy of the label, plus Dice and cross-entropy of the mask, weighted as the model learnt."""
    label = label_loss(outputs["logits"], batch, schema, train).mean()
    if "mask_logits" not in outputs or "mask" not in batch:
        return label
    mask = (mask_loss(outputs["mask_logits"], batch["mask"]) * batch["has_mask"]).mean() / schema.mask_share
    if "log_variance" not in outputs:
        return label + mask
    log_variance = outputs["log_variance"].float()
    return (torch.exp(-log_variance) * torch.stack([label, mask]) + log_variance).sum()


def label_loss(logits_BK: Tensor, batch: dict[str, Tensor], schema: ImageSchema, train: TrainConfig) -> Tensor:
    """(B,) weighted cross-entropy; for a mixed pair, of both labels by their shares."""
    weight_K = _class_weights(schema, train.class_weighting, logits_BK.device)

    def one(label_B: Tensor) -> Tensor:
        loss_B = F.cross_entropy(logits_BK.float(), label_B, label_smoothing=train.label_smoothing, reduction="none")
        return loss_B if weight_K is None else loss_B * weight_K[label_B]

    loss_B = one(batch["label"])
    if "other_label" in batch:
        share_B = batch["share"]
        loss_B = share_B * loss_B + (1 - share_B) * one(batch["other_label"])
    return loss_B


def mask_loss(logits_Bhw: Tensor, mask_BHW: Tensor) -> Tensor:
    """(B,) binary cross-entropy plus soft Dice loss, the mask averaged down to the logits' size.

    Source: Milletari, Navab and Ahmadi, V-Net, 3DV 2016, for the Dice loss.
    """
    target_Bhw = F.interpolate(mask_BHW[:, None].float(), size=logits_Bhw.shape[-2:], mode="area")[:, 0]
    logits_Bhw = logits_Bhw.float()
    entropy_B = F.binary_cross_entropy_with_logits(logits_Bhw, target_Bhw, reduction="none").mean(dim=(1, 2))
    probability_Bhw = logits_Bhw.sigmoid()
    overlap_B = (probability_Bhw * target_Bhw).sum(dim=(1, 2))
    total_B = probability_Bhw.sum(dim=(1, 2)) + target_Bhw.sum(dim=(1, 2))
    # One pixel of smoothing: a right empty mask costs nothing instead of 0 / 0.
    dice_B = 1 - (2 * overlap_B + 1) / (total_B + 1)
    return entropy_B + dice_B


def _class_weights(schema: ImageSchema, weighting: str, device: torch.device) -> Tensor | None:
    """(K,) weights whose mean over the training examples is 1, or None."""
    if weighting == "none":
        return None
    count_K = torch.tensor(schema.label_counts, dtype=torch.float32, device=device)
    weight_K = (1 / count_K) if weighting == "balanced" else count_K.rsqrt()
    return weight_K * count_K.sum() / (weight_K * count_K).sum()
