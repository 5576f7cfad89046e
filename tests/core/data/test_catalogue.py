"""A catalogue keeps its rows: read from tables, written to Parquet, changed."""

from pathlib import Path

import numpy as np
import pytest

from core.data.catalogue import Catalogue, changed, make_catalogue, open_catalogue, write_catalogue
from core.errors import UserError
from tests.core.data.tiny_log import read, write_rows


def of_items(folder: Path, rows: list[dict[str, object]]) -> Catalogue:
    """The catalogue of these rows."""
    write_rows(folder / "items.jsonl", rows)
    (folder / "events.csv").write_text("user_id,item_id\n")
    return read(folder).catalogue


def test_read_catalogue_of_nothing_but_ids(tmp_path: Path) -> None:
    catalogue = of_items(tmp_path, [{"item_id": 1}, {"item_id": "茶"}])
    assert catalogue.ids == ("1", "茶")
    assert catalogue.text_of(0) == {"title": "", "tags": "", "description": ""}
    assert np.isnan(catalogue.prices).all()
    assert catalogue.in_stock.all()
    assert (catalogue.row_of("茶"), catalogue.row_of("2")) == (1, None)


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("12.5", 12.5), (12, 12.0), ("$1,299.00", 1299.0), ("1.299,00 €", 1299.0), ("¥ 88", 88.0),
        ("free", np.nan), ("", np.nan), ("-3", np.nan),
    ],
)  # fmt: skip
def test_read_catalogue_reads_prices_as_they_are_written(tmp_path: Path, cell: object, price: float) -> None:
    found = of_items(tmp_path, [{"item_id": 1, "price": cell}])
    np.testing.assert_equal(found.prices, [price])


@pytest.mark.parametrize(
    ("cell", "stock"), [(True, True), ("no", False), (0, False), ("0.0", False), (3, True), ("yes", True), ("", False)]
)
def test_read_catalogue_reads_stock_as_it_is_written(tmp_path: Path, cell: object, stock: bool) -> None:
    assert of_items(tmp_path, [{"item_id": 1, "in_stock": cell}]).in_stock.tolist() == [stock]


def test_read_catalogue_takes_lists_of_tags_and_keeps_other_columns(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"sku": "a", "name": "Pot", "keywords": ["red", "round"], "colour": "red"}]
    catalogue = of_items(tmp_path, rows)
    assert catalogue.text_of(0) == {"title": "Pot", "tags": "red round", "description": ""}
    assert catalogue.more == {"colour": ("red",)}


def test_read_catalogue_reports_items_twice_and_without_id(tmp_path: Path) -> None:
    write_rows(tmp_path / "items.csv", [{"item_id": "a"}, {"item_id": "a"}, {"item_id": ""}, {"item_id": "b"}])
    (tmp_path / "events.csv").write_text("user_id,item_id\n")
    found = read(tmp_path)
    assert found.catalogue.ids == ("a", "b")
    assert [item.reason for item in found.rejected] == ["repeated_item", "no_item_id"]


def test_read_catalogue_without_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column of item ids; it has title"):
        of_items(tmp_path, [{"title": "Pot"}])
    with pytest.raises(UserError, match="holds no item with an id"):
        of_items(tmp_path, [{"item_id": ""}])


def test_written_catalogue_is_read_the_same(tmp_path: Path) -> None:
    catalogue = make_catalogue(
        {
            "item_id": ["a", "b"],
            "title": ["Pot 茶壶", ""],
            "price": [1.5, np.nan],
            "in_stock": [True, False],
            "image": ["pot.jpg", ""],
        },
        {"colour": ["red", ""]},
    )
    write_catalogue(catalogue, tmp_path / "items.parquet")
    opened = open_catalogue(tmp_path / "items.parquet")
    for name in ("ids", "titles", "descriptions", "tags", "categories", "images", "more"):
        assert getattr(opened, name) == getattr(catalogue, name)
    np.testing.assert_equal(opened.prices, catalogue.prices)
    np.testing.assert_equal(opened.in_stock, catalogue.in_stock)


@pytest.mark.parametrize("content", [b"", b"PAR1 damaged"])
def test_open_catalogue_of_damaged_file_is_a_plain_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "items.parquet"
    with pytest.raises(UserError, match="cannot be read"):
        open_catalogue(file)
    file.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read"):
        open_catalogue(file)


def test_changes_keep_rows_and_new_items_stand_behind() -> None:
    first = make_catalogue({"item_id": ["a", "b"], "price": [1.0, 2.0]}, {"colour": ["red", "blue"]})
    new, newer = ("c", {"title": "New", "size": "L"}), ("c", {"title": "Newer"})
    after = changed(first, [new, ("b", {"price": 3.0, "colour": "green"}), newer, ("a", {"in_stock": False})])
    assert [after.row_of(name) for name in "abc"] == [0, 1, 2]
    assert after.titles == ("", "", "Newer")
    assert after.more == {"colour": ("red", "green", ""), "size": ("", "", "L")}
    np.testing.assert_equal(after.prices, [1.0, 3.0, np.nan])
    assert after.in_stock.tolist() == [False, True, True]
    assert changed(first, [("a", {"price": 5.0})]).titles is first.titles
    assert first.titles == ("", "")
    assert first.in_stock.all()
