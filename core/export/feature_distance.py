"""How far features lie from those of the training data.

Shapes: B batch, K labels, D features, N training examples.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class FeatureDistance(nn.Module):
    """How far features lie from those of the training data: the Mahalanobis distance to the nearest label's mean.

    Args:
        mean_KD: Mean of each label's training features.
        whitening_DD: Square root of the inverse of their common covariance.

    Source: Lee et al., A Simple Unified Framework for Detecting Out-of-Distribution Samples, NeurIPS 2018.
    """

    whitened_mean: Tensor
    whitening: Tensor

    def __init__(self, mean_KD: Tensor, whitening_DD: Tensor) -> None:
        super().__init__()
        self.register_buffer("whitened_mean", mean_KD @ whitening_DD)
        self.register_buffer("whitening", whitening_DD)

    def forward(self, embedding_BD: Tensor) -> Tensor:
        """(B,) root mean square over the D whitened directions, so about 1 for training data."""
        whitened_BD = embedding_BD @ self.whitening
        gap_BKD = whitened_BD[:, None, :] - self.whitened_mean[None]
        return gap_BKD.square().mean(dim=2).amin(dim=1).sqrt()


def fit_feature_distance(embedding_ND: npt.NDArray[np.float32], label_N: npt.NDArray[np.int64]) -> FeatureDistance:
    """Fits the distance on training features; their covariance is shrunk, since D may be near N.

    Source: Ledoit and Wolf, A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices, 2004.
    """
    from sklearn.covariance import ledoit_wolf

    labels, position_N = np.unique(label_N, return_inverse=True)
    mean_KD = np.stack([embedding_ND[position_N == k].mean(axis=0) for k in range(len(labels))])
    centred_ND = (embedding_ND - mean_KD[position_N]).astype(np.float64)
    covariance_DD, _ = ledoit_wolf(centred_ND, assume_centered=True)
    values_D, vectors_DD = np.linalg.eigh(covariance_DD)
    # Directions in which training features never vary would turn rounding into distance.
    values_D = np.maximum(values_D, 1e-6 * values_D.max())
    whitening_DD = vectors_DD / np.sqrt(values_D)
    return FeatureDistance(
        torch.from_numpy(mean_KD.astype(np.float32)), torch.from_numpy(whitening_DD.astype(np.float32))
    )
