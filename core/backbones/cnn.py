"""Image backbones by name: the only door to timm.

A backbone takes image_BCHW and gives a list of feature maps, finest first; it says their
`channels` and `strides`.
"""

import difflib
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
    STAGE_ENDS = (2, 5, 12)
    """Layers whose output is a feature map: the three poolings."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import alexnet  # type: ignore[import-untyped, unused-ignore]

        # Named as torchvision names it, so that a file of its weights fits.
        self.features = alexnet(weights=None).features

    def forward(self, image_BCHW: Tensor) -> list[Tensor]:
        maps = []
        for number, layer in enumerate(self.features):
            image_BCHW = layer(image_BCHW)
            if number in self.STAGE_ENDS:
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
    """Loads weights into a backbone, by name; a head's are left out.

    Args:
        backbone: Of the same architecture.
        path: A .safetensors or .pth file, a bundle, or a finished run.

    Raises:
        UserError: No such file, or weights that do not fit.
    """
    inside = [path / name for name in ("model.safetensors", "bundle/model.safetensors")]
    path = next((file for file in inside if file.is_file()), path)
    if not path.is_file():
        raise UserError(
            f"Pretrained weights {path} do not exist.",
            "A .safetensors or .pth file, a bundle, or a finished run.",
            "Correct model.pretrained.",
        )
    target = backbone.state_dict()
    own_names = {_plain_name(name): name for name in target}
    found = {
        own_names[_plain_name(key)]: value
        for key, value in _read_weights(path).items()
        if _plain_name(key) in own_names
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


def _plain_name(name: str) -> str:
    """A weight's name apart from what bundles and timm's wrappers of feature maps add to it or join in it."""
    for wrapper in ("model.", "backbone.", "body.", "model."):
        name = name.removeprefix(wrapper)
    return name.replace(".", "_")


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
        weights: dict[str, Tensor] = content.get("state_dict", content)
        return weights
    # Each format fails in its own ways; all of them mean that this is not a file of weights.
    except Exception as error:
        raise UserError(
            f"{path} cannot be read: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            "A .safetensors or .pth file that holds tensors and nothing else.",
            "Download the file again, or correct model.pretrained.",
        ) from None


def _build_timm(name: str, pretrained: bool | str, image_px: int, options: Mapping[str, Any]) -> Backbone:
    _check_name(name)
    try:
        try:
            # Vision transformers fix their number of tokens when they are made; most other nets take no size.
            return TimmBackbone(name, download=pretrained is True, options={"img_size": image_px, **options})
        except TypeError as error:
            if "img_size" not in str(error) or "img_size" in options:
                raise
            return TimmBackbone(name, download=pretrained is True, options=options)
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


def _check_name(name: str) -> None:
    import timm

    architecture, _, weights = name.partition(".")
    if not timm.is_model(architecture):
        known = ["handbook_cnn", "alexnet", *timm.list_models()]
        near = difflib.get_close_matches(architecture, known, n=6) or [*known[:2], "resnet18"]
        raise UserError(
            f"Unknown backbone `{name}`.",
            f"Nearest names: {', '.join(near)}.",
            "Use handbook_cnn, alexnet or a timm name.",
        )
    offered = timm.list_pretrained(f"{architecture}.*")
    if weights and name not in offered:
        raise UserError(
            f"Backbone `{name}`: timm has no weights `{weights}` for {architecture}.",
            f"Names with weights: {', '.join(offered) or 'none'}.",
            "Use one of these, or the name without what stands after the dot.",
        )


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
