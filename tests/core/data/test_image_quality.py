"""Blur lowers sharpness, light raises brightness; a batch equals its images."""

import numpy as np
from PIL import Image, ImageFilter

from core.data.image_quality import image_quality
from tests.core.data.conftest import draw_pixels


def test_image_quality_of_batch_equals_its_images() -> None:
    batch = np.stack([draw_pixels(number) for number in range(4)])
    sharpness, brightness = image_quality(batch)
    singles = [image_quality(image) for image in batch]
    assert sharpness.shape == brightness.shape == (4,)
    np.testing.assert_allclose(sharpness, [float(single[0]) for single in singles], rtol=1e-5)
    np.testing.assert_allclose(brightness, [float(single[1]) for single in singles], rtol=1e-5)


def test_image_quality_of_blurred_image_is_lower() -> None:
    image = Image.fromarray(draw_pixels(1))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(3)))
    assert image_quality(blurred)[0] < image_quality(np.asarray(image))[0] / 5


def test_image_quality_by_hand() -> None:
    image = np.zeros((3, 4, 3), np.uint8)
    image[1, 1] = 10  # the Laplacian is -40 there and 10 to the right: mean -15, variance 625
    sharpness, brightness = image_quality(image)
    assert np.isclose(sharpness, 625)
    assert np.isclose(brightness, 10 / 12)
