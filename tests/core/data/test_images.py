"""A data set is loaded the whole way: examples, splits, report, fingerprint, facts of the training split."""

import csv
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.data.image_config import ImageDataConfig
from core.data.images import LoadedImages, load_images
from core.errors import UsageError, UserError
from tests.core.data.conftest import Load, draw_pixels, write_classes, write_image

COUNTS = {"a": 20, "b": 12}


def paths(loaded: LoadedImages) -> dict[str, list[str]]:
    return {split: [example["path"] for example in examples] for split, examples in loaded.splits.items()}


def same(one: LoadedImages, two: LoadedImages) -> bool:
    """Whether two loads give the same examples, facts and fingerprint."""
    pixels = all(
        np.array_equal(first["image"], second["image"])
        for split in one.splits
        for first, second in zip(one.splits[split], two.splits[split], strict=True)
    )
    facts = (one.fingerprint, one.pixels, one.metadata, one.labels) == (
        two.fingerprint,
        two.pixels,
        two.metadata,
        two.labels,
    )
    return pixels and facts and paths(one) == paths(two)


def test_load_images_of_class_folders_gives_examples(tmp_path: Path, load: Load) -> None:
    loaded = load(write_classes(tmp_path / "set", COUNTS))
    assert loaded.labels == ("a", "b")
    assert loaded.report.rows == {
        "train": {"a": 14, "b": 8}, "validation": {"a": 3, "b": 2}, "test": {"a": 3, "b": 2}
    }  # fmt: skip
    for examples in loaded.splits.values():
        assert [example["path"] for example in examples] == sorted(example["path"] for example in examples)
    example = loaded.splits["train"][0]
    assert set(example) == {"image", "path", "label"}
    assert example["image"].shape == (32, 32, 3)
    assert example["image"].dtype == np.uint8
    assert any("split off" in note for note in loaded.report.notes)


def test_load_images_twice_is_the_same_and_decodes_once(tmp_path: Path) -> None:
    config = ImageDataConfig(
        path=str(write_classes(tmp_path / "set", COUNTS)), image_px=32, cache_dir=str(tmp_path / "c")
    )
    calls: list[tuple[int, int]] = []
    first = load_images(config, seed=0, progress=lambda *call: calls.append(call))
    assert calls[-1] == (32, 32)
    calls.clear()
    second = load_images(config, seed=0, progress=lambda *call: calls.append(call))
    assert calls == []
    assert same(first, second)


def test_load_images_with_corrupt_files_equals_the_clean_subset(tmp_path: Path, load: Load) -> None:
    root = write_classes(tmp_path / "set", COUNTS)
    clean = load(root)
    (root / "a" / "cut.jpg").write_bytes((root / "a" / "a_0.jpg").read_bytes()[:-200])
    (root / "a" / "empty.jpg").write_bytes(b"")
    (root / "b" / "text.jpg").write_text("no image")
    spoilt = load(root)
    assert {item.path: item.reason for item in spoilt.report.rejected} == {
        "a/cut.jpg": "truncated", "a/empty.jpg": "empty_file", "b/text.jpg": "not_an_image"
    }  # fmt: skip
    assert same(clean, spoilt)


def test_load_images_from_another_place_is_the_same(tmp_path: Path, load: Load) -> None:
    first = load(write_classes(tmp_path / "set", COUNTS))
    shutil.copytree(tmp_path / "set", tmp_path / "复制 copy")
    assert same(first, load(tmp_path / "复制 copy"))


def test_load_images_of_other_content_has_another_fingerprint(tmp_path: Path, load: Load) -> None:
    root = write_classes(tmp_path / "set", COUNTS)
    first = load(root)
    write_image(root / "a" / "a_3.jpg", 999)
    assert load(root).fingerprint != first.fingerprint


