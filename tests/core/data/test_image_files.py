"""Every kind of image file becomes upright RGB, or is refused with the right reason."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.data.image_files import UnreadableImage, read_image, read_mask, to_square
from tests.core.data.conftest import draw_pixels, write_image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture() -> Image.Image:
    return Image.fromarray(draw_pixels(1))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims to be huge and is a few hundred bytes long."""
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b"\0" * 9999)]
    packed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


LOSSLESS: dict[str, Callable[[], bytes]] = {
    "png": lambda: encoded(picture(), "PNG"),
    "bmp": lambda: encoded(picture(), "BMP"),
    "tiff": lambda: encoded(picture(), "TIFF"),
    "webp": lambda: encoded(picture(), "WEBP", lossless=True),
    "ppm": lambda: encoded(picture(), "PPM"),
    "opaque rgba": lambda: encoded(picture().convert("RGBA"), "PNG"),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_read_image_of_lossless_file_gives_its_pixels(kind: str) -> None:
    image = read_image(LOSSLESS[kind]())
    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image), draw_pixels(1))


LOSSY: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: encoded(picture(), "JPEG", quality=95),
    "cmyk jpeg": lambda: encoded(picture().convert("CMYK"), "JPEG", quality=95),
    "jpeg 2000": lambda: encoded(picture(), "JPEG2000"),
    "palette png": lambda: encoded(picture().quantize(256), "PNG"),
}


@pytest.mark.parametrize("kind", LOSSY)
def test_read_image_of_lossy_file_gives_nearly_its_pixels(kind: str) -> None:
    difference = np.abs(np.asarray(read_image(LOSSY[kind]()), np.int16) - draw_pixels(1))
    assert difference.mean() < 6


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 4), 77), (77, 77, 77)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 32896, np.uint16)), (128, 128, 128)),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 51)), (255, 204, 204)),
        (Image.new("LA", (4, 4), (10, 0)), (255, 255, 255)),
    ],
    ids=["grey", "one bit", "16 bit", "16 bit white", "transparent", "half transparent", "transparent grey"],
)
def test_read_image_of_other_modes_converts_properly(image: Image.Image, expected: tuple[int, int, int]) -> None:
    assert read_image(encoded(image, "PNG")).getpixel((1, 1)) == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_read_image_applies_exif_orientation_and_forgets_exif(orientation: int) -> None:
    upright = picture()
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpositions that undo each orientation
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = orientation, "Jane Doe"
    image = read_image(encoded(stored, "PNG", exif=exif))
    assert np.array_equal(np.asarray(image), draw_pixels(1))
    assert not image.getexif()
    assert "Jane" not in str(image.info)


def test_read_image_reads_every_kind_of_source_alike(tmp_path: Path) -> None:
    path = write_image(tmp_path / "空 格 图.png", 1)
    pixels = draw_pixels(1)
    sources = [
        path,
        str(path),
        path.read_bytes(),
        Image.open(path),
        pixels,
        np.dstack([pixels, pixels[..., :1] * 0 + 255]),
    ]
    assert all(np.array_equal(np.asarray(read_image(source)), pixels) for source in sources)
    assert np.asarray(read_image(pixels[..., 0])).shape == (40, 48, 3)


