"""Two texts, one encoder, one similarity: what is trained when queries are to find their entries.

Shapes: B pairs, D dimensions.
"""

import math

import torch
from torch import Tensor, nn

QUERY, TEXT = "query_", "text_"
"""What the names of a query's and of a text's arrays begin with."""
FIRST_SCALE, LARGEST_SCALE = 20.0, 100.0


class Matcher(nn.Module):
    """Vectors of queries and of texts, and what their cosines are multiplied by.

    Args:
        backbone: Arrays of texts to unit vectors (B, D); a TextBag, or a pretrained encoder.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """`query_vector` and `text_vector` (B, D), and `scale` ()."""
        vectors = {f"{prefix}vector": self.backbone(**part(inputs, prefix)) for prefix in (QUERY, TEXT)}
        return {**vectors, "scale": self.log_scale.exp().clamp(max=LARGEST_SCALE)}


def part(inputs: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The arrays of one of the two texts, as the encoder names them."""
    return {name.removeprefix(prefix): value for name, value in inputs.items() if name.startswith(prefix)}
