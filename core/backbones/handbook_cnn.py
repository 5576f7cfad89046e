"""The handbook's CNN, exactly: two convolution-pool pairs, a third convolution, two dense layers.

Shapes: B batch, C channels, K labels, D dense units, h and w of the last feature map.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import UserError

HIDDEN = 64
KERNEL = 3
LAYERS = (("conv", 32), ("pool", 2), ("conv", 64), ("pool", 2), ("conv", 64))


def handbook_shapes(image_px: int, num_labels: int) -> list[tuple[str, tuple[int, ...]]]:
    """Output shape of each layer, worked out before anything is built.

    Args:
        image_px: Side of the square input.
        num_labels: Classes.

    Returns:
        (layer, shape without the batch) in order.

    Raises:
        UserError: The input is so small that a layer would have no output.
    """
    side, channels, shapes = image_px, 3, [("input", (3, image_px, image_px))]
    for kind, size in LAYERS:
        before = side
        side = side - KERNEL + 1 if kind == "conv" else side // size
        channels = size if kind == "conv" else channels
        name = f"conv {size} {KERNEL}x{KERNEL}" if kind == "conv" else f"max pool {size}"
        if side < 1:
            raise UserError(
                f"Images of {image_px} px are too small for handbook_cnn: `{name}` would get {before}x{before}.",
                "It needs 18 px at least.",
                "Raise data.image_px.",
            )
        shapes.append((name, (channels, side, side)))
    flat = channels * side * side
    return [*shapes, ("flatten", (flat,)), (f"dense {HIDDEN}", (HIDDEN,)), (f"dense {num_labels}", (num_labels,))]


class HandbookCNN(nn.Module):
    """conv 32 3x3, max pool 2, conv 64 3x3, max pool 2, conv 64 3x3, flatten, dense 64, dense K; ReLU between."""

    def __init__(self, image_px: int, num_labels: int) -> None:
        super().__init__()
        shapes = dict(handbook_shapes(image_px, num_labels))
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, 32, KERNEL), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, KERNEL), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 64, KERNEL), nn.ReLU(),
        )  # fmt: skip
        self.hidden = nn.Linear(shapes["flatten"][0], HIDDEN)
        self.label = nn.Linear(HIDDEN, num_labels)

    def forward(self, image_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, K) and the embedding (B, D)."""
        embedding_BD = F.relu(self.hidden(self.convolutions(image_BCHW).flatten(1)))
        return self.label(embedding_BD), embedding_BD

    def forward_with_evidence(self, image_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Also the evidence (B, K, h, w) that each position of the last map adds to each logit.

        The net is piecewise linear: with the ReLU of the dense layer fixed as it fired, a logit is
        its biases plus a sum over positions, exactly.
        """
        map_BChw = self.convolutions(image_BCHW)
        embedding_BD = F.relu(self.hidden(map_BChw.flatten(1)))
        fired_BD = (embedding_BD > 0).to(map_BChw.dtype)
        gated_BKD = self.label.weight[None] * fired_BD[:, None, :]
        weight_BKF = gated_BKD @ self.hidden.weight
        channels, height, width = map_BChw.shape[1:]
        weight_BKChw = weight_BKF.reshape(-1, self.label.out_features, channels, height, width)
        evidence_BKhw = (weight_BKChw * map_BChw[:, None]).sum(dim=2) * (height * width)
        return self.label(embedding_BD), embedding_BD, evidence_BKhw
