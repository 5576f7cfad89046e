"""Image backbones by name: the only door to timm.

A backbone takes image_BCHW and gives a list of feature maps, finest first; it says their
`channels` and `strides`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import UserError


class Backbone(nn.Module):
    """What every backbone offers."""

    channels: Sequence[int]
    strides: Sequence[int]

    def forward(self, image_BCHW: Tensor) -> list[Tensor]:
        """Feature maps (B, channels[i], H / strides[i], W / strides[i]), finest first."""
        raise NotImplementedError  # pragma: no cover


class AlexNet(Backbone):
    """The five convolutions of AlexNet (Krizhevsky 2014, torchvision), for images of 63 px and more."""

    channels = (64, 192, 256)
    strides = (8, 16, 32)

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import alexnet  # type: ignore[import-untyped, unused-ignore]

        layers = alexnet(weights=None).features
        self.stages = nn.ModuleList([layers[:3], layers[3:6], layers[6:]])

    def forward(self, image_BCHW: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            image_BCHW = stage(image_BCHW)
            maps.append(image_BCHW)
        return maps


class TimmBackbone(Backbone):
    """Any timm model as a pyramid of feature maps, channels first whatever it uses inside."""

    def __init__(self, name: str, *, download: bool, options: Mapping[str, Any]) -> None:
        super().__init__()
        import timm

        self.body: Any = timm.create_model(name, pretrained=download, features_only=True, **options)
        info: Any = self.body.feature_info
        self.channels, self.strides = tuple(info.channels()), tuple(info.reduction())
        self.is_channels_last = getattr(self.body, "output_fmt", "NCHW") == "NHWC"

    def forward(self, image_BCHW: Tensor) -> list[Tensor]:
        maps: list[Tensor] = list(self.body(image_BCHW))
        return [feature.permute(0, 3, 1, 2) for feature in maps] if self.is_channels_last else maps


def build_backbone(name: str, *, pretrained: bool | str, image_px: int, options: Mapping[str, Any]) -> Backbone:
    """A backbone by name.

    Args:
        name: `alexnet` or a timm name.
        pretrained: True = download the weights of that name, or the path of a weights file.
        image_px: Side of the square input.
        options: Extra constructor arguments.

    Raises:
        UserError: An unknown name or option, weights that cannot be had, or images too small.
    """
    if name == "alexnet":
        if pretrained is True:
            raise UserError("alexnet with pretrained: true.", "Its weights are read from a file.", "Give the path.")
        backbone: Backbone = AlexNet()
    else:
        backbone = _build_timm(name, pretrained, image_px, options)
    if isinstance(pretrained, str):
        load_weights(backbone, Path(pretrained))
    _check_size(name, backbone, image_px)
    return backbone


def load_weights(backbone: nn.Module, path: Path) -> None:
    """Loads the weights in a .safetensors or .pth file into a backbone, by name; the head's are left out.

    Raises:
        UserError: No such file, or weights that do not fit.
    """
    if not path.is_file():
        raise UserError(
            f"Pretrained weights {path} do not exist.", "A .safetensors or .pth file.", "Correct model.pretrained."
        )
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        weights: dict[str, Any] = load_file(path)
    else:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    weights = weights.get("state_dict", weights)
    target = backbone.state_dict()
    body_names = {name.removeprefix("body."): name for name in target}
    found = {
        body_names[key.removeprefix("body.")]: value
        for key, value in weights.items()
        if key.removeprefix("body.") in body_names
    }
    wrong = [name for name, value in found.items() if value.shape != target[name].shape]
    if wrong or len(found) < len(target):
        missing = sorted(set(target) - set(found))
        raise UserError(
            f"{path} does not fit this backbone: {len(missing)} of {len(target)} weights missing"
            + (f", {len(wrong)} of another shape (first: {wrong[0]})." if wrong else f" (first: {missing[0]})."),
            "Weights of the same architecture, as timm names them.",
            "Correct model.backbone or model.pretrained.",
        )
    backbone.load_state_dict(found)


def _build_timm(name: str, pretrained: bool | str, image_px: int, options: Mapping[str, Any]) -> Backbone:
    import timm

    architecture = name.split(".")[0]
    if not timm.is_model(architecture):
        near = timm.list_models(f"*{architecture[:6]}*")[:6] or timm.list_models("resnet*")[:6]
        raise UserError(
            f"Unknown backbone `{name}`.",
            f"Among others: {', '.join(near)}.",
            "Use handbook_cnn, alexnet or a timm name.",
        )
    # Vision transformers fix their number of tokens when they are made.
    sized = {"img_size": image_px} if "vit" in architecture or "deit" in architecture or "swin" in architecture else {}
    try:
        return TimmBackbone(name, download=pretrained is True, options={**sized, **options})
    except (OSError, ConnectionError, RuntimeError) as error:
        if pretrained is not True:
            raise
        raise UserError(
            f"The weights of `{name}` could not be downloaded: {error}",
            "A machine with access to the hub, or a file.",
            "Download the weights elsewhere and give their path: --model.pretrained PATH.",
        ) from None
    except (TypeError, ValueError) as error:
        raise UserError(
            f"Backbone `{name}` refuses its options: {error}", "Options as timm takes them.", "Correct model.options."
        ) from None


def _check_size(name: str, backbone: Backbone, image_px: int) -> None:
    try:
        with torch.no_grad():
            features = backbone.eval()(torch.zeros(1, 3, image_px, image_px))[-1]
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"Backbone `{name}` cannot read images of {image_px} px: {error}",
            "Larger images, or a multiple of its patch.",
            "Raise data.image_px (32, 64, 96, 128, 224, ...).",
        ) from None
    finally:
        backbone.train()
    assert features.shape[1] == backbone.channels[-1], (features.shape, backbone.channels)
