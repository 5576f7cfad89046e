"""Whole runs on tiny data: damaged images, masks for some, no normal class; through the app's command line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny_images import draw_classes, draw_mask
from tiny_runs import train_tiny

from apps.medical_imaging.app import SPEC
from core.cli import app_main
from core.files import sha256_of
from core.serving.predictor import load_predictor

PER_CLASS = 50
CORRUPT = {
    "melanoma/003.png": ("empty_file", b""),
    "melanoma/017.png": ("not_an_image", b"this is no picture"),
    "nevus/005.png": ("truncated", None),
    "nevus/030.png": ("truncated", None),
    "nevus/044.png": ("not_an_image", b"\0" * 500),
}
"""Five of a hundred; None = cut in half."""


def spoil(file: Path, content: bytes | None) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def clean_run(folder: Path) -> Path:
    """Trained on what is left when the corrupt images are taken away."""
    data = draw_classes(folder / "clean", {"melanoma": PER_CLASS, "nevus": PER_CLASS})
    for name in CORRUPT:
        (data / name).unlink()
    return train_tiny(data, folder / "clean_run")


@pytest.fixture(scope="module")
def dirty_run(folder: Path) -> Path:
    """Trained with the corrupt images among the others."""
    data = draw_classes(folder / "dirty", {"melanoma": PER_CLASS, "nevus": PER_CLASS})
    for name, (_, content) in CORRUPT.items():
        spoil(data / name, content)
    return train_tiny(data, folder / "dirty_run")


@pytest.fixture(scope="module")
def masked_run(folder: Path) -> Path:
    """Three classes, one of them normal; every second image has a mask."""
    data = draw_classes(folder / "masked", {"melanoma": 16, "nevus": 16, "normal": 16})
    for label in ("melanoma", "nevus"):
        for number in range(0, 16, 2):
            draw_mask(data / "masks" / label / f"{number:03}.png")
    return train_tiny(data, folder / "masked_run")


def read(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text(encoding="utf-8"))


def answer(run: Path, image: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert app_main(SPEC, "predict", [str(run), str(image)]) == 0
    return json.loads(capsys.readouterr().out)


# ---- corrupt images ------------------------------------------------------------------------------


def test_corrupt_images_are_each_named_with_their_reason(dirty_run: Path) -> None:
    rejected = {item["path"]: item["reason"] for item in read(dirty_run, "data_report.json")["rejected"]}
    assert rejected == {name: reason for name, (reason, _) in CORRUPT.items()}


def test_corrupt_images_are_told_in_the_log(dirty_run: Path) -> None:
    log = (dirty_run / "train.log").read_text(encoding="utf-8")
    assert "rejected, truncated: 2 (nevus/005.png, nevus/030.png)" in log


def test_run_with_corrupt_images_equals_one_on_the_clean_subset(dirty_run: Path, clean_run: Path) -> None:
    assert read(clean_run, "data_report.json")["rejected"] == []
    assert read(dirty_run, "data_report.json")["rows"] == read(clean_run, "data_report.json")["rows"]
    for name in ("bundle/model.safetensors", "bundle/schema.json", "bundle/decision.json"):
        assert sha256_of(dirty_run / name) == sha256_of(clean_run / name), name
    assert read(dirty_run, "metrics.json")["test"] == read(clean_run, "metrics.json")["test"]
    manifests = [read(run, "bundle/bundle.json") for run in (dirty_run, clean_run)]
    assert manifests[0]["data_fingerprint"] == manifests[1]["data_fingerprint"]


# ---- presence and place --------------------------------------------------------------------------


def test_presence_is_not_judged_without_normal_class_and_masks(
    clean_run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(clean_run, folder / "clean" / "nevus" / "000.png", capsys)
    assert found["presence"] == {"present": None, "probability": None, "basis": "not_judged"}
    assert found["region"] is None or found["region"]["basis"] == "heat_map"


def test_images_with_and_without_masks_train_together(masked_run: Path) -> None:
    report = read(masked_run, "data_report.json")
    assert 0 < sum(report["with_mask"].values()) < sum(sum(rows.values()) for rows in report["rows"].values())
    assert 0 < read(masked_run, "bundle/schema.json")["mask_share"] < 1
    assert {"mask_iou", "mask_dice"} <= set(read(masked_run, "metrics.json")["test"]["metrics"])


def test_presence_is_judged_by_the_normal_label(
    masked_run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(masked_run, folder / "masked" / "normal" / "000.png", capsys)
    assert found["presence"]["basis"] == "normal_label"
    assert 0 <= found["presence"]["probability"] <= 1


def test_answers_carry_a_mask_where_masks_were_learnt(masked_run: Path, clean_run: Path, folder: Path) -> None:
    example = [SPEC.read_input(str(folder / "masked" / "nevus" / "000.png"))]
    with_mask, without = (load_predictor(run, SPEC).predict(example)[0] for run in (masked_run, clean_run))
    assert with_mask.mask is not None
    assert with_mask.mask.min() >= 0
    assert with_mask.mask.max() <= 1
    assert without.mask is None
    assert without.heat_map.max() <= 1


# ---- other data afterwards -----------------------------------------------------------------------


def test_evaluate_leaves_unknown_labels_out_and_says_so(
    clean_run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(shutil.copytree(folder / "clean", folder / "more"))
    draw_classes(data, {"keloid": 8})
    argv = [str(clean_run), "--data", str(data), "--split", "all", "--output-dir", str(folder / "evaluated")]
    assert app_main(SPEC, "evaluate", argv) == 0
    caught = capsys.readouterr()
    assert "8 examples with unknown labels left out: keloid" in caught.err
    assert json.loads(caught.out)["accuracy"]["value"] <= 1
    assert (folder / "evaluated" / "report.html").is_file()


def test_changed_data_is_noticed(clean_run: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [str(clean_run), "--output-dir", str(folder / "again")]
    assert app_main(SPEC, "evaluate", argv) == 0
    assert "has changed" not in capsys.readouterr().err
    gone = folder / "clean" / "nevus" / "001.png"
    content = gone.read_bytes()
    gone.unlink()
    try:
        assert app_main(SPEC, "evaluate", argv) == 0
    finally:
        gone.write_bytes(content)
    assert "The data has changed since this model was trained" in capsys.readouterr().err
