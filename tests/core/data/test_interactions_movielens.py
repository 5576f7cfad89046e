"""The layouts of MovieLens, old and new, and sets of the hub are read without any setting."""

from pathlib import Path

import pytest

from tests.core.data.tiny_log import ITEMS, START_S, events, load, named, read, write_rows


def write_latest(folder: Path) -> Path:
    """movies, ratings, tags, links and overviews, as in ml-latest."""
    write_rows(
        folder / "movies.csv",
        [
            {"movieId": 1, "title": "Toy Story (1995)", "genres": "Animation|Comedy"},
            {"movieId": 5, "title": "Untold (2001)", "genres": "(no genres listed)"},
        ],
    )
    write_rows(folder / "ratings.csv", [{"userId": 1, "movieId": 5, "rating": 4.5, "timestamp": START_S}])
    tags = [(1, 1, "pixar"), (2, 1, "fun"), (2, 9, "gone")]
    write_rows(folder / "tags.csv", [{"userId": u, "movieId": m, "tag": t, "timestamp": START_S} for u, m, t in tags])
    write_rows(folder / "links.csv", [{"movieId": 1, "imdbId": "0114709"}, {"movieId": 5, "imdbId": "42"}])
    write_rows(folder / "overviews.csv", [{"movieId": 1, "overview": "Toys, alive."}])
    return folder


def test_read_interactions_of_movielens_latest_joins_its_tables(tmp_path: Path) -> None:
    found = read(write_latest(tmp_path))
    catalogue = found.catalogue
    assert catalogue.ids == ("1", "5")
    assert catalogue.tags == ("Animation|Comedy|pixar|fun", "")
    assert catalogue.descriptions == ("Toys, alive.", "")
    assert catalogue.more["imdbId"] == ("0114709", "42")
    assert set(catalogue.more) == {"imdbId"}
    assert named(found) == [("1", "5", "rating", START_S, 1.0)]
    assert "tags.csv: column tag adds tags to the items (2 rows)" in found.notes


def test_read_interactions_passes_over_tables_about_other_things(tmp_path: Path) -> None:
    write_latest(tmp_path)
    write_rows(tmp_path / "users.csv", [{"id": 1, "name": "Ann", "description": "No film."}])
    write_rows(tmp_path / "genome.csv", [{"movieId": 1, "tagId": n, "relevance": 0.5} for n in range(3)])
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "notes.json").write_text('{"made": "by hand"}')
    found = read(tmp_path)
    assert found.catalogue.descriptions == ("Toys, alive.", "")
    assert set(found.catalogue.more) == {"imdbId"}
    assert "empty.csv is no table: not read" in found.notes


def test_read_interactions_of_movielens_1m(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_text("1::Léon: The (1994)::Crime|Drama\n2::Other::Comedy\n", encoding="latin-1")
    (tmp_path / "ratings.dat").write_text(f"1::2::5::{START_S}\n1::1::2::{START_S + 1}\n1::1\n")
    (tmp_path / "users.dat").write_text("1::F::1::10::48067\n")
    found = read(tmp_path)
    assert found.catalogue.titles[0] == "Léon: The (1994)"
    assert found.catalogue.tags[0] == "Crime|Drama"
    assert named(found) == [("1", "2", "rating", START_S, 1.0), ("1", "1", "rating", START_S + 1, -1.0)]
    assert {item.reason: item.rows for item in found.rejected} == {"wrong_number_of_cells": 1}


def test_read_interactions_of_movielens_100k(tmp_path: Path) -> None:
    flags = "|".join("1" if place in (1, 3) else "0" for place in range(19))
    (tmp_path / "u.item").write_text(f"7|Café (1995)|01-Jan-1995||http://x|{flags}\n", encoding="latin-1")
    (tmp_path / "u.data").write_text(f"196\t7\t3\t{START_S}\n")
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n")
    found = read(tmp_path)
    assert found.catalogue.titles == ("Café (1995)",)
    assert found.catalogue.tags == ("Action Animation",)
    assert named(found) == [("196", "7", "rating", START_S, -1.0)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_load_interactions_of_saved_hub_set_equals_the_folder(tmp_path: Path) -> None:
    import datasets

    rows = events()
    kinds = datasets.Features(
        {
            "user_id": datasets.Value("string"),
            "item_id": datasets.Value("string"),
            "timestamp": datasets.Value("int64"),
            "event": datasets.ClassLabel(names=["browse", "click"]),
        }
    )
    parts = {
        "items": datasets.Dataset.from_list(ITEMS),
        "events": datasets.Dataset.from_list(rows, features=kinds),
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    write_rows(tmp_path / "plain" / "items.csv", ITEMS)
    write_rows(tmp_path / "plain" / "events.csv", rows)
    loaded = load(f"hub:{tmp_path / 'saved'}")
    assert loaded.fingerprint == load(tmp_path / "plain").fingerprint
    assert loaded.report.source == f"hub:{tmp_path / 'saved'}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_load_interactions_of_hub_set_with_configurations_equals_the_folder(tmp_path: Path) -> None:
    rows = events()
    folder = tmp_path / "set"
    write_rows(folder / "items.parquet", ITEMS)
    write_rows(folder / "log" / "train.parquet", rows[:25])
    write_rows(folder / "log" / "test.parquet", rows[25:])
    write_rows(folder / "other.parquet", [{"a": 1}])
    names = {"items": "items.parquet", "other": "other.parquet"}
    heads = "".join(f"- config_name: {name}\n  data_files: {file}\n" for name, file in names.items())
    of_events = "- config_name: events\n  data_files:\n" + "".join(
        f"  - split: {split}\n    path: log/{split}.parquet\n" for split in ("train", "test")
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{heads}{of_events}---\n")
    write_rows(tmp_path / "plain" / "items.csv", ITEMS)
    write_rows(tmp_path / "plain" / "events.csv", rows)
    assert load(f"hub:{folder}").fingerprint == load(tmp_path / "plain").fingerprint


def test_load_interactions_of_the_real_small_set(real_data: Path) -> None:
    loaded = load(real_data / "movielens-latest-small", rejected_to="unused.csv")
    assert len(loaded.catalogue) == 9742
    assert len(loaded.split.log) == 100_836
    assert loaded.catalogue.titles[0] == "Toy Story (1995)"
    assert "pixar" in loaded.catalogue.tags[0]
    assert loaded.catalogue.descriptions[0].startswith("Led by Woody")
    assert len(loaded.splits["validation"]) == len(loaded.splits["test"]) == 608
    assert not loaded.report.rejected
