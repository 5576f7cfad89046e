"""What the app guesses about a data set: the normal label, the labels not to be missed, whether metadata is used."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tiny_images import draw_classes, draw_mask

from apps.medical_imaging.app import MedicalImagingConfig
from apps.medical_imaging.data import load_lesions
from core.config import resolve_config
from core.data.module import DataModule
from core.errors import UsageError

Load = Callable[..., DataModule]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_with(overrides: Mapping[str, Any] = {}) -> DataModule:
        settings = {"data.path": str(tmp_path), "data.image_px": 32, **overrides}
        config = resolve_config(MedicalImagingConfig, None, settings).config
        return load_lesions(config, lambda done, total: None)

    return load_with


def add_table(folder: Path, labels: Mapping[str, int], *, known: float) -> None:
    """metadata.csv with age, sex and site for a share of the images."""
    rows = ["image,label,age,sex,localization"]
    for label, count in labels.items():
        for number in range(count):
            facts = f"{30 + number},{'male' if number % 2 else 'female'},back" if number < known * count else ",,"
            rows.append(f"{label}/{number:03}.png,{label},{facts}")
    (folder / "metadata.csv").write_text("\n".join(rows))


# ---- the label that says `no lesion` -------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling", ["normal", "Normal", "healthy", "Healthy skin", "healthy-skin", "No_Finding", "negative"]
)
def test_normal_label_is_recognised_and_said(spelling: str, tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, {"melanoma": 6, "nevus": 6, spelling: 6})
    data = load()
    assert data.schema.normal_label == spelling
    assert f"label {spelling} is read as `no lesion`" in data.report.notes


def test_data_without_normal_label_says_so(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, {"melanoma": 6, "nevus": 6})
    data = load()
    assert data.schema.normal_label == ""
    assert "no label says `no lesion` (name one with data.normal_label)" in data.report.notes


def test_normal_label_can_be_named_or_switched_off(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, {"melanoma": 6, "nevus": 6, "normal": 6})
    assert load({"data.normal_label": "nevus"}).schema.normal_label == "nevus"
    switched_off = load({"data.normal_label": "none"})
    assert switched_off.schema.normal_label == ""
    assert not [note for note in switched_off.report.notes if "no lesion" in note]
    with pytest.raises(UsageError, match="melanoma, nevus, normal"):
        load({"data.normal_label": "helthy"})


# ---- labels that must not be missed --------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (("mel", "nv"), ("mel",)),
        (("Basal Cell Carcinoma", "nevus"), ("Basal Cell Carcinoma",)),
        (("akiec", "bcc", "df"), ("akiec", "bcc")),
        (("benign", "malignant"), ("malignant",)),
        (("eczema", "psoriasis"), ()),
        (("bcc", "melanoma"), ()),
    ],
    ids=str,
)
def test_malignant_labels_are_recognised(
    labels: tuple[str, ...], positive: tuple[str, ...], tmp_path: Path, load: Load
) -> None:
    draw_classes(tmp_path, dict.fromkeys(labels, 6))
    data = load()
    assert data.schema.positive_labels == positive
    told = f"labels that must not be missed: {', '.join(positive)}" if positive else "no label is known as malignant"
    assert [note for note in data.report.notes if told in note]


def test_labels_not_to_miss_can_be_named(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, {"mel": 6, "nv": 6})
    assert load({"decision.positive_labels": ["nv"]}).schema.positive_labels == ("nv",)
    assert load({"decision.positive_labels": []}).schema.positive_labels == ()


# ---- metadata ------------------------------------------------------------------------------------

LABELS = {"melanoma": 20, "nevus": 20}
UNUSED = "age, sex and site are not used"


@pytest.mark.parametrize(("known", "is_used"), [(1.0, True), (0.95, True), (0.85, False), (0.2, False)])
def test_metadata_is_used_where_nine_in_ten_have_it(known: float, is_used: bool, tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, LABELS)
    add_table(tmp_path, LABELS, known=known)
    data = load()
    assert data.schema.uses_metadata is is_used
    assert bool([note for note in data.report.notes if UNUSED in note]) is not is_used


def test_metadata_becomes_numbers_of_age_sex_and_site(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, LABELS)
    add_table(tmp_path, LABELS, known=1.0)
    schema = load().schema
    assert (schema.sexes, schema.sites) == (("female", "male"), ("back",))
    assert schema.num_metadata == 5


def test_metadata_can_be_wanted_and_refused(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, LABELS)
    add_table(tmp_path, LABELS, known=0.5)
    assert load({"model.metadata": True}).schema.uses_metadata
    add_table(tmp_path, LABELS, known=1.0)
    assert not load({"model.metadata": False}).schema.uses_metadata


def test_data_without_metadata_has_nothing_to_say_about_it(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, {"melanoma": 6, "nevus": 6})
    data = load()
    assert not data.schema.uses_metadata
    assert not [note for note in data.report.notes if UNUSED in note]
    with pytest.raises(UsageError, match=r"model\.metadata is true"):
        load({"model.metadata": True})


# ---- masks and the handbook's network ------------------------------------------------------------


def test_masks_are_learnt_where_there_are_some(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, {"melanoma": 8, "nevus": 8})
    for number in range(8):
        draw_mask(tmp_path / "masks" / "nevus" / f"{number:03}.png")
    assert load().schema.mask_share == pytest.approx(0.5)
    assert load({"model.mask_decoder": False}).schema.mask_share == 0
    assert load({"data.masks": "none"}).schema.mask_share == 0
    with pytest.raises(UsageError, match=r"model\.mask_decoder is true"):
        load({"data.masks": "none", "model.mask_decoder": True})


def test_handbook_network_gets_neither_masks_nor_metadata(tmp_path: Path, load: Load) -> None:
    draw_classes(tmp_path, LABELS)
    add_table(tmp_path, LABELS, known=1.0)
    for number in range(20):
        draw_mask(tmp_path / "masks" / "nevus" / f"{number:03}.png")
    schema = load({"model.backbone": "handbook_cnn"}).schema
    assert schema.mask_share == 0
    assert not schema.uses_metadata


def test_real_skin_lesions_load_with_their_guesses(real_data: Path, load: Load) -> None:
    data = load({"data.path": str(real_data / "skin-lesions")})
    schema, notes = data.schema, " ".join(data.report.notes)
    assert len(schema.labels) == 8
    assert set(schema.positive_labels) == {
        "actinic_keratosis", "basal_cell_carcinoma", "melanoma", "squamous_cell_carcinoma",
    }  # fmt: skip
    assert schema.normal_label == ""
    assert "no label says `no lesion`" in notes
    assert not schema.uses_metadata
    assert UNUSED in notes
    assert sum(schema.label_counts) == len(data.splits["train"]) == 1426
