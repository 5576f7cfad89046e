"""What is known of an image before it is decoded: where its bytes are, its label, split, group, mask and facts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from core.data.module import SplitName
from core.data.report import Rejected

Box = tuple[float, float, float, float]
Content = Path | Callable[[], bytes | NDArray[Any]]

IMAGE_SYNONYMS: dict[str, tuple[str, ...]] = {
    "image": (
        *("image", "image_path", "file", "file_name", "filename", "filepath", "file_path", "path", "img", "img_path"),
        *("image_name", "image_id", "isic_id", "id", "name"),
    ),
    "label": ("label", "labels", "class", "class_name", "category", "dx", "diagnosis", "target", "intent"),
    # A patient has several lesions, so the patient is the safer group.
    "group": (
        *("group", "group_id", "patient_id", "patient", "patientid", "subject_id", "subject", "case_id"),
        *("lesion_id", "lesion"),
    ),
    "split": ("split", "subset", "set", "partition", "fold"),
    "mask": ("mask", "mask_path", "mask_file", "segmentation", "segmentation_path"),
    "xmin": ("xmin", "x_min", "x1", "left"),
    "ymin": ("ymin", "y_min", "y1", "top"),
    "xmax": ("xmax", "x_max", "x2", "right"),
    "ymax": ("ymax", "y_max", "y2", "bottom"),
    "age": ("age", "age_approx", "age_years", "patient_age"),
    "sex": ("sex", "gender", "patient_sex"),
    "site": ("site", "localization", "localisation", "anatom_site_general", "anatom_site", "body_site"),
}


@dataclass(frozen=True)
class ImageRow:
    """One image, not yet decoded.

    Args:
        path: Its name in the data set, unique: a path relative to the folder, or a made-up one.
        content: Its file, or a function that gives its bytes or pixels.
        stamp: Identifies the content where there is no file.
        mask: File, or function, of its mask.
        boxes: (xmin, ymin, xmax, ymax) in pixels, the last two exclusive.
        age: Years.
    """

    path: str
    content: Content
    stamp: str = ""
    label: str | None = None
    split: SplitName | None = None
    group: str | None = None
    mask: Content | None = None
    boxes: tuple[Box, ...] = ()
    age: float | None = None
    sex: str | None = None
    site: str | None = None


@dataclass
class FoundImages:
    """The rows of a data set, and what was noticed while finding them."""

    source: str
    rows: list[ImageRow]
    notes: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
