"""Blending neighbours in a batch: mixup and CutMix.

Each example may be blended with the one before it; labels stay apart, with the share beside them.

Sources: Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018; Yun et al., CutMix, ICCV 2019.
"""

import torch
from torch import Tensor

NUM_DRAWS = 5


def mix_pairs(
    batch: dict[str, Tensor], draws_BD: Tensor, *, mixup: float, cutmix: float, probability: float
) -> dict[str, Tensor]:
    """Blends each example, or leaves it, as its own draws say.

    Args:
        batch: Holds `image` (B, H, W, 3) and `label` (B,), perhaps `metadata`, `mask` and `has_mask`.
        draws_BD: (B, NUM_DRAWS) uniform in [0, 1).
        mixup: Alpha of the Beta distribution of shares; 0 = never.
        cutmix: Likewise for the area that is kept.
        probability: That an example is blended at all.
    """
    is_cut_B = draws_BD[:, 1] < (0.5 if mixup and cutmix else float(cutmix > 0))
    share_B = torch.where(is_cut_B, _beta(draws_BD[:, 0], cutmix), _beta(draws_BD[:, 0], mixup))
    # The larger share stays with the example itself, so that its metadata remain its own.
    share_B = torch.maximum(share_B, 1 - share_B)
    is_mixed_B = draws_BD[:, 4] < probability
    share_B = torch.where(is_mixed_B, share_B, 1.0)
    own_BHW = _kept(batch["image"].shape, share_B, is_cut_B, draws_BD)
    blended = {"image": _blend(batch["image"], own_BHW)}
    if "mask" in batch:
        blended["mask"] = _blend(batch["mask"], own_BHW)
    if "has_mask" in batch:
        partner = torch.where(is_mixed_B, batch["has_mask"].roll(1, dims=0), 1.0)
        blended["has_mask"] = batch["has_mask"] * partner
    # What CutMix really kept, after the rectangle was cut off at the border.
    share_B = own_BHW.mean(dim=(1, 2))
    return {**batch, **blended, "other_label": batch["label"].roll(1, dims=0), "share": share_B}


def _beta(draw_B: Tensor, alpha: float) -> Tensor:
    """Quantiles of the symmetric Beta distribution; ones where it is not used."""
    if alpha == 0:
        return torch.ones_like(draw_B)
    from scipy.special import betaincinv

    return torch.from_numpy(betaincinv(alpha, alpha, draw_B.cpu().double().numpy())).to(draw_B)


def _kept(shape: torch.Size, share_B: Tensor, is_cut_B: Tensor, draws_BD: Tensor) -> Tensor:
    """How much of each pixel is the example's own, (B, H, W): its share everywhere, or 1 outside a rectangle."""
    _, height, width, _ = shape
    half_B = torch.sqrt(1 - share_B) / 2
    rows = (torch.arange(height, device=share_B.device) + 0.5) / height
    columns = (torch.arange(width, device=share_B.device) + 0.5) / width
    is_row = (rows[None] - draws_BD[:, 2:3]).abs() < half_B[:, None]
    is_column = (columns[None] - draws_BD[:, 3:4]).abs() < half_B[:, None]
    inside = is_row[:, :, None] & is_column[:, None, :]
    return torch.where(is_cut_B[:, None, None], (~inside).float(), share_B[:, None, None])


def _blend(pixels: Tensor, own_BHW: Tensor) -> Tensor:
    own = own_BHW.view(*own_BHW.shape, *[1] * (pixels.dim() - 3))
    return own * pixels.float() + (1 - own) * pixels.float().roll(1, dims=0)
