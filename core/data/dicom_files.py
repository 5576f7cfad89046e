"""A DICOM file becomes RGB pixels, and nothing else of it is kept: the only door to pydicom."""

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut, apply_windowing
from pydicom.pixels.utils import pixel_array

from core.data.image_files import UnreadableImage

# pydicom warns about each odd but harmless element; a data set would print thousands.
warnings.filterwarnings("ignore", module=r"pydicom\b")


def read_dicom(data: bytes, *, max_megapixels: float) -> Image.Image:
    """Reads the first frame of a DICOM file as 8-bit RGB.

    Greys pass the modality and the VOI transformation (its first window), MONOCHROME1 is inverted, palette and YBR
    become RGB. Greys without a window are stretched from their smallest to their largest value when stored with more
    than 8 bits.

    Args:
        data: The whole file.
        max_megapixels: Larger frames are refused before they are decoded.

    Raises:
        UnreadableImage: With `.reason`.

    Source: DICOM PS3.3 C.7.6.3 (image pixel), C.11.1 (modality LUT), C.11.2 (VOI LUT).
    """
    dataset = _parse(data)
    _check_header(dataset, max_megapixels)
    try:
        image = Image.fromarray(_render(dataset, pixel_array(dataset, index=0))).convert("RGB")
    except UnreadableImage:
        raise
    except Exception as error:  # each decoder has errors of its own
        raise _refusal(error) from None
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        image.info["note"] = "several frames; the first is used"
    return image


def _parse(data: bytes) -> Dataset:
    try:
        return dcmread(io.BytesIO(data))
    except Exception as error:  # a damaged element can raise nearly anything
        raise _refusal(error) from None


def _refusal(error: Exception) -> UnreadableImage:
    text = str(error).lower()
    if isinstance(error, EOFError) or "less than expected" in text or "end of file" in text or "truncated" in text:
        return UnreadableImage("truncated", "The DICOM file ends before the image does.")
    # The text of the error may quote elements of the file: only its type is told.
    return UnreadableImage("corrupt", f"The DICOM file cannot be decoded ({type(error).__name__}).")


def _check_header(dataset: Dataset, max_megapixels: float) -> None:
    rows, columns = dataset.get("Rows"), dataset.get("Columns")
    if not rows or not columns or "PixelData" not in dataset:
        raise UnreadableImage("not_an_image", "The DICOM file holds no image.", "DICOM files with pixel data are read.")
    if rows * columns > max_megapixels * 1e6:
        raise UnreadableImage(
            "too_large",
            f"The image is {columns} x {rows} pixels, {rows * columns / 1e6:.1f} megapixels.",
            f"At most {max_megapixels:g} megapixels are read.",
            "Scale it down.",
        )


def _render(dataset: Dataset, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
        return _to_8_bit(pixels, 0, np.iinfo(pixels.dtype).max)
    if pixels.ndim == 3:
        return _to_8_bit(pixels, 0, 2 ** int(dataset.BitsStored) - 1)
    values = apply_voi_lut(apply_modality_lut(pixels, dataset), dataset)
    grey = _to_8_bit(values, *_grey_range(dataset, values))
    return 255 - grey if kind == "MONOCHROME1" else grey


def _grey_range(dataset: Dataset, values: NDArray[Any]) -> tuple[float, float]:
    """The values that become black and white, after the VOI transformation."""
    if dataset.get("VOILUTSequence"):
        return 0.0, float(2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    if dataset.get("WindowCenter") is not None and dataset.get("WindowWidth") is not None:
        low, high = apply_windowing(np.array([-1e12, 1e12]), dataset)
        return float(low), float(high)
    if int(dataset.BitsStored) <= 8 and not dataset.PixelRepresentation and values.dtype == np.uint8:
        return 0.0, float(2 ** int(dataset.BitsStored) - 1)
    return float(values.min()), float(values.max())


def _to_8_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    scaled = (values.astype(np.float64) - low) * (255.0 / max(high - low, 1e-9))
    return np.asarray(np.rint(scaled.clip(0, 255)), dtype=np.uint8)