def test_read_image_of_several_frames_takes_the_first_and_says_so() -> None:
    frames = [Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")]
    image = read_image(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert image.getpixel((0, 0)) == (255, 0, 0)
    assert "first" in image.info["note"]


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no bytes": (lambda: b"", "empty_file"),
    "text": (lambda: b"this is no image at all", "not_an_image"),
    "jpeg cut": (lambda: LOSSY["jpeg"]()[:900], "truncated"),
    "png cut": (lambda: LOSSLESS["png"]()[:900], "truncated"),
    "bmp cut": (lambda: LOSSLESS["bmp"]()[:900], "truncated"),
    "tiff cut": (lambda: LOSSLESS["tiff"]()[:900], "truncated"),
    "png bit flipped": (lambda: LOSSLESS["png"]()[:700] + b"\xff" * 300 + LOSSLESS["png"]()[1000:], "corrupt"),
    "bomb of 100 megapixels": (lambda: png_header(10_000, 10_000), "too_large"),
    "bomb of 10,000 megapixels": (lambda: png_header(100_000, 100_000), "too_large"),
    "large array": (lambda: np.zeros((8000, 8000), np.uint8), "too_large"),
    "damaged header": (lambda: LOSSLESS["png"]()[:20] + b"\0" * 50 + LOSSLESS["png"]()[70:], "corrupt"),
    "header cut": (lambda: LOSSY["jpeg"]()[:50], "truncated"),
    "float array": (lambda: np.zeros((8, 8, 3)), "wrong_mode"),
    "array of five channels": (lambda: np.zeros((8, 8, 5), np.uint8), "wrong_mode"),
    "empty array": (lambda: np.zeros((0, 8, 3), np.uint8), "corrupt"),
    "float tiff": (lambda: encoded(Image.new("F", (8, 8), 0.5), "TIFF"), "wrong_mode"),
    "32-bit tiff": (lambda: encoded(Image.new("I", (8, 8), 99_999), "TIFF"), "wrong_mode"),
    "no file": (lambda: Path("/nowhere/at/all.jpg"), "missing"),
    "folder": (lambda: Path("/"), "missing"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_read_image_of_bad_source_is_refused_with_reason(kind: str) -> None:
    source, reason = REFUSED[kind]
    with pytest.raises(UnreadableImage) as caught:
        read_image(source())
    assert caught.value.reason == reason
    assert caught.value.what.endswith(".")


@pytest.mark.parametrize("length", range(0, 1500, 50))
def test_read_image_of_cut_jpeg_never_pads(length: int) -> None:
    data = LOSSY["jpeg"]()
    with pytest.raises(UnreadableImage):
        read_image(data[: min(length, len(data) - 40)])


def test_to_square_of_path_bytes_and_array_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(draw_pixels(3, 700, 900)).save(path)
    array = np.asarray(Image.open(path))
    squares = [to_square(read_image(source), 64) for source in (path, path.read_bytes(), array)]
    assert squares[0].shape == (64, 64, 3)
    assert squares[0].dtype == np.uint8
    assert all(np.array_equal(squares[0], square) for square in squares[1:])


def test_to_square_antialiases() -> None:
    checks = np.indices((400, 400)).sum(axis=0) % 2 * 255
    square = to_square(read_image(checks.astype(np.uint8)), 40)
    assert 110 < square.min() <= square.max() < 145


def half_mask() -> np.ndarray[Any, np.dtype[np.uint8]]:
    mask = np.zeros((60, 80), np.uint8)
    mask[:, :40] = 255
    return mask


@pytest.mark.parametrize(
    "source",
    [
        half_mask(),
        half_mask() // 255,
        half_mask() > 0,
        encoded(Image.fromarray(half_mask()), "PNG"),
        encoded(Image.fromarray(half_mask() // 255), "PNG"),
        encoded(Image.fromarray(half_mask()), "JPEG", quality=40),
        encoded(Image.fromarray(np.dstack([half_mask()] * 3)), "PNG"),
        encoded(Image.fromarray(np.dstack([half_mask() * 0 + 9] * 3 + [half_mask()]), "RGBA"), "PNG"),
    ],
    ids=["255", "1", "bool", "png", "png of 1", "jpeg", "rgb png", "alpha png"],
)
def test_read_mask_gives_zeros_and_ones(source: Any) -> None:
    mask = read_mask(source, 20)
    assert mask.shape == (20, 20)
    assert mask.dtype == np.uint8
    assert mask[:, :10].all()
    assert not mask[:, 10:].any()


def test_read_mask_of_palette_reads_the_index() -> None:
    image = Image.fromarray((half_mask() // 255).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 0, 0, 0] + [255] * 750)  # both indices look black
    assert read_mask(encoded(image, "PNG"), 20).mean() == 0.5


def test_read_mask_keeps_a_tiny_lesion() -> None:
    mask = np.zeros((400, 400), np.uint8)
    mask[203, 117] = 1
    small = read_mask(mask, 20)
    assert small.sum() == 1
    assert small[10, 5] == 1
    assert not read_mask(mask * 0, 20).any()
