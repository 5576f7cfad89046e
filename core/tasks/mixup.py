"""Mixup: each example is blended with the next one of its batch.

Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.
"""

from torch import Tensor


def mix_pairs(batch: dict[str, Tensor], draw_B: Tensor, alpha: float) -> dict[str, Tensor]:
    """Blends inputs by a share drawn from Beta(alpha, alpha); labels stay apart, with the share beside them.

    Args:
        batch: Holds `image` (B, H, W, 3) and `label` (B,), perhaps `metadata`, `mask` and `has_mask`.
        draw_B: Uniform in [0, 1).
        alpha: Concentration; small = mostly unmixed.
    """
    import torch
    from scipy.special import betaincinv

    share_B = torch.from_numpy(betaincinv(alpha, alpha, draw_B.cpu().double().numpy())).to(batch["image"])
    # The larger share stays with the example itself, so that its mask and metadata remain its own.
    share_B = torch.maximum(share_B, 1 - share_B)
    blended = {name: _blend(batch[name].float(), share_B) for name in ("image", "metadata", "mask") if name in batch}
    is_given = {"has_mask": batch["has_mask"] * batch["has_mask"].roll(1, dims=0)} if "has_mask" in batch else {}
    return {**batch, **blended, **is_given, "other_label": batch["label"].roll(1, dims=0), "share": share_B}


def _blend(rows: Tensor, share_B: Tensor) -> Tensor:
    share = share_B.view(-1, *[1] * (rows.dim() - 1))
    return share * rows + (1 - share) * rows.roll(1, dims=0)
