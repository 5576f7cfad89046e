"""DICOM pixels pass their transformations, and nothing else of the file is kept."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from core.data.image_files import UnreadableImage, read_image
from core.data.report import DataReport
from tests.core.data.conftest import Load, draw_pixels

NAME = "Doe^Jane"


def write_dicom(path: Path | io.BytesIO, pixels: np.ndarray[Any, Any], **elements: Any) -> bytes:
    """Writes a DICOM file with a patient's name; returns its bytes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["test"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(path if isinstance(path, io.BytesIO) else str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.PatientName, dataset.PatientID = NAME, "SECRET-4711"
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Rows, dataset.Columns = pixels.shape[-2:] if pixels.ndim == 2 else pixels.shape[-3:-1]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim > 2:
        dataset.PlanarConfiguration = 0
    bits = pixels.dtype.itemsize * 8
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    if isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
    return buffer.getvalue()


def grey(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(read_image(data))[..., 0]


RAMP = np.arange(0, 256, dtype=np.uint8).reshape(16, 16)


def test_read_image_of_monochrome2_gives_its_greys() -> None:
    assert np.array_equal(grey(write_dicom(io.BytesIO(), RAMP)), RAMP)


def test_read_image_of_monochrome1_is_inverted() -> None:
    data = write_dicom(io.BytesIO(), RAMP, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(grey(data), 255 - RAMP)


def test_read_image_applies_rescale_and_window() -> None:
    values = np.linspace(0, 4095, 256).astype(np.uint16).reshape(16, 16)
    elements = {"BitsStored": 12, "HighBit": 11, "RescaleSlope": "1", "RescaleIntercept": "-1024"}
    data = write_dicom(io.BytesIO(), values, **elements, WindowCenter="40", WindowWidth="400")
    shown, units = grey(data).astype(float), values.astype(float) - 1024
    expected = np.clip((units - (40 - 0.5)) / (400 - 1) + 0.5, 0, 1) * 255  # PS3.3 C.11.2.1.2
    assert np.abs(shown - expected).max() <= 1


def test_read_image_of_16_bit_without_window_is_stretched() -> None:
    values = np.linspace(1000, 3000, 256).astype(np.uint16).reshape(16, 16)
    shown = grey(write_dicom(io.BytesIO(), values))
    assert (shown.min(), shown.max()) == (0, 255)


def test_read_image_of_rgb_gives_its_colours() -> None:
    pixels = draw_pixels(2)
    assert np.array_equal(np.asarray(read_image(write_dicom(io.BytesIO(), pixels))), pixels)


def test_read_image_of_ybr_becomes_rgb() -> None:
    pixels = draw_pixels(2)
    ybr = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
    data = write_dicom(io.BytesIO(), ybr, PhotometricInterpretation="YBR_FULL")
    assert np.abs(np.asarray(read_image(data)).astype(int) - pixels).max() <= 3


def test_read_image_of_palette_looks_colours_up() -> None:
    tables = {}
    for name, values in (("Red", RAMP[::-1]), ("Green", RAMP), ("Blue", RAMP * 0)):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{name}PaletteColorLookupTableData"] = (values.ravel().astype(np.uint16) * 257).tobytes()
    data = write_dicom(io.BytesIO(), RAMP, PhotometricInterpretation="PALETTE COLOR", **tables)
    image = np.asarray(read_image(data))
    assert np.array_equal(image[..., 1], RAMP)
    assert not image[..., 2].any()


def test_read_image_of_several_frames_takes_the_first_and_says_so() -> None:
    frames = np.stack([RAMP, RAMP[::-1]])
    data = write_dicom(io.BytesIO(), RAMP, NumberOfFrames=2, PixelData=frames.tobytes())
    image = read_image(data)
    assert np.array_equal(np.asarray(image)[..., 0], RAMP)
    assert "first" in image.info["note"]


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "SC_rgb_jpeg_dcmtk.dcm", "MR_small_RLE.dcm", "examples_palette.dcm"])
def test_read_image_of_compressed_file_is_decoded(name: str) -> None:
    path = Path(pydicom.__file__).parent / "data" / "test_files" / name
    image = read_image(path)
    assert image.mode == "RGB"
    assert np.asarray(image).std() > 5


def test_read_image_of_cut_dicom_is_refused() -> None:
    with pytest.raises(UnreadableImage) as caught:
        read_image(write_dicom(io.BytesIO(), RAMP)[:-100])
    assert caught.value.reason == "truncated"
    assert NAME not in str(caught.value)


def test_read_image_of_huge_dicom_is_refused_by_its_header() -> None:
    with pytest.raises(UnreadableImage) as caught:
        read_image(write_dicom(io.BytesIO(), RAMP, Rows=60000, Columns=60000))
    assert caught.value.reason == "too_large"


def test_read_image_of_dicom_without_pixels_is_refused() -> None:
    dataset = pydicom.dcmread(io.BytesIO(write_dicom(io.BytesIO(), RAMP)))
    del dataset.PixelData
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    with pytest.raises(UnreadableImage) as caught:
        read_image(buffer.getvalue())
    assert caught.value.reason == "not_an_image"


def test_load_images_of_dicom_folder_keeps_no_identity(tmp_path: Path, load: Load) -> None:
    for number in range(12):
        ending = ".dcm" if number % 3 else ""
        name = tmp_path / "set" / ("a" if number % 2 else "b") / f"{number}{ending}"
        write_dicom(name, draw_pixels(number), NumberOfFrames=1)
    write_dicom(tmp_path / "set" / "a" / "cut.dcm", RAMP)
    (tmp_path / "set" / "a" / "cut.dcm").write_bytes((tmp_path / "set" / "a" / "cut.dcm").read_bytes()[:-9])
    loaded = load(tmp_path / "set")
    examples = [example for split in loaded.splits.values() for example in split]
    assert len(examples) == 12
    assert [item.reason for item in loaded.report.rejected] == ["truncated"]
    kept = loaded.report.model_dump_json() + repr(examples)
    cache = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())
    for secret in ("Doe", "Jane", "SECRET"):
        assert secret not in kept
        assert secret.encode() not in cache
    assert DataReport.model_validate(json.loads(loaded.report.model_dump_json())) == loaded.report
