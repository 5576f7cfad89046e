"""How sharp and how bright an image is: the two numbers that tell a usable photo from a blurred or dark one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def image_quality(image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sharpness and brightness of one image or of a batch.

    Sharpness is the variance of the 4-neighbour Laplacian of the grey image, borders left out (grey levels squared); it
    depends on the size, so compare only images of one size. Brightness is the mean grey level, 0 to 255.

    Args:
        image: uint8 (H, W, 3) or (B, H, W, 3).

    Returns:
        Sharpness and brightness, each of shape () or (B,).

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000 (variance of the Laplacian).
    """
    grey: NDArray[Any] = np.asarray(image, dtype=np.float32) @ GREY_WEIGHTS
    centre = grey[..., 1:-1, 1:-1]
    vertical = grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1]
    horizontal = grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:]
    laplacian = vertical + horizontal - 4 * centre
    return laplacian.var(axis=(-2, -1), dtype=np.float64), grey.mean(axis=(-2, -1), dtype=np.float64)
