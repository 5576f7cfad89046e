"""One image file, upload or array becomes RGB pixels: the same code for training and for the web page."""

import io
import os
import warnings
from pathlib import Path, PurePath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from core.errors import UserError

Reason = Literal["missing", "empty_file", "not_an_image", "truncated", "corrupt", "too_large", "wrong_mode"]
ImageInput = str | Path | bytes | Image.Image | NDArray[Any]

# Only formats decoded inside Pillow itself: PostScript and the like would start other programs.
FORMATS = ("JPEG", "PNG", "BMP", "DIB", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000")
IMAGE_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp"),
        *(".ppm", ".pgm", ".pbm", ".jp2", ".j2k", ".dcm", ".dicom"),
    )
)
ALLOWED = "Images are JPEG, PNG, WebP, TIFF, BMP, GIF, PPM, JPEG 2000 or DICOM."
ORIENTATION_TAG = 0x0112
TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Start of a file of each kind, and what a whole one holds at its end.
SIGNATURES = {
    **{b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG\r\n\x1a\n": b"IEND"},
    **dict.fromkeys((b"GIF8", b"II*\0", b"MM\0*", b"RIFF"), b""),
}
JPEG_FORMATS = ("JPEG", "MPO")

# All formats are loaded now: Pillow's loading at first need is not made for threads.
Image.init()
# Our own limit in megapixels is checked from the header; Pillow's warning below its hard limit would only repeat it.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class UnreadableImage(UserError):
    """An image that is refused, with the reason as a short code for programs.

    Args:
        reason: One of `Reason`.
        what: The reason as a sentence.
    """

    def __init__(self, reason: Reason, what: str, allowed: str = ALLOWED, fix: str = "Give another image.") -> None:
        self.reason: Reason = reason
        super().__init__(what, allowed, fix)


def read_image(source: ImageInput, *, max_megapixels: float = 50.0) -> Image.Image:
    """Reads an image upright, as 8-bit RGB, without any metadata of the file.

    EXIF orientation is applied; transparency is laid on white; 16-bit greys are scaled by their full range; DICOM gets
    its modality and VOI transformations. Of several frames the first is taken, and `image.info["note"]` says so.

    Args:
        source: Path, bytes of a file, Pillow image, or uint8 array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).
        max_megapixels: Larger images are refused by their header, before they are decoded.

    Raises:
        UnreadableImage: With `.reason`.
    """
    if isinstance(source, (str, Path)):
        source = read_bytes(Path(source))
    if isinstance(source, np.ndarray):
        _check_size(source.shape[1::-1] if source.ndim > 1 else (0, 0), max_megapixels)
        return _as_rgb(_from_array(source))
    if isinstance(source, Image.Image):
        _check_size(source.size, max_megapixels)
        return _decode(source)
    if not source:
        raise UnreadableImage("empty_file", "The file is empty (0 bytes).")
    if is_dicom(source):
        from core.data.dicom_files import read_dicom

        return read_dicom(source, max_megapixels=max_megapixels)
    return _decode(_open(source, max_megapixels))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, or UnreadableImage when it is missing or may not be read."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UnreadableImage("missing", f"There is no file {path}.", fix="Correct the path.") from None
    except OSError as error:
        raise UnreadableImage("corrupt", f"{path} cannot be read: {error.strerror}.") from None


def is_dicom(start: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does."""
    return start[128:132] == b"DICM"


def is_image_name(path: str | os.PathLike[str]) -> bool:
    """Whether the name ends as an image's does."""
    return PurePath(path).suffix.lower() in IMAGE_SUFFIXES


def to_square(image: Image.Image, px: int) -> NDArray[np.uint8]:
    """Squeezes an image into a square, with antialiasing.

    JPEG's fast scaled decoding (`Image.draft`) is not used: an upload that arrives as an array could not have it, and
    the page would then see other pixels than training did.

    Returns:
        uint8 (px, px, 3).
    """
    return np.asarray(image.resize((px, px), Image.Resampling.BICUBIC, reducing_gap=3.0), dtype=np.uint8)


def read_mask(source: ImageInput, px: int, *, max_megapixels: float = 50.0) -> NDArray[np.uint8]:
    """Reads a mask and resizes it to a square.

    Non-zero is foreground (in JPEG, which blurs edges: brighter than half). A pixel of the result is foreground where
    at least half of its area was; a mask too small for that keeps its best covered pixel.

    Returns:
        uint8 (px, px) of 0 and 1.
    """
    mask = read_full_mask(source, max_megapixels=max_megapixels)
    return shrink_mask(mask, px)


def read_full_mask(source: ImageInput, *, max_megapixels: float = 50.0) -> NDArray[np.bool_]:
    """Reads a mask at its own size: bool (H, W)."""
    if isinstance(source, (str, Path)):
        source = read_bytes(Path(source))
    if isinstance(source, bytes):
        if not source:
            raise UnreadableImage("empty_file", "The mask file is empty (0 bytes).")
        source = _open(source, max_megapixels)
    if isinstance(source, np.ndarray):
        return np.asarray(source.reshape(*source.shape[:2], -1).any(axis=-1))
    is_lossy = source.format in JPEG_FORMATS
    values = np.asarray(_upright(_loaded(source)))
    if source.mode in ("LA", "PA", "RGBA"):
        values = values[..., :-1] * (values[..., -1:] > 0)
    if values.ndim == 3:
        values = values.max(axis=-1)
    return np.asarray(values > 127 if is_lossy else values != 0)


def shrink_mask(mask: NDArray[np.bool_], px: int) -> NDArray[np.uint8]:
    """Resizes a mask by covered area: bool (H, W) to uint8 (px, px) of 0 and 1."""
    covered = Image.fromarray(mask.astype(np.uint8) * 255).resize((px, px), Image.Resampling.BOX)
    share = np.asarray(covered)
    small = share >= 128
    if not small.any() and mask.any():
        small = share == share.max()
    return small.astype(np.uint8)


def _open(data: bytes, max_megapixels: float) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableImage(
            "too_large", "The image is far larger than allowed.", f"At most {max_megapixels:g} megapixels."
        ) from None
    except Exception as error:  # a broken header can raise nearly anything from a format's parser
        raise _damaged("header is", error) from None
    _check_size(image.size, max_megapixels)
    return image


def _unidentified(data: bytes) -> UnreadableImage:
    """Why Pillow does not know the content: another kind of file, or an image whose header is cut or damaged."""
    end = next((end for start, end in SIGNATURES.items() if data.startswith(start)), None)
    if end is None:
        return UnreadableImage("not_an_image", "The content is not an image in a known format.")
    if end not in data:
        return UnreadableImage("truncated", "The file ends before the image does.")
    return UnreadableImage("corrupt", "The file starts as an image does, but its header is damaged.")


def _damaged(what: str, error: Exception) -> UnreadableImage:
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return UnreadableImage("truncated", "The file ends before the image does.")
    return UnreadableImage("corrupt", f"The {what} damaged ({type(error).__name__}: {error}).")


def _check_size(size: tuple[int, ...], max_megapixels: float) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise UnreadableImage("corrupt", f"The image is {width} x {height} pixels.", "Both sides are at least 1 pixel.")
    if width * height > max_megapixels * 1e6:
        raise UnreadableImage(
            "too_large",
            f"The image is {width} x {height} pixels, {width * height / 1e6:.1f} megapixels.",
            f"At most {max_megapixels:g} megapixels are read.",
            "Scale it down.",
        )


def _decode(image: Image.Image) -> Image.Image:
    has_frames = image.format in ("GIF", "TIFF", "WEBP") and getattr(image, "is_animated", False)
    rgb = _as_rgb(_upright(_loaded(image)))
    if has_frames:
        rgb.info["note"] = "several frames; the first is used"
    return rgb


def _loaded(image: Image.Image) -> Image.Image:
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # other libraries switch it on, and missing rows would become grey
    try:
        image.load()
    except Image.DecompressionBombError:
        raise UnreadableImage("too_large", "The image unpacks to far more than allowed.") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, ...
        raise _damaged("pixels are", error) from None
    return image


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # damaged EXIF says nothing about the pixels, which are whole
        orientation = 1
    return image.transpose(TRANSPOSED[orientation]) if orientation in TRANSPOSED else image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = _from_16_bit(image)
    elif image.mode == "F":
        raise UnreadableImage(
            "wrong_mode",
            "The pixels are floating-point numbers, whose range is not known.",
            fix="Save it with 8 or 16 bits.",
        )
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    rgb = image.convert("RGB") if image.mode != "RGB" else image.copy()
    rgb.info = {}  # no EXIF, no place, no comments
    return rgb


def _from_16_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise UnreadableImage(
            "wrong_mode", f"The pixels run from {values.min()} to {values.max()}.", "Greys have 8 or 16 bits."
        )
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _from_array(array: NDArray[Any]) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    is_image = array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4)))
    if not is_image:
        raise UnreadableImage(
            "wrong_mode",
            f"The array has dtype {array.dtype} and shape {array.shape}.",
            "An image is uint8 of shape (H, W), (H, W, 3) or (H, W, 4).",
            "Convert it first.",
        )
    return Image.fromarray(np.ascontiguousarray(array))
