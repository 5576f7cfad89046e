"""Heads: evidence that adds up to logits and equals Grad-CAM, masks, learnt weights of losses."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.backbones.cnn import build_backbone
from core.backbones.heads import LossWeights, MaskDecoder, PooledClassifier

LABELS = 3


@pytest.mark.parametrize("num_metadata", [0, 5])
def test_mean_evidence_bias_and_metadata_add_up_to_the_logits(num_metadata: int) -> None:
    torch.manual_seed(0)
    head = PooledClassifier(7, LABELS, num_metadata, dropout=0.5).eval()
    features_BChw = torch.randn(4, 7, 5, 6)
    metadata_BM = torch.randn(4, num_metadata) if num_metadata else None
    logits_BK, embedding_BC = head(features_BChw, metadata_BM)
    added_BK = head.evidence(features_BChw).mean(dim=(2, 3)) + head.label.bias
    if head.metadata is not None:
        added_BK = added_BK + head.metadata(metadata_BM)
    torch.testing.assert_close(added_BK, logits_BK)
    torch.testing.assert_close(embedding_BC, features_BChw.mean(dim=(2, 3)))


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    head = PooledClassifier(64, LABELS, 0, dropout=0.5)
    features = torch.randn(2, 64, 2, 2)
    assert not torch.equal(head.train()(features, None)[0], head(features, None)[0])
    assert torch.equal(head.eval()(features, None)[0], head(features, None)[0])


class Classifier(nn.Module):
    """A residual net with the pooled head, whose residual branches act."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = build_backbone(
            "resnet10t", pretrained=False, image_px=96, options={"channels": [8, 8, 16, 16], "zero_init_last": False}
        )
        self.head = PooledClassifier(self.backbone.channels[-1], LABELS, 0, dropout=0.0)
        # The package adds 1e-7 to what it divides by: evidence must be large beside it.
        nn.init.normal_(self.head.label.weight, std=100.0)
        for buffer_name, buffer in self.backbone.named_buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 1.5) if "var" in buffer_name else buffer.normal_(0, 0.1)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return self.head(self.backbone(image_BCHW)[-1], None)[0]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier().eval()


@pytest.fixture(scope="module")
def image_BCHW() -> Tensor:
    return torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("label", range(LABELS))
def test_evidence_is_grad_cam_by_definition_up_to_a_factor(
    classifier: Classifier, image_BCHW: Tensor, label: int
) -> None:
    features_BChw = classifier.backbone(image_BCHW)[-1].detach().requires_grad_()
    classifier.head(features_BChw, None)[0][:, label].sum().backward()
    assert features_BChw.grad is not None
    # Selvaraju et al. 2017, equation 1: channels weighted by their mean gradient (before the ReLU).
    weight_BC11 = features_BChw.grad.mean(dim=(2, 3), keepdim=True)
    grad_cam_Bhw = (weight_BC11 * features_BChw).sum(dim=1).detach()
    evidence_Bhw = classifier.head.evidence(features_BChw.detach())[:, label].detach()
    height, width = evidence_Bhw.shape[1:]
    torch.testing.assert_close(grad_cam_Bhw * (height * width), evidence_Bhw, rtol=1e-4, atol=1e-4)
    assert evidence_Bhw.std() > 1e-4


@pytest.mark.filterwarnings("default")
def test_positive_evidence_is_what_the_grad_cam_package_shows(classifier: Classifier, image_BCHW: Tensor) -> None:
    grad_cam = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.image import scale_cam_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    last_layer = classifier.backbone.body.layer4
    with torch.no_grad():
        evidence_BKhw = classifier.head.evidence(classifier.backbone(image_BCHW)[-1]).numpy()
    is_shown = False
    for label in range(LABELS):
        with grad_cam.GradCAM(model=classifier, target_layers=[last_layer]) as cam:
            shown = cam(input_tensor=image_BCHW, targets=[ClassifierOutputTarget(label)] * len(image_BCHW))
        # The package scales the map of each layer, and then their mean again.
        expected = scale_cam_image(scale_cam_image(np.maximum(evidence_BKhw[:, label], 0), (96, 96)))
        np.testing.assert_allclose(shown, expected, atol=1e-4)
        is_shown = is_shown or shown.std() > 0.01
    assert is_shown


def test_mask_is_decoded_at_the_finest_map_and_learns_from_all_of_them() -> None:
    torch.manual_seed(0)
    decoder = MaskDecoder([4, 8, 16], width=8)
    maps = [torch.randn(2, c, s, s, requires_grad=True) for c, s in ((4, 16), (8, 8), (16, 4))]
    mask_Bhw = decoder(maps)
    assert mask_Bhw.shape == (2, 16, 16)
    mask_Bhw.square().sum().backward()
    assert all(feature.grad is not None and feature.grad.abs().sum() > 0 for feature in maps)


def test_one_map_alone_is_enough_for_a_mask() -> None:
    assert MaskDecoder([4], width=8)([torch.randn(2, 4, 6, 6)]).shape == (2, 6, 6)


def test_weights_of_losses_start_equal() -> None:
    assert LossWeights(2)().tolist() == [0.0, 0.0]
