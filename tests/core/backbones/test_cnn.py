"""Image backbones by name, and weights from files."""

import pickle
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision.models import alexnet

from core.backbones.cnn import Backbone, build_backbone
from core.errors import UserError

SMALL = {"channels": [8, 8, 8, 8], "stem_width": 8}
# One of each kind: residual, depthwise, channels-last inside (swin), tokens (vit), sized (maxvit), unsized (davit).
NAMES = [
    "alexnet",
    "resnet10t",
    "convnext_atto",
    "mobilenetv3_small_050",
    "swin_tiny_patch4_window7_224",
    "vit_tiny_patch16_224",
    "efficientvit_b0",
    "mobilevit_xxs",
    "levit_128s",
]


def build(name: str, pretrained: bool | str = False, image_px: int = 64, **options: object) -> Backbone:
    return build_backbone(name, pretrained=pretrained, image_px=image_px, options=options)


@pytest.mark.parametrize("name", NAMES)
def test_backbones_give_the_maps_that_they_state(name: str) -> None:
    torch.manual_seed(0)
    backbone = build(name).eval()
    image_BCHW = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        maps = backbone(image_BCHW)
    assert [feature.shape[1] for feature in maps] == list(backbone.channels)
    sides = [feature.shape[2] for feature in maps]
    assert all(feature.shape[2] == feature.shape[3] for feature in maps)
    # AlexNet does not pad: its maps are a little smaller than its strides say.
    assert all(side <= 64 // stride for side, stride in zip(sides, backbone.strides, strict=True))
    if name != "alexnet":
        assert sides == [64 // stride for stride in backbone.strides]
    assert not torch.allclose(maps[-1][0], maps[-1][1])


def test_backbones_are_left_in_training_mode() -> None:
    assert all(module.training for module in build("resnet10t", **SMALL).modules())


def test_options_reach_the_constructor() -> None:
    assert build("resnet10t", **SMALL).channels[1:] == (8, 8, 8, 8)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resnet81", "resnet18"),
        ("alexnett", "alexnet"),
        ("handbok_cnn", "handbook_cnn"),
        ("convnext_ato", "convnext_atto"),
    ],
)
def test_unknown_names_get_the_nearest_ones(name: str, nearest: str) -> None:
    with pytest.raises(UserError, match=f"Unknown backbone `{name}`") as caught:
        build(name)
    assert nearest in caught.value.allowed


@pytest.mark.parametrize("name", ["", "???", "zzzzzzzzzzzz"])
def test_names_like_no_other_get_some_that_exist(name: str) -> None:
    with pytest.raises(UserError) as caught:
        build(name)
    assert "resnet18" in caught.value.allowed


def test_unknown_weights_of_a_known_name_list_those_that_exist() -> None:
    with pytest.raises(UserError, match="no weights `best` for convnext_atto") as caught:
        build("convnext_atto.best")
    assert "convnext_atto.d2_in1k" in caught.value.allowed


def test_unknown_options_are_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"`resnet18` refuses its options: .*'width_of_stem'"):
        build("resnet18", width_of_stem=3)


@pytest.mark.parametrize(("name", "image_px"), [("alexnet", 32), ("inception_v3", 64)])
def test_images_that_are_too_small_are_refused_by_size(name: str, image_px: int) -> None:
    with pytest.raises(UserError, match=f"`{name}` cannot read images of {image_px} px") as caught:
        build(name, image_px=image_px)
    assert "data.image_px" in caught.value.fix


def test_smallest_size_for_alexnet_is_63_px() -> None:
    assert build("alexnet", image_px=63).eval()(torch.zeros(1, 3, 63, 63))[-1].shape[2] == 1
    with pytest.raises(UserError, match="62 px"):
        build("alexnet", image_px=62)


# ---- weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("name", ["resnet10t", "convnext_atto", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_weights_as_timm_saves_them_are_loaded_bit_by_bit(tmp_path: Path, name: str, suffix: str) -> None:
    torch.manual_seed(1)
    sized = {"img_size": 64} if "patch" in name else {}
    whole = timm.create_model(name, num_classes=5, **sized).eval()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": whole.state_dict()}, path)
    else:
        save_file({key: value.contiguous() for key, value in whole.state_dict().items()}, path)
    torch.manual_seed(2)
    backbone = build(name, str(path)).eval()
    kept = list(whole.state_dict().values())
    for key, value in backbone.state_dict().items():
        assert any(value.shape == other.shape and torch.equal(value, other) for other in kept), key
    image_BCHW = torch.randn(2, 3, 64, 64)
    expected = whole.forward_intermediates(image_BCHW, intermediates_only=True, norm=False)[-1]
    assert torch.equal(backbone(image_BCHW)[-1], expected)


def test_weights_of_a_backbone_itself_are_loaded(tmp_path: Path) -> None:
    source = build("resnet10t", **SMALL)
    save_file(source.state_dict(), tmp_path / "own.safetensors")
    target = build("resnet10t", str(tmp_path / "own.safetensors"), **SMALL)
    assert all(torch.equal(value, source.state_dict()[key]) for key, value in target.state_dict().items())


def test_weights_of_alexnet_as_torchvision_saves_them_are_loaded(tmp_path: Path) -> None:
    whole = alexnet(weights=None).eval()
    torch.save(whole.state_dict(), tmp_path / "alexnet.pth")
    backbone = build("alexnet", str(tmp_path / "alexnet.pth")).eval()
    image_BCHW = torch.randn(2, 3, 64, 64)
    assert torch.equal(backbone(image_BCHW)[-1], whole.features(image_BCHW))


@pytest.mark.parametrize(
    ("options", "words"),
    [({"channels": [8, 8, 8, 16], "stem_width": 8}, "of another shape"), ({"block_args": None}, "of another shape")],
)
def test_weights_of_another_width_are_refused(tmp_path: Path, options: dict[str, object], words: str) -> None:
    save_file(build("resnet10t", **SMALL).state_dict(), tmp_path / "own.safetensors")
    with pytest.raises(UserError, match=words):
        build("resnet10t", str(tmp_path / "own.safetensors"), **options)


def test_weights_of_another_architecture_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    save_file(build("resnet10t", **SMALL).state_dict(), tmp_path / "own.safetensors")
    with pytest.raises(UserError, match=r"124 of 124 weights missing \(first: body.stages_0"):
        build("convnext_atto", str(tmp_path / "own.safetensors"))


class Harmful:
    """Unpickling this would run code."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("harm_was_done"),)


def test_files_that_hold_no_weights_are_refused_and_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "garbage.safetensors": b"not tensors",
        "garbage.pth": b"not tensors",
        "empty.pth": b"",
        "harm.pth": pickle.dumps(Harmful()),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=f"{name} cannot be read"):
            build("resnet10t", str(tmp_path / name), **SMALL)
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    with pytest.raises(UserError, match=r"tensor\.pth"):
        build("resnet10t", "tensor.pth", **SMALL)
    assert not (tmp_path / "harm_was_done").exists()


def test_missing_weights_are_refused_with_their_path(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.safetensors do not exist"):
        build("resnet10t", str(tmp_path / "nowhere.safetensors"))


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny.fb_in22k_ft_in1k"])
def test_weights_that_cannot_be_downloaded_say_how_to_go_on(name: str) -> None:
    with pytest.raises(UserError, match=f"weights of `{name}` could not be downloaded") as caught:
        build(name, True)
    assert "--model.pretrained PATH" in caught.value.fix


def test_alexnet_has_nothing_to_download() -> None:
    with pytest.raises(UserError, match="alexnet with pretrained: true"):
        build("alexnet", True)
