"""Writes the SYNTHETIC sample data set: pictures, masks, a table and a note; whole or not at all."""

import csv
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from apps.medical_imaging.sample.artefacts import draw_pose, expose, grow_hairs, photograph
from apps.medical_imaging.sample.canvas import Canvas, build_canvas
from apps.medical_imaging.sample.lesion import Lesion
from apps.medical_imaging.sample.melanocytic import draw_abcd, grow_melanocytic
from apps.medical_imaging.sample.nonmelanocytic import (
    grow_basal_cell_carcinoma,
    grow_seborrheic_keratosis,
    grow_vascular_lesion,
)
from apps.medical_imaging.sample.patient import LABELS, Patient, draw_patient
from apps.medical_imaging.sample.skin import Tissue, grow_skin, tissue_colour

NOTICE = "SYNTHETIC image drawn by a program. Not a photograph, shows no patient, has no clinical value."
COLUMNS = ("image", "mask", "label", "lesion_id", "age", "sex", "localization", "skin_tone", "split")
SPLIT_SHARES = {"test": 0.15, "validation": 0.15}
"""What is not here is for training."""

LESIONS_PER_BLOCK = {
    "healthy_skin": 3,
    "nevus": 4,
    "melanoma": 4,
    "seborrheic_keratosis": 3,
    "basal_cell_carcinoma": 3,
    "vascular_lesion": 3,
}
"""Images come in blocks, so that what an index shows doesn't depend on how many images are asked for."""
BLOCK_LESIONS = sum(LESIONS_PER_BLOCK.values())
SECOND_PHOTOGRAPHS = 4
"""How many lesions of a block are photographed a second time, in another pose and light."""
BLOCK_IMAGES = BLOCK_LESIONS + SECOND_PHOTOGRAPHS

README = """SYNTHETIC dermoscopy-like images with lesion masks
===================================================

{notice}
Drawn for demonstrations and tests of software. Never use them, nor a model trained on them, to judge a real lesion.

{num_images} images of {image_px} x {image_px} pixels, seed {seed}.

images/       JPEG, quality 90
masks/        PNG, 255 inside the lesion and 0 outside; all 0 for healthy skin
metadata.csv  {columns}

label         {labels}
lesion_id     the same lesion may be photographed twice; both pictures are in the same split
age, sex      invented; empty where a clinic would have left them out
skin_tone     one of six Fitzpatrick-like tones, I to VI; the colour the program started from
split         train, validation or test

What is drawn follows the ABCD rule (Nachbar et al. 1994, J Am Acad Dermatol 30, 551-559) and the dermoscopic
criteria named in the program. Classes overlap on purpose. How often a class, tone, age or site occurs is chosen,
not measured.
"""


@dataclass(frozen=True)
class Row:
    """One image of the data set, before it is drawn."""

    index: int
    label: str
    lesion: int


