"""The graph that is served: calibrated probabilities, novelty, and the model's own explanation, in one pass.

Shapes: B batch, K labels, D features, N training examples.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class PlainGraph(nn.Module):
    """A trained model without classes as it is served: what it says, it says.

    Args:
        model: Offers `serve(**inputs)`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        return dict(self.model.serve(**inputs))  # type: ignore[operator]


class ServingGraph(nn.Module):
    """A trained model as it is served.

    Args:
        model: Offers `serve(**inputs)` with `logits`, `embedding` and perhaps more.
        novelty: Logits and embedding to one number an example, higher = stranger.
        temperature: Divides the logits.
    """

    def __init__(self, model: nn.Module, novelty: nn.Module, temperature: float) -> None:
        super().__init__()
        self.model, self.novelty, self.temperature = model, novelty, temperature

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        outputs: Mapping[str, Tensor] = self.model.serve(**inputs)  # type: ignore[operator]
        served = {
            "probabilities": torch.softmax(outputs["logits"] / self.temperature, dim=-1),
            "novelty": self.novelty(outputs["logits"], outputs["embedding"]),
        }
        return served | {name: value for name, value in outputs.items() if name not in ("logits", "embedding")}
