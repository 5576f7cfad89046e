"""The whole image model: what training gets, what is served."""

import pytest
import torch

from core.backbones.image_config import ImageModelConfig
from core.backbones.image_model import HandbookModel, ImageModel, PixelNormalization, build_image_model
from core.errors import UserError

SMALL = {"channels": [8, 8, 8, 8], "stem_width": 8, "zero_init_last": False}
MEAN, STD = (120.0, 90.0, 60.0), (50.0, 40.0, 30.0)


def build(
    *, num_metadata: int = 0, has_masks: bool = False, backbone: str = "resnet10t", **settings: object
) -> ImageModel | HandbookModel:
    torch.manual_seed(0)
    options = SMALL if backbone == "resnet10t" else {}
    return build_image_model(
        ImageModelConfig.model_validate({"backbone": backbone, "options": options, "mask_channels": 8, **settings}),
        image_px=32,
        num_labels=4,
        num_metadata=num_metadata,
        has_masks=has_masks,
        pixel_mean=MEAN,
        pixel_std=STD,
    )


def pixels(rows: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (rows, 32, 32, 3), dtype=torch.uint8, generator=generator)


def test_pixels_are_standardised_in_the_graph() -> None:
    normalize = PixelNormalization(MEAN, STD)
    image_BCHW = normalize(pixels())
    expected = (pixels().double() - torch.tensor(MEAN).double()) / torch.tensor(STD).double()
    torch.testing.assert_close(image_BCHW, expected.permute(0, 3, 1, 2).float())
    assert torch.equal(image_BCHW, normalize(pixels().float()))


@pytest.mark.parametrize("num_metadata", [0, 5])
@pytest.mark.parametrize("has_masks", [False, True])
def test_served_outputs_agree_with_training_outputs(num_metadata: int, has_masks: bool) -> None:
    model = build(num_metadata=num_metadata, has_masks=has_masks).eval()
    metadata = torch.randn(3, num_metadata) if num_metadata else None
    inputs = {"image": pixels()} | ({} if metadata is None else {"metadata": metadata})
    trained, served = model(**inputs), model.serve(**inputs)
    assert set(served) == {"logits", "embedding", "evidence"} | ({"mask"} if has_masks else set())
    assert set(trained) == {"logits", "embedding"} | ({"mask_logits", "log_variance"} if has_masks else set())
    assert torch.equal(trained["logits"], served["logits"])
    assert served["evidence"].shape[:2] == (3, 4)
    if has_masks:
        assert torch.equal(served["mask"], trained["mask_logits"].sigmoid())
    assert trained["logits"].std(dim=0).min() > 0


def test_metadata_changes_the_logits_and_not_the_evidence() -> None:
    model = build(num_metadata=5).eval()
    one, other = (model.serve(pixels(), torch.full((3, 5), value)) for value in (0.0, 1.0))
    assert not torch.allclose(one["logits"], other["logits"])
    assert torch.equal(one["evidence"], other["evidence"])


def test_losses_weighed_equally_have_nothing_to_learn() -> None:
    assert "log_variance" not in build(has_masks=True, loss_weighting="equal")(pixels())


def test_handbook_model_serves_the_same_outputs() -> None:
    model = build(backbone="handbook_cnn").eval()
    served = model.serve(pixels())
    assert set(served) == {"logits", "embedding", "evidence"}
    torch.testing.assert_close(served["logits"], model(pixels())["logits"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pretrained": True}, "pretrained"),
        ({"options": {"depth": 3}}, "options"),
        ({"has_masks": True}, "masks"),
        ({"num_metadata": 4}, "metadata"),
    ],
)
def test_handbook_model_refuses_what_it_is_not(settings: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=f"handbook_cnn with {words}"):
        build(backbone="handbook_cnn", **settings)  # type: ignore[arg-type]


def test_handbook_model_that_is_too_small_says_so() -> None:
    with pytest.raises(UserError, match="too small"):
        build_image_model(
            ImageModelConfig(backbone="handbook_cnn"),
            image_px=17,
            num_labels=2,
            num_metadata=0,
            has_masks=False,
            pixel_mean=MEAN,
            pixel_std=STD,
        )
