"""The settings of an image model."""

from typing import Any, Literal

from pydantic import Field

from core.config import ModelConfig


class ImageModelConfig(ModelConfig):
    """A backbone, global average pooling, a linear head, and a light mask decoder."""

    backbone: str = "resnet18"
    """handbook_cnn, alexnet, or any timm name (resnet18, convnext_tiny.fb_in22k, ...)."""
    pretrained: bool | str = False
    """true = weights of that name from the hub, false = from scratch, or the path of a weights file or a run."""
    options: dict[str, Any] = {}
    """Extra arguments of the backbone's constructor, as timm takes them."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before the linear head."""
    mask_decoder: bool | Literal["auto"] = "auto"
    """Learn masks; auto = when the training split has any."""
    mask_channels: int = Field(default=48, ge=8)
    """Width of the mask decoder."""
    metadata: bool | Literal["auto"] = "auto"
    """Fuse age, sex and site; auto = when nine in ten images have them (missing ones could betray the source)."""
    loss_weighting: Literal["uncertainty", "equal"] = "uncertainty"
    """Weigh the losses of label and mask by learned uncertainty (Kendall, Gal and Cipolla 2018), or equally."""
