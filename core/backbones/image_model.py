"""The image model: pixels in, logits out, with mask and evidence; normalisation is in the graph.

Shapes: B batch, H and W of the image, K labels, M metadata numbers, h and w of a feature map.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.backbones.cnn import build_backbone
from core.backbones.handbook_cnn import HandbookCNN
from core.backbones.heads import LossWeights, MaskDecoder, PooledClassifier
from core.backbones.image_config import ImageModelConfig
from core.errors import UserError


class PixelNormalization(nn.Module):
    """Pixels (B, H, W, 3) in [0, 255], any number type, to a standardised image_BCHW.

    Args:
        mean: Of the training pixels, per channel, in [0, 255].
        std: Likewise.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32), persistent=True)
        self.register_buffer("scale", 1.0 / torch.tensor(std, dtype=torch.float32), persistent=True)

    def forward(self, pixels_BHWC: Tensor) -> Tensor:
        # The permuted view is already channels_last in memory; a channels_first plan pays one copy.
        return ((pixels_BHWC.float() - self.mean) * self.scale).permute(0, 3, 1, 2)


class ImageModel(nn.Module):
    """Backbone, pooled classifier and, where masks are learnt, a mask decoder.

    Args:
        config: Backbone and heads.
        image_px: Side of the square input.
        num_labels: K.
        num_metadata: M; 0 = the model reads no metadata.
        has_masks: Build the mask decoder.
        pixel_mean: Per channel, in [0, 255].
        pixel_std: Likewise.
    """

    def __init__(
        self,
        config: ImageModelConfig,
        *,
        image_px: int,
        num_labels: int,
        num_metadata: int,
        has_masks: bool,
        pixel_mean: Sequence[float],
        pixel_std: Sequence[float],
    ) -> None:
        super().__init__()
        self.normalize = PixelNormalization(pixel_mean, pixel_std)
        self.backbone = build_backbone(
            config.backbone, pretrained=config.pretrained, image_px=image_px, options=config.options
        )
        channels = self.backbone.channels
        self.classifier = PooledClassifier(channels[-1], num_labels, num_metadata, config.dropout)
        self.mask_decoder = MaskDecoder(channels, config.mask_channels) if has_masks else None
        learns_weights = has_masks and config.loss_weighting == "uncertainty"
        self.loss_weights = LossWeights(num_losses=2) if learns_weights else None

    def forward(self, image: Tensor, metadata: Tensor | None = None) -> dict[str, Tensor]:
        """Training outputs: logits (B, K), embedding, and for masks mask_logits (B, h, w) and log_variance (2,)."""
        outputs, _ = self._run(image, metadata)
        if self.loss_weights is not None:
            outputs["log_variance"] = self.loss_weights()
        return outputs

    def serve(self, image: Tensor, metadata: Tensor | None = None) -> dict[str, Tensor]:
        """Served outputs: logits, embedding, evidence (B, K, h, w) and, with a decoder, mask (B, h, w) in [0, 1]."""
        outputs, maps = self._run(image, metadata)
        served = {"logits": outputs["logits"]}
        # Novelty looks at every stage: colours and textures that are strange show early, shapes late.
        served["embedding"] = torch.cat([feature.mean(dim=(2, 3)) for feature in maps], dim=1)
        served["evidence"] = self.classifier.evidence(maps[-1])
        if "mask_logits" in outputs:
            served["mask"] = outputs["mask_logits"].sigmoid()
        return served

    def _run(self, image: Tensor, metadata: Tensor | None) -> tuple[dict[str, Tensor], list[Tensor]]:
        maps = self.backbone(self.normalize(image))
        logits, embedding = self.classifier(maps[-1], metadata)
        outputs = {"logits": logits, "embedding": embedding}
        if self.mask_decoder is not None:
            outputs["mask_logits"] = self.mask_decoder(maps)
        return outputs, maps


class HandbookModel(nn.Module):
    """The handbook's CNN with the same outputs as `ImageModel`; it has no masks and reads no metadata."""

    def __init__(
        self, *, image_px: int, num_labels: int, pixel_mean: Sequence[float], pixel_std: Sequence[float]
    ) -> None:
        super().__init__()
        self.normalize = PixelNormalization(pixel_mean, pixel_std)
        self.net = HandbookCNN(image_px, num_labels)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        logits, embedding = self.net(self.normalize(image))
        return {"logits": logits, "embedding": embedding}

    def serve(self, image: Tensor) -> dict[str, Tensor]:
        logits, embedding, evidence = self.net.forward_with_evidence(self.normalize(image))
        return {"logits": logits, "embedding": embedding, "evidence": evidence}


def build_image_model(
    config: ImageModelConfig,
    *,
    image_px: int,
    num_labels: int,
    num_metadata: int,
    has_masks: bool,
    pixel_mean: Sequence[float],
    pixel_std: Sequence[float],
) -> ImageModel | HandbookModel:
    """The network that a config names; see `ImageModel` for the arguments.

    Raises:
        UserError: A backbone that does not exist, does not fit, or cannot do what is asked.
    """
    if config.backbone != "handbook_cnn":
        return ImageModel(
            config,
            image_px=image_px,
            num_labels=num_labels,
            num_metadata=num_metadata,
            has_masks=has_masks,
            pixel_mean=pixel_mean,
            pixel_std=pixel_std,
        )
    asked = {"pretrained": config.pretrained, "options": config.options, "masks": has_masks, "metadata": num_metadata}
    refused = [name for name, value in asked.items() if value]
    if refused:
        raise UserError(
            f"handbook_cnn with {', '.join(refused)}.",
            "It is the handbook's network exactly: no pretrained weights, options, masks or metadata.",
            "Use a timm backbone, or set model.pretrained=false, model.options={}, model.mask_decoder=false and"
            " model.metadata=false.",
        )
    return HandbookModel(image_px=image_px, num_labels=num_labels, pixel_mean=pixel_mean, pixel_std=pixel_std)
