"""Data sets of the hub's forms are read from disk; the hub out of reach is told at once."""

import time
from pathlib import Path

import numpy as np
import pytest

from core.data import hub
from core.errors import UserError
from tests.core.data.conftest import Load, write_classes, write_image

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_load_images_of_local_imagefolder_equals_plain_folder(tmp_path: Path, load: Load) -> None:
    folders = [f"{split}/{label}" for split in ("train", "validation", "test") for label in ("a", "b")]
    write_classes(tmp_path / "set", dict.fromkeys(folders, 3), ".png")
    by_hub, plain = load(f"hub:{tmp_path / 'set'}"), load(tmp_path / "set")
    assert by_hub.labels == plain.labels == ("a", "b")
    assert by_hub.report.rows == plain.report.rows
    assert by_hub.fingerprint == plain.fingerprint


def test_load_images_of_saved_dataset_reads_features(tmp_path: Path, load: Load) -> None:
    import datasets

    files = [str(write_image(tmp_path / "source" / f"{n}.png", n)) for n in range(12)]
    kinds = {
        "picture": datasets.Image(),
        "mask": datasets.Image(),
        "dx": datasets.ClassLabel(names=["mel", "nv"]),
        "age": datasets.Value("float64"),
        "patient_id": datasets.Value("string"),
    }
    columns = {
        "picture": files,
        "mask": files,
        "dx": [n % 2 for n in range(12)],
        "age": [40.0, None] * 6,
        "patient_id": [f"p{n // 2}" for n in range(12)],
    }
    saved = datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))
    datasets.DatasetDict({"train": saved}).save_to_disk(str(tmp_path / "saved"))
    loaded = load(tmp_path / "saved")
    assert loaded.labels == ("mel", "nv")
    examples = [example for split in loaded.splits.values() for example in split]
    assert len(examples) == 12
    assert all("mask" in example and example["group"].startswith("p") for example in examples)
    assert {example.get("age") for example in examples} == {40.0, None}
    assert loaded.report.leaked_group_count == 0
    assert "column dx is read as label" in " ".join(loaded.report.notes)


def test_load_images_of_local_parquet_reads_bytes(tmp_path: Path, load: Load) -> None:
    import pandas as pd

    cells = [{"bytes": write_image(tmp_path / "s" / f"{n}.png", n).read_bytes(), "path": None} for n in range(12)]
    (tmp_path / "set").mkdir()
    pd.DataFrame({"image": cells, "label": ["a", "b"] * 6}).to_parquet(tmp_path / "set" / "train.parquet")
    loaded = load(tmp_path / "set")
    assert sum(map(len, loaded.splits.values())) == 12
    assert np.asarray(loaded.splits["train"][0]["image"]).std() > 5


def test_load_images_of_hub_out_of_reach_fails_at_once(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setattr(hub, "_connects", lambda host, port: False)
    start = time.monotonic()
    with pytest.raises(UserError) as caught:
        load("hub:nobody/no-such-set")
    assert time.monotonic() - start < 10
    assert "nobody/no-such-set" in caught.value.what
    assert "--data FOLDER" in caught.value.fix


def test_load_images_of_folder_that_datasets_cannot_read_is_refused(tmp_path: Path, load: Load) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        load(f"hub:{tmp_path / 'set'}")
