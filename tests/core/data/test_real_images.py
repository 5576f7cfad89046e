"""The real data sets load, with the counts that their READMEs state."""

from pathlib import Path

from tests.core.data.conftest import Load


def test_load_images_of_skin_lesions_has_the_counts_of_its_readme(real_data: Path, load: Load) -> None:
    loaded = load(real_data / "skin-lesions")
    totals = {split: sum(counts.values()) for split, counts in loaded.report.rows.items()}
    assert totals == {"train": 1426, "validation": 309, "test": 307}
    assert loaded.report.rows["train"]["pigmented_benign_keratosis"] == 338
    assert len(loaded.labels) == 8
    assert not loaded.report.rejected
    assert not loaded.report.has_leakage
    assert any("HAM10000_metadata.csv is not used" in note for note in loaded.report.notes)
    assert loaded.report.missing_shares["group"] < 0.4
    assert loaded.metadata.sexes == ("female", "male")


def test_load_images_of_skin_lesion_masks_has_a_mask_each(real_data: Path, load: Load) -> None:
    loaded = load(real_data / "skin-lesion-masks")
    assert loaded.report.rows["train"] == {"bcc": 4, "mel": 12, "nv": 89}
    assert loaded.report.with_mask == {"train": 105, "validation": 20, "test": 24}
    assert not loaded.report.rejected
    shares = [example["mask"].mean() for example in loaded.splits["train"]]
    assert 0.02 < min(shares) <= max(shares) < 1


def test_load_images_of_skin_lesions_flat_splits_by_itself(real_data: Path, load: Load) -> None:
    loaded = load(real_data / "skin-lesions" / "val")
    totals = {split: sum(counts.values()) for split, counts in loaded.report.rows.items()}
    assert sum(totals.values()) == 309
    assert 40 <= totals["validation"] <= 52
    assert min(loaded.report.rows["test"].values()) >= 1


def test_load_images_of_cifar10_reads_its_arrays(real_data: Path, load: Load) -> None:
    loaded = load(real_data / "cifar10", limit=300)
    assert loaded.labels[0] == "airplane"
    assert set(loaded.report.rows["train"].values()) == {30}
    assert loaded.splits["train"][0]["image"].shape == (32, 32, 3)
