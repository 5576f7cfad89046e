"""Heads on top of a backbone: classification over global average pooling, and a light mask decoder.

Shapes: B batch, C channels, K labels, M metadata numbers, h and w of a feature map.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PooledClassifier(nn.Module):
    """Global average pooling and one linear layer, so that the class activation map is exact.

    logit_k = bias_k + mean over positions of evidence_khw (+ what the metadata adds). For such a
    net this map equals Grad-CAM up to a factor and needs no gradient.

    Args:
        channels: C of the feature map.
        num_labels: K.
        num_metadata: M; 0 = none.
        dropout: Before the linear layer.

    Source: Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016.
    """

    METADATA_FEATURES = 16

    def __init__(self, channels: int, num_labels: int, num_metadata: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.label = nn.Linear(channels, num_labels)
        self.metadata = (
            nn.Sequential(
                nn.Linear(num_metadata, self.METADATA_FEATURES),
                nn.ReLU(),
                nn.Linear(self.METADATA_FEATURES, num_labels),
            )
            if num_metadata
            else None
        )

    def forward(self, features_BChw: Tensor, metadata_BM: Tensor | None) -> tuple[Tensor, Tensor]:
        """Logits (B, K) and the pooled embedding (B, C)."""
        # A plain mean: adaptive pooling has no deterministic backward pass on GPUs.
        embedding_BC = features_BChw.mean(dim=(2, 3))
        logits_BK = self.label(self.dropout(embedding_BC))
        if self.metadata is not None and metadata_BM is not None:
            logits_BK = logits_BK + self.metadata(metadata_BM)
        return logits_BK, embedding_BC

    def evidence(self, features_BChw: Tensor) -> Tensor:
        """Class activation maps (B, K, h, w); their mean over positions is the logit without bias and metadata."""
        return F.conv2d(features_BChw, self.label.weight[:, :, None, None])


class MaskDecoder(nn.Module):
    """Feature pyramid (Lin et al. 2017) down to the finest map, then one channel: lesion or not.

    Args:
        channels: Of the backbone's maps, finest first.
        width: Channels inside.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(_conv_block(count, width, 1) for count in channels)
        self.smooth = nn.ModuleList(_conv_block(width, width, 3) for _ in channels[:-1])
        self.mask = nn.Conv2d(width, 1, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Mask logits (B, h, w) at the size of the finest map."""
        top = self.lateral[-1](maps[-1])
        for lateral, smooth, feature in zip(
            reversed(self.lateral[:-1]), reversed(self.smooth), reversed(maps[:-1]), strict=True
        ):
            # Nearest: bilinear has no deterministic backward pass on GPUs; the convolution smooths.
            top = smooth(F.interpolate(top, size=feature.shape[-2:], mode="nearest") + lateral(feature))
        logits_B1hw: Tensor = self.mask(top)
        return logits_B1hw.squeeze(1)


def _conv_block(channels: int, width: int, kernel: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU())


class LossWeights(nn.Module):
    """One learned log variance a loss: total = sum of exp(-s) * loss + s.

    Source: Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty, CVPR 2018 (classification form).
    """

    def __init__(self, num_losses: int) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(num_losses))

    def forward(self) -> Tensor:
        return self.log_variance
