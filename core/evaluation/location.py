"""How well a predicted place agrees with the true one: overlap of masks and the pointing game.

Legend: H rows, W columns of the true mask; h, w of a coarser heat map.
"""

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.floating]

POINTING_TOLERANCE = 0.05
"""Share of the longer side by which the peak may miss; Zhang et al. allow 15 pixels on pictures of about 300 to 500."""


def iou(predicted_HW: BoolArray, true_HW: BoolArray) -> float:
    """Intersection over union (Jaccard index); 1 where both masks are empty."""
    union = np.count_nonzero(predicted_HW | true_HW)
    return float(np.count_nonzero(predicted_HW & true_HW) / union) if union else 1.0


def dice(predicted_HW: BoolArray, true_HW: BoolArray) -> float:
    """2 |A and B| / (|A| + |B|) (Dice 1945); 1 where both masks are empty."""
    total = np.count_nonzero(predicted_HW) + np.count_nonzero(true_HW)
    return float(2 * np.count_nonzero(predicted_HW & true_HW) / total) if total else 1.0


def is_pointing_hit(heat_hw: FloatArray, mask_HW: BoolArray, tolerance: float = POINTING_TOLERANCE) -> bool:
    """Whether the peak of a heat map lies in the mask, or near it.

    The heat map may be coarser than the mask; its peak is the middle of the hottest cell, the first of ties. A map
    that is the same everywhere points nowhere, and an empty mask cannot be hit: both are misses.

    Args:
        heat_hw: Higher is hotter.
        mask_HW: The true place.
        tolerance: Distance that still counts, as a share of the mask's longer side.

    Source: Zhang et al., Top-Down Neural Attention by Excitation Backprop, IJCV 2018, section 4.2.
    """
    if not mask_HW.any() or float(np.ptp(heat_hw)) == 0:
        return False
    row, column = np.unravel_index(int(np.argmax(heat_hw)), heat_hw.shape)
    scale = np.array(mask_HW.shape) / heat_hw.shape
    peak = (np.array([row, column]) + 0.5) * scale
    offsets = np.maximum(0, np.abs(np.argwhere(mask_HW) + 0.5 - peak) - 0.5)
    return bool(np.hypot(offsets[:, 0], offsets[:, 1]).min() <= tolerance * max(mask_HW.shape))
