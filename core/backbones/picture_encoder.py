"""Pictures as numbers: a frozen image backbone, pooled at every stage, so that colours count beside shapes.

Shapes: n pictures, P pixels a side, F numbers.
"""

import torch
from torch import Tensor, nn

from core.backbones.cnn import build_backbone
from core.backbones.image_model import PixelNormalization
from core.backbones.recommender_config import ItemPictureConfig

MEAN, STD = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
"""Of ImageNet, which backbones with weights expect."""
SEED = 0


class PictureEncoder(nn.Module):
    """Never trained: it sees a catalogue's pictures once. Without weights it tells colours and coarse textures.

    Args:
        config: Backbone, weights, and size of the pictures.
    """

    center: Tensor
    spread: Tensor

    def __init__(self, config: ItemPictureConfig) -> None:
        super().__init__()
        self.normalize = PixelNormalization(MEAN, STD)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            self.backbone = build_backbone(
                config.backbone, pretrained=config.pretrained, image_px=config.image_px, options={}
            )
        self.size = sum(self.backbone.channels)
        self.register_buffer("center", torch.zeros(self.size))
        self.register_buffer("spread", torch.ones(self.size))
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> "PictureEncoder":
        """Its statistics never change either."""
        del mode
        return super().train(False)

    def fit(self, pooled_nF: Tensor) -> None:
        """Learns what is usual for a catalogue, of which each number then tells the difference."""
        self.center.copy_(pooled_nF.mean(dim=0))
        self.spread.copy_(pooled_nF.std(dim=0, correction=0).clamp(min=1e-6))

    def pooled(self, pixels: Tensor) -> Tensor:
        """Means over all feature maps, (n, F), of pixels (n, P, P, 3) in [0, 255]."""
        maps = self.backbone(self.normalize(pixels))
        return torch.cat([one.mean(dim=(2, 3)) for one in maps], dim=1)

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """`picture` (n, F), of length 1, of `pixels`."""
        told = (self.pooled(inputs["pixels"]) - self.center) / self.spread
        return {"picture": nn.functional.normalize(told, dim=1)}
