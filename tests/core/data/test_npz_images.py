"""Arrays in an .npz file are images with words as labels."""

from pathlib import Path

import numpy as np
import pytest

from core.data.npz_images import find_npz_images
from core.errors import UserError
from tests.core.data.conftest import Load, draw_pixels

IMAGES = np.stack([draw_pixels(number, 32, 32) for number in range(24)])


def write_npz(path: Path, **extra: object) -> Path:
    arrays = {"x_train": IMAGES[:16], "y_train": np.arange(16) % 2, "x_test": IMAGES[16:], "y_test": np.arange(8) % 2}
    np.savez_compressed(path, **(arrays | extra))  # type: ignore[arg-type]
    return path


def test_load_images_of_npz_takes_names_and_splits_off_validation(tmp_path: Path, load: Load) -> None:
    write_npz(tmp_path / "data.npz", class_names=np.array(["cat", "dog"]))
    loaded = load(tmp_path)
    assert loaded.labels == ("cat", "dog")
    assert {split: len(examples) for split, examples in loaded.splits.items()} == {
        "train": 14,
        "validation": 2,
        "test": 8,
    }
    last = loaded.splits["test"][-1]
    assert (last["path"], last["label"]) == ("x_test/000007", "dog")
    assert np.array_equal(last["image"], IMAGES[23])


def test_load_images_of_changed_npz_decodes_again(tmp_path: Path, load: Load) -> None:
    before = load(write_npz(tmp_path / "data.npz"))
    after = load(write_npz(tmp_path / "data.npz", x_test=IMAGES[16:, :, ::-1]))
    assert before.fingerprint != after.fingerprint


def test_find_npz_images_reads_other_names_and_greys(tmp_path: Path) -> None:
    path = tmp_path / "medical.npz"
    grey = {f"{split}_images": IMAGES[:4, ..., 0] for split in ("train", "val", "test")}
    labels = {f"{split}_labels": np.arange(4).reshape(4, 1) for split in ("train", "val", "test")}
    np.savez(path, **grey, **labels)  # type: ignore[arg-type]
    found = find_npz_images(path)
    assert [row.split for row in found.rows] == ["train"] * 4 + ["validation"] * 4 + ["test"] * 4
    assert [row.label for row in found.rows[:4]] == ["0", "1", "2", "3"]


def test_find_npz_images_refuses_what_does_not_fit(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=IMAGES)
    with pytest.raises(UserError, match="holds a"):
        find_npz_images(tmp_path / "other.npz")
    with pytest.raises(UserError, match="label 1"):
        find_npz_images(write_npz(tmp_path / "few.npz", class_names=np.array(["cat"])))
    with pytest.raises(UserError, match="16 images and 15 labels"):
        find_npz_images(write_npz(tmp_path / "uneven.npz", y_train=np.arange(15) % 2))
    (tmp_path / "bad.npz").write_bytes(b"PK no zip")
    with pytest.raises(UserError, match="not a readable"):
        find_npz_images(tmp_path / "bad.npz")


def test_find_npz_images_never_unpickles(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "evil.npz", y_train=np.array([object()] * 16, dtype=object))
    with pytest.raises(UserError, match="not a readable"):
        find_npz_images(path)