@pytest.mark.parametrize("name", ["val", "valid", "dev", "validation"])
def test_load_images_keeps_the_splits_of_folders(name: str, tmp_path: Path, load: Load) -> None:
    folders = {"train/a": 4, "train/b": 4, f"{name}/a": 2, f"{name}/b": 1, "test/a": 1, "test/b": 2}
    loaded = load(write_classes(tmp_path / "set", folders))
    assert loaded.report.rows == {"train": {"a": 4, "b": 4}, "validation": {"a": 2, "b": 1}, "test": {"a": 1, "b": 2}}


def test_load_images_splits_missing_validation_off_training(tmp_path: Path, load: Load) -> None:
    loaded = load(write_classes(tmp_path / "set", {"train/a": 20, "train/b": 20, "test/a": 5, "test/b": 5}))
    assert loaded.report.rows == {"train": {"a": 17, "b": 17}, "validation": {"a": 3, "b": 3}, "test": {"a": 5, "b": 5}}
    assert all(path.startswith("test/") for path in paths(loaded)["test"])


def write_grouped(root: Path, split_of_second: str = "train") -> Path:
    """Twelve patients with two images each; the second image of the first patient is in another split if asked."""
    rows = []
    for number in range(24):
        write_image(root / "images" / f"{number}.png", number)
        write_image(root / "masks" / f"{number}.png", number)
        split = split_of_second if number == 1 else ("train", "val", "test")[number // 2 % 3]
        names = {"image": f"images/{number}.png", "dx": "ab"[number // 6 % 2], "patient_id": f"p{number // 2}"}
        rows.append({**names, "part": split, "age": number, "sex": "f", "site": ""})
    with (root / "data.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return root


def test_load_images_keeps_groups_together(tmp_path: Path, load: Load) -> None:
    loaded = load(write_grouped(tmp_path / "set"))
    places: dict[str, set[str]] = {}
    for split, examples in loaded.splits.items():
        for example in examples:
            places.setdefault(example["group"], set()).add(split)
    assert len(places) == 12
    assert all(len(found) == 1 for found in places.values())
    assert loaded.report.missing_shares == {"group": 0, "age": 0, "sex": 0}
    assert loaded.metadata.sexes == ("female",)
    assert loaded.metadata.mask_share == 1
    assert not loaded.metadata.has_only_boxes
    assert loaded.report.with_mask == {split: len(examples) for split, examples in loaded.splits.items()}
    assert loaded.splits["test"][0]["mask"].shape == (32, 32)


def test_load_images_with_a_patient_in_two_splits_is_refused(tmp_path: Path, load: Load) -> None:
    root = write_grouped(tmp_path / "set", split_of_second="test")
    with pytest.raises(UserError, match="1 groups stand in more than one split: p0"):
        load(root, columns={"split": "part"})
    allowed = load(root, columns={"split": "part"}, allow_leakage=True)
    assert allowed.report.leaked_groups == ("p0",)


def test_load_images_with_the_same_content_in_two_splits_is_refused(tmp_path: Path, load: Load) -> None:
    root = write_classes(tmp_path / "set", {f"{s}/{c}": 2 for s in ("train", "val", "test") for c in "ab"}, ".png")
    shutil.copy(root / "train" / "a" / "train_a_0.png", root / "test" / "a" / "again.png")
    with pytest.raises(UserError, match=r"train/a/train_a_0\.png"):
        load(root)
    assert load(root, allow_leakage=True).report.exact_duplicates_across.count == 1


def test_load_images_draws_splits_that_keep_equal_content_together(tmp_path: Path, load: Load) -> None:
    root = write_classes(tmp_path / "set", COUNTS)
    for number in range(20):
        shutil.copy(root / "a" / f"a_{number}.jpg", root / "a" / f"copy_{number}.jpg")
    for seed in range(3):
        report = load(root, seed=seed).report
        assert report.exact_duplicates_within.count == 20
        assert report.exact_duplicates_across.count == 0


def test_load_images_limit_is_stratified_by_seed(tmp_path: Path, load: Load) -> None:
    root = write_classes(tmp_path / "set", COUNTS)
    loaded = load(root, limit=4)
    assert loaded.report.rows == {
        "train": {"a": 3, "b": 1}, "validation": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}
    }  # fmt: skip
    assert paths(load(root, limit=4)) == paths(loaded)
    assert set(paths(loaded)["train"]) <= set(paths(load(root))["train"])
    with pytest.raises(UsageError, match="fewer than the 2 labels"):
        load(root, limit=1)


def test_load_images_facts_are_of_the_training_split(tmp_path: Path, load: Load) -> None:
    loaded = load(write_classes(tmp_path / "set", COUNTS))
    train = np.stack([example["image"] for example in loaded.splits["train"]]) / 255
    np.testing.assert_allclose(loaded.pixels.mean, train.mean(axis=(0, 1, 2)), rtol=1e-9)
    np.testing.assert_allclose(loaded.pixels.std, train.std(axis=(0, 1, 2)), rtol=1e-9)
    assert 0 < loaded.pixels.sharpness_p0_1 <= loaded.pixels.sharpness_p1 <= loaded.pixels.sharpness_median
    assert 0 < loaded.pixels.brightness_p0_1 <= loaded.pixels.brightness_median <= loaded.pixels.brightness_p99_9 < 255
    assert loaded.report.imbalance_ratio == 14 / 8


def test_load_images_with_one_class_is_refused(tmp_path: Path, load: Load) -> None:
    with pytest.raises(UserError, match="one class only: a"):
        load(write_classes(tmp_path / "set", {"a": 9}))


def test_load_images_with_a_class_that_is_not_trained_is_refused(tmp_path: Path, load: Load) -> None:
    folders = {"train/a": 4, "train/b": 4, "val/a": 1, "test/B": 2}
    with pytest.raises(UserError, match="class B"):
        load(write_classes(tmp_path / "set", folders))


def test_load_images_with_an_unreadable_class_is_refused(tmp_path: Path, load: Load) -> None:
    root = write_classes(tmp_path / "set", {"a": 9, "b": 1})
    (root / "b" / "b_0.jpg").write_bytes(b"x")
    with pytest.raises(UserError, match="class b can be read"):
        load(root)


def test_load_images_with_too_few_images_is_refused(tmp_path: Path, load: Load) -> None:
    with pytest.raises(UserError, match="no image for validation"):
        load(write_classes(tmp_path / "set", {"a": 1, "b": 1}))


def test_load_images_without_training_split_is_refused(tmp_path: Path, load: Load) -> None:
    with pytest.raises(UserError, match="no image for train"):
        load(write_classes(tmp_path / "set", {"test/a": 2, "test/b": 2, "val/a": 2}))


def write_sample(calls: list[Path], folder: Path) -> None:
    calls.append(folder)
    write_classes(folder, COUNTS)


def test_load_images_writes_the_sample_once(tmp_path: Path) -> None:
    config = ImageDataConfig(image_px=32, cache_dir=str(tmp_path))
    calls: list[Path] = []

    def sample(folder: Path) -> None:
        write_sample(calls, folder)

    assert same(load_images(config, seed=0, sample=sample), load_images(config, seed=0, sample=sample))
    assert len(calls) == 1
    assert len(list((tmp_path / "samples").iterdir())) == 1


def test_load_images_writes_a_sample_for_each_setting(tmp_path: Path) -> None:
    def sample(folder: Path, count: int) -> None:
        write_classes(folder, {"a": count, "b": count})

    config = ImageDataConfig(image_px=32, cache_dir=str(tmp_path))
    sizes = [
        sum(map(len, load_images(config, seed=0, sample=partial(sample, count=n)).splits.values())) for n in (6, 8)
    ]
    assert sizes == [12, 16]


def test_load_images_without_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sample data"):
        load_images(ImageDataConfig(cache_dir=str(tmp_path)), seed=0)


def test_load_images_refuses_large_images_by_setting(tmp_path: Path, load: Load) -> None:
    root = write_classes(tmp_path / "set", COUNTS)
    from PIL import Image

    Image.fromarray(draw_pixels(5, 200, 300)).save(root / "a" / "large.png")
    report = load(root, max_megapixels=0.01).report
    assert [(item.path, item.reason) for item in report.rejected] == [("a/large.png", "too_large")]
