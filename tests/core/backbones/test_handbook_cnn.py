"""The handbook's network: its shapes, and evidence that adds up."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.backbones.handbook_cnn import HandbookCNN, handbook_shapes
from core.errors import UserError

STEADY = settings(deadline=None, derandomize=True, max_examples=25)


@STEADY
@given(image_px=st.integers(18, 96), num_labels=st.integers(2, 12))
def test_shapes_worked_out_are_those_of_the_network(image_px: int, num_labels: int) -> None:
    net = HandbookCNN(image_px, num_labels).eval()
    seen: list[tuple[int, ...]] = [(3, image_px, image_px)]
    kinds = (nn.Conv2d, nn.MaxPool2d, nn.Linear)
    for layer in net.modules():
        if isinstance(layer, kinds):
            if layer is net.hidden:
                layer.register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape[1:])))
            layer.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    with torch.no_grad():
        net(torch.zeros(1, 3, image_px, image_px))
    assert seen == [shape for _, shape in handbook_shapes(image_px, num_labels)]


def test_shapes_at_28_px_are_those_of_the_handbook() -> None:
    assert handbook_shapes(28, 10) == [
        ("input", (3, 28, 28)),
        ("conv 32 3x3", (32, 26, 26)),
        ("max pool 2", (32, 13, 13)),
        ("conv 64 3x3", (64, 11, 11)),
        ("max pool 2", (64, 5, 5)),
        ("conv 64 3x3", (64, 3, 3)),
        ("flatten", (576,)),
        ("dense 64", (64,)),
        ("dense 10", (10,)),
    ]


@pytest.mark.parametrize("image_px", [17, 10, 4, 2, 1])
def test_images_that_are_too_small_are_refused_before_anything_is_built(image_px: int) -> None:
    with pytest.raises(UserError, match=f"Images of {image_px} px are too small .* would get") as caught:
        HandbookCNN(image_px, 3)
    assert "18 px" in caught.value.allowed
    assert caught.value.fix == "Raise data.image_px."


@STEADY
@given(image_px=st.integers(18, 40), seed=st.integers(0, 1000))
def test_evidence_and_biases_add_up_to_the_logits(image_px: int, seed: int) -> None:
    torch.manual_seed(seed)
    net = HandbookCNN(image_px, 3).double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        image_BCHW = torch.randn(4, 3, image_px, image_px, dtype=torch.float64)
        logits_BK, embedding_BD, evidence_BKhw = net.forward_with_evidence(image_BCHW)
        fired_BD = (embedding_BD > 0).double()
        bias_BK = net.label.bias + (fired_BD * net.hidden.bias) @ net.label.weight.T
    torch.testing.assert_close(evidence_BKhw.mean(dim=(2, 3)) + bias_BK, logits_BK, rtol=1e-10, atol=1e-10)
    plain_BK, plain_BD = net(image_BCHW)
    torch.testing.assert_close(plain_BK, logits_BK)
    torch.testing.assert_close(plain_BD, embedding_BD)
    assert logits_BK.std(dim=0).min() > 1e-4
