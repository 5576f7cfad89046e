"""Every layout of folders and tables gives the same rows; what cannot be used says why."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.data.image_config import ImageDataConfig
from core.data.image_rows import FoundImages, ImageRow
from core.data.image_sources import find_images
from core.errors import UsageError, UserError
from tests.core.data.conftest import write_classes, write_image


def find(path: Path, **settings: Any) -> FoundImages:
    return find_images(ImageDataConfig.model_validate({"path": str(path), **settings}), str(path))


def write_table(path: Path, rows: Sequence[dict[str, Any]], encoding: str = "utf-8", newline: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator=newline)
        writer.writeheader()
        writer.writerows(rows)


def facts(rows: Sequence[ImageRow]) -> list[tuple[str, str | None, str | None]]:
    return [(Path(row.path).stem, row.label, row.split) for row in rows]


FILES = ["x1", "x2", "x3", "x4"]
LABELS = ["a", "b", "a", "b"]


def class_folders(root: Path) -> Path:
    for number, (name, label) in enumerate(zip(FILES, LABELS, strict=True)):
        write_image(root / label / f"{name}.jpg", number)
    return root


def class_folders_in_images(root: Path) -> Path:
    class_folders(root / "images")
    return root


def flat(root: Path, ending: str = ".jpg") -> Path:
    for number, name in enumerate(FILES):
        write_image(root / f"{name}{ending}", number)
    return root


def csv_of_paths(root: Path) -> Path:
    flat(root / "images")
    rows = [{"image": f"images/{name}.jpg", "label": label} for name, label in zip(FILES, LABELS, strict=True)]
    write_table(root / "data.csv", rows, "utf-8-sig", "\r\n")
    return root


def csv_of_ids_in_parts(root: Path) -> Path:
    """As HAM10000 comes: ids, codes, and images in two folders that are no classes."""
    for number, name in enumerate(FILES):
        write_image(root / f"part_{number // 2 + 1}" / f"{name}.jpg", number)
    rows = [{"lesion_id": f"l{name}", "image_id": name, "dx": label} for name, label in zip(FILES, LABELS, strict=True)]
    write_table(root / "ham_metadata.csv", rows)
    return root


def csv_file(root: Path) -> Path:
    return csv_of_paths(root) / "data.csv"


def csv_of_absolute_paths(root: Path) -> Path:
    flat(root / "elsewhere" / "图 片")
    rows = [
        {"file": str(root / "elsewhere" / "图 片" / f"{name}.jpg"), "class": label}
        for name, label in zip(FILES, LABELS, strict=True)
    ]
    write_table(root / "tables" / "my table.csv", rows)
    return root / "tables" / "my table.csv"


def jsonl_file(root: Path) -> Path:
    flat(root)
    lines = [json.dumps({"file_name": f"{n}.jpg", "diagnosis": label}) for n, label in zip(FILES, LABELS, strict=True)]
    (root / "data.jsonl").write_text("\n".join(lines))
    return root / "data.jsonl"


def parquet_of_bytes(root: Path) -> Path:
    import pandas as pd

    flat(root / "source")
    cells = [{"bytes": (root / "source" / f"{name}.jpg").read_bytes(), "path": None} for name in FILES]
    (root / "set" / "data").mkdir(parents=True)
    pd.DataFrame({"image": cells, "label": LABELS}).to_parquet(root / "set" / "data" / "all.parquet")
    return root / "set"


def parquet_of_paths(root: Path) -> Path:
    import pandas as pd

    flat(root)
    pd.DataFrame({"path": [f"{name}.jpg" for name in FILES], "label": LABELS}).to_parquet(root / "t.parquet")
    return root


def pascal_voc(root: Path) -> Path:
    flat(root / "JPEGImages")
    (root / "Annotations").mkdir()
    for name, label in zip(FILES, LABELS, strict=True):
        box = "<bndbox><xmin>11</xmin><ymin>6</ymin><xmax>20</xmax><ymax>15</ymax></bndbox>"
        text = f"<annotation><object><name>{label}</name>{box}</object></annotation>"
        (root / "Annotations" / f"{name}.xml").write_text(text)
    return root


LAYOUTS: list[Callable[[Path], Path]] = [
    class_folders, class_folders_in_images, csv_of_paths, csv_of_ids_in_parts, csv_file, csv_of_absolute_paths,
    jsonl_file, parquet_of_bytes, parquet_of_paths, pascal_voc,
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_find_images_reads_every_layout(layout: Callable[[Path], Path], tmp_path: Path) -> None:
    found = find(layout(tmp_path / "数据 set"))
    assert sorted(str(row.label) for row in found.rows) == sorted(LABELS)
    assert not found.rejected
    if layout is not parquet_of_bytes:
        assert sorted(facts(found.rows)) == [(n, lab, None) for n, lab in zip(FILES, LABELS, strict=True)]
        assert all(isinstance(row.content, Path) and row.content.is_file() for row in found.rows)


def test_find_images_reads_splits_of_folders(tmp_path: Path) -> None:
    folders = ["train/a", "train/b", "Valid/a", "Valid/b", "test/a", "test/b"]
    found = find(write_classes(tmp_path, dict.fromkeys(folders, 1)))
    places = sorted((row.split, row.label) for row in found.rows)
    assert places == sorted((split, label) for split in ("train", "validation", "test") for label in "ab")


def test_find_images_reads_a_table_a_split(tmp_path: Path) -> None:
    flat(tmp_path / "images")
    for split, names in (("train", FILES[:2]), ("dev", FILES[2:3]), ("test", FILES[3:])):
        write_table(tmp_path / f"{split}.csv", [{"image": f"images/{n}.jpg", "label": "ab"[n == "x2"]} for n in names])
    assert [row.split for row in find(tmp_path).rows] == ["train", "train", "validation", "test"]


def test_find_images_joins_a_table_to_class_folders(tmp_path: Path) -> None:
    class_folders(tmp_path)
    ages, sexes, sites = ["40", "unknown", "999", "7.5"], ["M", "Female", "", "f"], ["Back", "", "NA", "x"]
    rows = [
        {"image_id": name, "patient": f"p{name}", "age": age, "sex": sex, "localization": site, "fold": 3}
        for name, age, sex, site in zip(FILES, ages, sexes, sites, strict=True)
    ]  # fmt: skip
    write_table(tmp_path / "metadata.csv", rows)
    write_table(tmp_path / "other.csv", [{"image_id": "x1", "label": "zzz"}])
    found = find(tmp_path)
    by_name = {Path(row.path).stem: row for row in found.rows}
    assert [by_name[name].group for name in FILES] == ["px1", "px2", "px3", "px4"]
    assert [by_name[name].age for name in FILES] == [40, None, None, 7.5]
    assert [by_name[name].sex for name in FILES] == ["male", "female", None, "female"]
    assert [by_name[name].site for name in FILES] == ["back", None, None, "x"]
    assert [by_name[name].split for name in FILES] == [None] * 4
    assert any("other.csv is not used" in note for note in found.notes)
    assert any("column patient is read as group" in note for note in found.notes)


def test_find_images_lets_the_class_folder_win_and_says_so(tmp_path: Path) -> None:
    for number in range(8):
        write_image(tmp_path / "train" / "ab"[number % 2] / f"x{number}.jpg", number)
    rows = [{"image": f"x{n}.jpg", "label": "ab"[(n + (n == 3)) % 2], "split": "test"} for n in range(8)]
    write_table(tmp_path / "metadata.csv", rows)
    found = find(tmp_path)
    assert [row.label for row in found.rows] == ["a"] * 4 + ["b"] * 4
    assert {row.split for row in found.rows} == {"train"}
    assert any("1 images another label" in note for note in found.notes)
    assert any("8 images another split" in note for note in found.notes)


def test_find_images_takes_the_label_column_that_the_user_names(tmp_path: Path) -> None:
    class_folders(tmp_path)
    write_table(tmp_path / "t.csv", [{"image": f"{name}.jpg", "kind": "pq"[name > "x2"]} for name in FILES])
    assert {row.label for row in find(tmp_path, columns={"label": "kind"}).rows} == {"p", "q"}


def test_find_images_rejects_rows_and_goes_on(tmp_path: Path) -> None:
    flat(tmp_path)
    rows = [
        {"image": "x1.jpg", "label": "a"},
        {"image": "x2.jpg", "label": "b"},
        {"image": "x3.jpg", "label": ""},
        {"image": "x4.jpg", "label": "a"},
        {"image": "x4.jpg", "label": "b"},
        {"image": "lost.jpg", "label": "a"},
        {"image": "", "label": "a"},
    ]
    write_table(tmp_path / "t.csv", rows)
    found = find(tmp_path)
    assert [row.path for row in found.rows] == ["x1.jpg", "x2.jpg"]
    reasons = {item.path: item.reason for item in found.rejected}
    assert reasons == {
        "x3.jpg": "no_label", "x4.jpg": "conflicting_label", "lost.jpg": "missing", "t.csv row 7": "missing"
    }  # fmt: skip


def test_find_images_keeps_labels_that_sound_empty(tmp_path: Path) -> None:
    flat(tmp_path)
    write_table(
        tmp_path / "t.csv", [{"image": f"{name}.jpg", "label": "none" if name < "x3" else "0"} for name in FILES]
    )
    assert {row.label for row in find(tmp_path).rows} == {"none", "0"}


def test_find_images_finds_masks_of_equal_names(tmp_path: Path) -> None:
    class_folders(tmp_path)
    for name in FILES[:3]:
        write_image(tmp_path / "masks" / f"{name}_segmentation.png", 1)
    found = find(tmp_path)
    assert sum(row.mask is not None for row in found.rows) == 3
    assert len(found.rows) == 4
    assert not any(row.mask for row in find(tmp_path, masks="none").rows)


def test_find_images_finds_masks_beside_each_split(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for label in "ab":
            write_image(tmp_path / split / label / "same.jpg", 1)
            write_image(tmp_path / split / "masks" / label / "same.png", 1)
    masks = {row.path: row.mask for row in find(tmp_path).rows}
    assert masks["train/a/same.jpg"] == tmp_path / "train/masks/a/same.png"
    assert masks["test/b/same.jpg"] == tmp_path / "test/masks/b/same.png"


def test_find_images_finds_a_named_mask_folder(tmp_path: Path) -> None:
    class_folders(tmp_path / "set")
    for name in FILES:
        write_image(tmp_path / "outlines" / f"{name}.png", 1)
    assert all(row.mask for row in find(tmp_path / "set", masks=str(tmp_path / "outlines")).rows)
    class_folders(tmp_path / "set2")
    write_image(tmp_path / "set2" / "outlines" / "x1.png", 1)
    found = find(tmp_path / "set2", masks="outlines")
    assert len(found.rows) == 4
    assert {row.label for row in found.rows} == {"a", "b"}


def test_find_images_reads_boxes(tmp_path: Path) -> None:
    assert find(pascal_voc(tmp_path / "voc")).rows[0].boxes == ((10, 5, 20, 15),)
    flat(tmp_path / "csv")
    box = {"xmin": 1, "ymin": 2, "xmax": 9, "ymax": 8}
    rows = [{"image": f"{name}.jpg", "label": label, **box} for name, label in zip(FILES, LABELS, strict=True)]
    write_table(tmp_path / "csv" / "t.csv", [*rows, {**rows[0], "xmin": 4}])
    assert find(tmp_path / "csv").rows[0].boxes == ((1, 2, 9, 8), (4, 2, 9, 8))


def test_find_images_of_class_folders_ignores_what_is_no_image(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "a" / "notes.docx").write_bytes(b"x")
    (tmp_path / ".hidden").mkdir()
    write_image(tmp_path / "__MACOSX" / "a" / "x1.jpg", 1)
    found = find(tmp_path)
    assert len(found.rows) == 4
    assert any(".docx" in note for note in found.notes)


def nothing(root: Path) -> Path:
    return root / "nowhere"


def empty(root: Path) -> Path:
    root.mkdir()
    return root


def text_file(root: Path) -> Path:
    root.mkdir()
    (root / "a.txt").write_text("x")
    return root / "a.txt"


def unlabelled_table(root: Path) -> Path:
    flat(root)
    write_table(root / "t.csv", [{"image": f"{name}.jpg", "age": 3} for name in FILES])
    return root


def empty_class(root: Path) -> Path:
    class_folders(root)
    (root / "c").mkdir()
    return root


def empty_class_in_split(root: Path) -> Path:
    write_classes(root, {"train/a": 1, "train/b": 1, "val/a": 1})
    (root / "val" / "b").mkdir()
    return root


def all_missing(root: Path) -> Path:
    write_table(root / "t.csv", [{"image": "lost.jpg", "label": "a"}])
    return root / "t.csv"


def wrong_split_word(root: Path) -> Path:
    flat(root)
    write_table(root / "t.csv", [{"image": f"{n}.jpg", "label": n, "part": "third"} for n in FILES])
    return root


REFUSED: list[tuple[Callable[[Path], Path], dict[str, Any], str]] = [
    (nothing, {}, "no folder or file"),
    (empty, {}, "holds no images"),
    (text_file, {}, "no table"),
    (flat, {}, "has a label"),
    (unlabelled_table, {}, "has a label"),
    (empty_class, {}, "class folder c"),
    (empty_class_in_split, {}, "class folder val/b"),
    (all_missing, {}, "no column"),
    (class_folders, {"columns": {"label": "dx"}}, "no table"),
    (csv_of_paths, {"columns": {"label": "labe"}}, "no column `labe`"),
    (wrong_split_word, {"columns": {"split": "part"}}, "`third`"),
    (class_folders, {"masks": "outlines"}, "does not exist"),
]


@pytest.mark.parametrize(
    ("layout", "settings", "expected"), REFUSED, ids=lambda value: getattr(value, "__name__", None)
)
def test_find_images_of_unusable_data_says_why(
    layout: Callable[[Path], Path], settings: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        find(layout(tmp_path / "set"), **settings)
    assert expected in caught.value.what
    assert caught.value.allowed
    assert caught.value.fix


def test_find_images_of_unreadable_table_beside_class_folders_notes_it(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "metadata.csv").write_bytes("image,性别\nx1.jpg,男\n".encode("gb18030"))
    assert any("not UTF-8" in note for note in find(tmp_path).notes)
    flat(tmp_path / "flat")
    (tmp_path / "flat" / "t.csv").write_bytes("image,label\nx1.jpg,男\n".encode("gb18030"))
    with pytest.raises(UserError, match="iconv"):
        find(tmp_path / "flat")


def test_find_images_with_columns_but_no_table_is_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"columns\.group"):
        find(class_folders(tmp_path), columns={"group": "patient"})