def write_sample(
    folder: Path,
    *,
    num_images: int = 700,
    image_px: int = 160,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes images/, masks/, metadata.csv and README.txt into a new folder.

    The same arguments give the same bytes, and an image depends on the seed and its index alone. Everything is
    written to a hidden folder beside `folder` and renamed last.

    Args:
        folder: must not exist, or be empty.
        num_images: at least one.
        image_px: width and height in pixels, at least 32.
        seed: not negative.
        progress: called with images done and images in all.

    Raises:
        ValueError: an argument is out of range.
        FileExistsError: `folder` holds something.
    """
    _check_request(folder, num_images, image_px, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _write_files(partial, num_images, image_px, seed, progress)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def plan_rows(num_images: int, seed: int) -> list[Row]:
    """Which lesion each image shows, block after block."""
    rows: list[Row] = []
    for block in range(-(-num_images // BLOCK_IMAGES)):
        rng = np.random.default_rng([seed, 1, block])
        labels = rng.permutation([label for label, count in LESIONS_PER_BLOCK.items() for _ in range(count)])
        again = rng.choice(BLOCK_LESIONS, SECOND_PHOTOGRAPHS, replace=False)
        for lesion in [*range(BLOCK_LESIONS), *again.tolist()]:
            rows.append(Row(len(rows), str(labels[lesion]), block * BLOCK_LESIONS + lesion))
    return rows[:num_images]


def plan_splits(rows: list[Row], seed: int) -> dict[int, str]:
    """The split of each lesion: each label's lesions, shuffled, are dealt out by share of images."""
    splits: dict[int, str] = {}
    for order, label in enumerate(LABELS):
        photographs: dict[int, int] = {}
        for row in rows:
            if row.label == label:
                photographs[row.lesion] = photographs.get(row.lesion, 0) + 1
        waiting = np.random.default_rng([seed, 2, order]).permutation(list(photographs)).tolist()
        total = sum(photographs.values())
        for split, share in SPLIT_SHARES.items():
            wanted = max(1, round(share * total))
            while wanted > 0 and len(waiting) > 1:
                lesion = waiting.pop()
                splits[lesion] = split
                wanted -= photographs[lesion]
        splits |= dict.fromkeys(waiting, "train")
    return splits


def render_image(row: Row, image_px: int, seed: int) -> tuple[npt.NDArray[np.uint8], Image.Image]:
    """The picture (H, W, 3) of a row and its mask."""
    canvas = build_canvas(image_px)
    patient, rng = draw_owner(row, seed)
    tissue = grow_skin(canvas, rng, patient.tone, patient.true_age)
    lesion = _grow(canvas, rng, tissue, row.label)
    mask = np.zeros(canvas.x.shape, dtype=np.bool_) if lesion is None else lesion.trace_mask(canvas)
    colour = grow_hairs(canvas, rng, tissue_colour(tissue), patient.tone)
    camera = np.random.default_rng([seed, 4, row.index])
    view, seen = photograph(colour, mask, draw_pose(camera), image_px)
    return expose(camera, view), seen


def draw_owner(row: Row, seed: int) -> tuple[Patient, np.random.Generator]:
    """The patient of a row, and the generator that goes on to draw their lesion; the same for both photographs."""
    rng = np.random.default_rng([seed, 3, row.lesion])
    return draw_patient(rng, row.label), rng


def _grow(canvas: Canvas, rng: np.random.Generator, tissue: Tissue, label: str) -> Lesion | None:
    match label:
        case "nevus" | "melanoma":
            return grow_melanocytic(canvas, rng, tissue, draw_abcd(rng, label == "melanoma"))
        case "seborrheic_keratosis":
            return grow_seborrheic_keratosis(canvas, rng, tissue)
        case "basal_cell_carcinoma":
            return grow_basal_cell_carcinoma(canvas, rng, tissue)
        case "vascular_lesion":
            return grow_vascular_lesion(canvas, rng, tissue)
        case _:
            return None


def _write_files(
    folder: Path, num_images: int, image_px: int, seed: int, progress: Callable[[int, int], None] | None
) -> None:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rows = plan_rows(num_images, seed)
    splits = plan_splits(rows, seed)
    for row in rows:
        _save_image(folder, row, image_px, seed)
        if progress is not None:
            progress(row.index + 1, num_images)
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(_cells(row, splits[row.lesion], seed) for row in rows)
    note = README.format(
        notice=NOTICE,
        num_images=num_images,
        image_px=image_px,
        seed=seed,
        columns=", ".join(COLUMNS),
        labels=", ".join(LABELS),
    )
    (folder / "README.txt").write_text(note, encoding="utf-8")


def _save_image(folder: Path, row: Row, image_px: int, seed: int) -> None:
    picture, mask = render_image(row, image_px, seed)
    notice = PngImagePlugin.PngInfo()
    notice.add_text("Comment", NOTICE)
    Image.fromarray(picture).save(folder / _image_path(row), quality=90, comment=NOTICE)
    mask.save(folder / _mask_path(row), pnginfo=notice)


def _cells(row: Row, split: str, seed: int) -> tuple[str | int | None, ...]:
    patient, _ = draw_owner(row, seed)
    lesion_id = f"lesion_{row.lesion:05d}"
    owner = (patient.age, patient.sex, patient.site, patient.tone)
    return (_image_path(row), _mask_path(row), row.label, lesion_id, *owner, split)


def _image_path(row: Row) -> str:
    return f"images/synthetic_{row.index:05d}.jpg"


def _mask_path(row: Row) -> str:
    return f"masks/synthetic_{row.index:05d}.png"


def _check_request(folder: Path, num_images: int, image_px: int, seed: int) -> None:
    for name, value, least in (("num_images", num_images, 1), ("image_px", image_px, 32), ("seed", seed, 0)):
        if value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}. Give a larger number.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder} already holds something; the sample goes into a new or empty folder. Name another."
        )
