"""The training loss of texts: their label, a teacher's opinion where there is one, no label where none fits.

Every term is a mean over examples of a per-example loss, so it adds up over micro batches and processes.

Shapes: B batch, K labels, M members of an ensemble.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config import TrainConfig
from core.tasks.text_schema import TextSchema

OUT_OF_SCOPE_WEIGHT = 0.3
"""Of a text that belongs to no label, beside one that does."""
SOFT_LABEL_SHARE = 0.7
"""How much a teacher counts for a text whose label is known too; for others it alone counts."""


def text_loss(outputs: dict[str, Tensor], batch: dict[str, Tensor], schema: TextSchema, train: TrainConfig) -> Tensor:
    """Mean cross-entropy with each example's target; members of an ensemble learn each by itself.

    Args:
        outputs: `logits` (B, K), or `member_logits` (B, M, K) besides.
        batch: `label` (B,), -1 for texts out of scope; perhaps `soft_label` (B, K), a teacher's probabilities.
        schema: How often each label was seen.
        train: Label smoothing and class weighting.
    """
    logits_BMK = outputs.get("member_logits", outputs["logits"][:, None])
    target_BK, weight_B = _targets(batch, schema, train, logits_BMK.shape[2])
    entropy_BM = -(F.log_softmax(logits_BMK.float(), dim=2) * target_BK[:, None]).sum(dim=2)
    return (entropy_BM.mean(dim=1) * weight_B).mean()


def _targets(
    batch: dict[str, Tensor], schema: TextSchema, train: TrainConfig, num_labels: int
) -> tuple[Tensor, Tensor]:
    """What the model should say (B, K), and how much each example counts (B,).

    Texts out of scope should make every label equally likely.
    Source: Hendrycks et al., Deep Anomaly Detection with Outlier Exposure, ICLR 2019.
    """
    label_B = batch["label"]
    is_known_B = label_B >= 0
    known_B = label_B.clamp(min=0)
    smoothing = train.label_smoothing
    hard_BK = F.one_hot(known_B, num_labels).float() * (1 - smoothing) + smoothing / num_labels
    weight_K = class_weights(schema, train.class_weighting, label_B.device)
    weight_B = torch.ones_like(label_B, dtype=torch.float32) if weight_K is None else weight_K[known_B]
    target_BK = torch.where(is_known_B[:, None], hard_BK, 1 / num_labels)
    weight_B = torch.where(is_known_B, weight_B, OUT_OF_SCOPE_WEIGHT)
    if "soft_label" not in batch:
        return target_BK, weight_B
    share_B1 = torch.where(is_known_B, SOFT_LABEL_SHARE, 1.0)[:, None]
    target_BK = share_B1 * batch["soft_label"].float() + (1 - share_B1) * target_BK
    return target_BK, torch.where(is_known_B, weight_B, 1.0)


def class_weights(schema: TextSchema, weighting: str, device: torch.device) -> Tensor | None:
    """(K,) weights whose mean over the training examples is 1, or None."""
    if weighting == "none":
        return None
    count_K = torch.tensor(schema.label_counts, dtype=torch.float32, device=device)
    weight_K = (1 / count_K) if weighting == "balanced" else count_K.rsqrt()
    return weight_K * count_K.sum() / (weight_K * count_K).sum()
