"""The synthetic sample is reproducible, whole or absent, honest in its table, and drawn as its masks say."""

import csv
import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.medical_imaging.sample import dataset
from apps.medical_imaging.sample.dataset import COLUMNS, Row, plan_rows, plan_splits, render_image, write_sample
from apps.medical_imaging.sample.melanocytic import draw_abcd
from apps.medical_imaging.sample.patient import LABELS, MALIGNANT, draw_patient

NUM_IMAGES, IMAGE_PX = 48, 64


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample, written once."""
    folder = tmp_path_factory.mktemp("sample") / "dermoscopy"
    write_sample(folder, num_images=NUM_IMAGES, image_px=IMAGE_PX, seed=3)
    return folder


@pytest.fixture(scope="module")
def table(sample: Path) -> list[dict[str, str]]:
    """The rows of its table."""
    with (sample / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def digests(folder: Path) -> dict[str, str]:
    """A checksum of every file by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_write_sample_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_sample(tmp_path / name, num_images=8, image_px=48, seed=5)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    write_sample(tmp_path / "other", num_images=8, image_px=48, seed=6)
    assert digests(tmp_path / "other") != digests(tmp_path / "one")


def test_an_image_depends_on_seed_and_index_alone(tmp_path: Path, sample: Path) -> None:
    write_sample(tmp_path / "few", num_images=6, image_px=IMAGE_PX, seed=3)
    few, many = digests(tmp_path / "few"), digests(sample)
    pictures = [path for path in few if path.endswith((".jpg", ".png"))]
    assert len(pictures) == 12
    assert all(few[path] == many[path] for path in pictures)


def test_table_lists_every_file_once(sample: Path, table: list[dict[str, str]]) -> None:
    assert tuple(table[0]) == COLUMNS
    listed = sorted(row[role] for row in table for role in ("image", "mask"))
    assert len(table) == NUM_IMAGES
    assert sorted(digests(sample)) == sorted([*listed, "metadata.csv", "README.txt"])
    assert {row["label"] for row in table} == set(LABELS)


def test_every_file_says_that_it_is_synthetic(sample: Path, table: list[dict[str, str]]) -> None:
    assert "SYNTHETIC" in (sample / "README.txt").read_text(encoding="utf-8")
    for role, key in (("image", "comment"), ("mask", "Comment")):
        with Image.open(sample / table[0][role]) as picture:
            note = picture.info[key]
        assert "SYNTHETIC" in (note.decode() if isinstance(note, bytes) else note)


def test_splits_are_stratified_by_label_and_keep_lesions_whole() -> None:
    rows = plan_rows(700, seed=0)
    splits = plan_splits(rows, seed=0)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row.label][splits[row.lesion]] += 1
    assert set(counts) == set(LABELS)
    assert sum(Counter(row.lesion for row in rows).values()) > len(splits), "no lesion is photographed twice"
    for label, count in counts.items():
        shares = {split: number / count.total() for split, number in count.items()}
        assert shares == pytest.approx({"train": 0.70, "validation": 0.15, "test": 0.15}, abs=0.03), label


def test_photographs_of_a_lesion_share_split_and_patient(table: list[dict[str, str]]) -> None:
    facts: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for row in table:
        facts[row["lesion_id"]].add(tuple(row[name] for name in COLUMNS[2:]))
    assert len(facts) < len(table)
    assert all(len(rows) == 1 for rows in facts.values())


def test_mask_is_binary_and_covers_the_lesion(sample: Path, table: list[dict[str, str]]) -> None:
    for row in table:
        with Image.open(sample / row["mask"]) as picture:
            mask = np.asarray(picture)
        assert mask.shape == (IMAGE_PX, IMAGE_PX)
        assert set(np.unique(mask)) <= {0, 255}
        share = (mask > 0).mean()
        assert share == 0 if row["label"] == "healthy_skin" else 0.01 < share < 0.95, row


def test_lesion_differs_from_the_skin_around_it(sample: Path, table: list[dict[str, str]]) -> None:
    differences = [
        contrast(sample / row["image"], sample / row["mask"]) for row in table if row["label"] != "healthy_skin"
    ]
    assert np.median(differences) > 25
    assert np.mean(np.array(differences) > 4) > 0.9


def contrast(image: Path, mask: Path) -> float:
    """The distance between the mean colours inside the mask and outside, of 255."""
    with Image.open(image) as picture, Image.open(mask) as drawn:
        pixels, inside = np.asarray(picture, dtype=np.float64), np.asarray(drawn) > 0
    return float(np.linalg.norm(np.median(pixels[inside], axis=0) - np.median(pixels[~inside], axis=0)))


def test_second_photograph_shows_the_same_lesion_in_another_pose() -> None:
    first, again = Row(0, "nevus", lesion=7), Row(1, "nevus", lesion=7)
    (picture, mask), (other, other_mask) = (render_image(row, 64, seed=0) for row in (first, again))
    assert not np.array_equal(picture, other)
    assert np.mean(np.asarray(mask) > 0) == pytest.approx(np.mean(np.asarray(other_mask) > 0), rel=0.9)


def test_melanomas_score_higher_on_the_abcd_rule_but_not_always() -> None:
    rng = np.random.default_rng(0)
    benign, malignant = ([draw_abcd(rng, flag).total_score for _ in range(400)] for flag in (False, True))
    assert np.median(benign) < 4.75  # both thresholds: Nachbar et al. 1994
    assert np.median(malignant) > 5.45
    assert np.quantile(benign, 0.95) > np.quantile(malignant, 0.10), "the classes no longer overlap"


def test_malignant_lesions_come_with_age() -> None:
    rng = np.random.default_rng(0)
    ages = {label: np.mean([draw_patient(rng, label).true_age for _ in range(300)]) for label in LABELS}
    assert min(ages[label] for label in MALIGNANT) > ages["nevus"] + 10


def test_killed_generation_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "sample", num_images=4, image_px=48, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_folder_does_not_exist_until_all_is_written(tmp_path: Path) -> None:
    seen: list[tuple[int, int, bool]] = []
    target = tmp_path / "deep" / "sample"
    write_sample(
        target, num_images=3, image_px=48, progress=lambda done, total: seen.append((done, total, target.exists()))
    )
    assert seen == [(1, 3, False), (2, 3, False), (3, 3, False)]
    assert target.is_dir()


def test_full_folder_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="new or empty folder"):
        write_sample(tmp_path, num_images=1)
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize(("name", "value"), [("num_images", 0), ("image_px", 8), ("seed", -1)])
def test_argument_out_of_range_is_refused(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        write_sample(tmp_path / "sample", **{name: value})


def test_notice_is_plain() -> None:
    assert "no clinical value" in dataset.NOTICE
