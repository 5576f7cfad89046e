"""The settings of image data: where it is, which column is what, at which size it is trained."""

from pydantic import Field

from core.config import DataConfig, Record


class ImageColumns(Record):
    """Column of each role in a table; `none` = guess from common spellings."""

    image: str | None = None
    """Path of the image, relative to the table's folder or absolute."""
    label: str | None = None
    """Name of the class."""
    split: str | None = None
    """train, validation (valid, val, dev) or test."""
    group: str | None = None
    """Patient or lesion: images of one group stay in one split."""
    mask: str | None = None
    """Path of the mask image (non-zero = lesion)."""
    xmin: str | None = None
    """Left edge of the box, in pixels."""
    ymin: str | None = None
    """Top edge of the box, in pixels."""
    xmax: str | None = None
    """Right edge of the box, in pixels, exclusive."""
    ymax: str | None = None
    """Bottom edge of the box, in pixels, exclusive."""
    age: str | None = None
    """Age in years."""
    sex: str | None = None
    """Sex as a word."""
    site: str | None = None
    """Place on the body as a word."""


class ImageDataConfig(DataConfig):
    """Images from class folders, a table, DICOM files, or the hub."""

    columns: ImageColumns = ImageColumns()
    image_px: int = Field(default=96, ge=16, le=2048)
    """Side of the square, in pixels, to which images are resized for training and prediction."""
    masks: str = "auto"
    """Folder of masks named like the images, auto (masks/ or annotations/ beside the images) or none."""
    max_megapixels: float = Field(default=50.0, gt=0)
    """Larger images are rejected, unread, as decompression bombs."""
    near_duplicate_bits: int = Field(default=3, ge=0, le=16)
    """Images whose 64-bit difference hashes differ in at most so many bits are near duplicates."""
    cache_dir: str = ""
    """Folder of decoded pixels; empty = AI_APP_SUITE_CACHE, or ~/.cache/ai_app_suite."""
