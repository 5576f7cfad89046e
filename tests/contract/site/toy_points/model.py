"""Two layers that tell the sides apart."""

from torch import Tensor, nn


class PointModel(nn.Module):
    def __init__(self, hidden: int, num_labels: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, hidden)
        self.label = nn.Linear(hidden, num_labels)

    def forward(self, point: Tensor) -> dict[str, Tensor]:
        embedding = self.hidden(point).relu()
        return {"logits": self.label(embedding), "embedding": embedding}

    def serve(self, point: Tensor) -> dict[str, Tensor]:
        return self(point)
