"""Random variation of a batch of images on its device, driven by given draws alone.

Shapes: B batch, H and W of the image. Pixels are (B, H, W, 3) in [0, 255], masks (B, H, W) in [0, 1].
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from core.tasks.augment_config import AugmentConfig

NUM_DRAWS = 16
# Luma weights of ITU-R BT.601.
GREY = (0.299, 0.587, 0.114)


def augment_images(
    pixels_BHWC: Tensor, mask_BHW: Tensor | None, draws_BD: Tensor, config: AugmentConfig, side: int
) -> tuple[Tensor, Tensor | None]:
    """Flips, rotates, zooms, shifts, recolours and erases each image in its own way.

    Geometry is one affine resampling for image and mask alike; colours change afterwards.

    Args:
        pixels_BHWC: uint8 or float.
        mask_BHW: Resampled with the image, or None.
        draws_BD: (B, NUM_DRAWS) uniform in [0, 1).
        config: Ranges.
        side: Of the images given back, in pixels.

    Returns:
        Float pixels (B, side, side, 3) and mask (B, side, side).
    """
    image_BCHW = pixels_BHWC.permute(0, 3, 1, 2).float()
    theta_B23 = _affine(draws_BD, config)
    grid = F.affine_grid(theta_B23, [len(image_BCHW), 3, side, side], align_corners=False)
    image_BCHW = F.grid_sample(image_BCHW, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    if mask_BHW is not None:
        mask = mask_BHW[:, None].float()
        mask_BHW = F.grid_sample(mask, grid, mode="nearest", padding_mode="reflection", align_corners=False)[:, 0]
    image_BCHW = _recolour(image_BCHW, draws_BD, config)
    if config.erase:
        image_BCHW = _erase(image_BCHW, draws_BD, config.erase)
    return image_BCHW.permute(0, 2, 3, 1), mask_BHW


def _symmetric(draw_B: Tensor, span: float) -> Tensor:
    return (draw_B * 2 - 1) * span


def _affine(draws_BD: Tensor, config: AugmentConfig) -> Tensor:
    """Output to input coordinates, (B, 2, 3)."""
    angle = _symmetric(draws_BD[:, 0], math.radians(config.rotation_degrees))
    scale = torch.exp(_symmetric(draws_BD[:, 1], math.log1p(config.zoom)))
    shear = _symmetric(draws_BD[:, 2], config.shear)
    shift_x = _symmetric(draws_BD[:, 3], 2 * config.translation)
    shift_y = _symmetric(draws_BD[:, 4], 2 * config.translation)
    mirror = [
        1 - 2 * (draws_BD[:, column] < 0.5).float() if config.flip else torch.ones_like(angle) for column in (5, 6)
    ]
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    row_x = torch.stack([cos * mirror[0], (shear * cos - sin) * mirror[1], shift_x], dim=1)
    row_y = torch.stack([sin * mirror[0], (shear * sin + cos) * mirror[1], shift_y], dim=1)
    return torch.stack([row_x, row_y], dim=1)


def _recolour(image_BCHW: Tensor, draws_BD: Tensor, config: AugmentConfig) -> Tensor:
    """Brightness, contrast, saturation and hue as one 3x4 colour matrix an image."""
    grey_C = torch.tensor(GREY, device=image_BCHW.device)
    brightness = 1 + _symmetric(draws_BD[:, 7], config.brightness)
    contrast = 1 + _symmetric(draws_BD[:, 8], config.contrast)
    saturation = 1 + _symmetric(draws_BD[:, 9], config.saturation)
    hue = _symmetric(draws_BD[:, 10], math.radians(config.hue_degrees))
    identity = torch.eye(3, device=image_BCHW.device)
    to_grey = grey_C.expand(3, 3)
    matrix_B33 = to_grey + saturation[:, None, None] * (identity - to_grey)
    matrix_B33 = _hue_rotation(hue) @ matrix_B33
    mean_B3 = image_BCHW.mean(dim=(2, 3))
    mean_grey_B = (mean_B3 @ grey_C)[:, None]
    gain = (brightness * contrast)[:, None, None]
    offset_B3 = brightness[:, None] * (1 - contrast[:, None]) * mean_grey_B
    recoloured = torch.einsum("bij,bjhw->bihw", matrix_B33 * gain, image_BCHW) + offset_B3[:, :, None, None]
    return recoloured.clamp_(0, 255)


def _hue_rotation(angle_B: Tensor) -> Tensor:
    """Rotation about the grey axis (1, 1, 1), by Rodrigues' formula, (B, 3, 3)."""
    cos, sin = torch.cos(angle_B)[:, None, None], torch.sin(angle_B)[:, None, None]
    third = 1 / 3
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], device=angle_B.device) / math.sqrt(3)
    identity = torch.eye(3, device=angle_B.device)
    return cos * identity + (1 - cos) * third + sin * cross


def _erase(image_BCHW: Tensor, draws_BD: Tensor, probability: float) -> Tensor:
    """A rectangle of 2 to 20 % of the area becomes the image's mean colour."""
    height, width = image_BCHW.shape[2:]
    side = torch.sqrt(0.02 + 0.18 * draws_BD[:, 11])
    aspect = torch.exp(_symmetric(draws_BD[:, 12], math.log(2.0)) / 2)
    centre_y, centre_x = draws_BD[:, 13], draws_BD[:, 14]
    rows = (torch.arange(height, device=image_BCHW.device) + 0.5) / height
    columns = (torch.arange(width, device=image_BCHW.device) + 0.5) / width
    inside_y = (rows[None] - centre_y[:, None]).abs() < (side * aspect / 2)[:, None]
    inside_x = (columns[None] - centre_x[:, None]).abs() < (side / aspect / 2)[:, None]
    chosen = draws_BD[:, 15] < probability
    hole = (inside_y[:, None, :, None] & inside_x[:, None, None, :]) & chosen[:, None, None, None]
    return torch.where(hole, image_BCHW.mean(dim=(2, 3), keepdim=True), image_BCHW)
