"""What people tell the suite is kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from core.errors import UserError
from core.serving.store import MAX_COMMENT, Feedback, Store

GIVEN = Feedback(
    app="medical_imaging",
    bundle_id="0123456789ab",
    input_name="图像.png",
    input_sha256="f" * 64,
    input_content=b"\x00\xffpixels",
    answer={"label": "黑色素瘤", "ranking": [{"label": "a", "probability": 0.5}], "alarm": None},
    label="naevus",
    comment="边界清楚 — looks benign",
)


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    opened = Store(str(tmp_path / "deep" / "feedback.db"))
    yield opened
    opened.close()


def test_feedback_comes_back_as_it_was_given(store: Store) -> None:
    number = store.add(GIVEN)
    (found,) = store.latest("medical_imaging")
    assert replace(found, created="", id=0) == GIVEN
    assert found.id == number
    assert datetime.fromisoformat(found.created).utcoffset() is not None


def test_input_need_not_be_kept(store: Store) -> None:
    store.add(replace(GIVEN, input_content=None))
    assert store.latest("medical_imaging")[0].input_content is None


def test_latest_are_the_newest_of_one_app_first(store: Store) -> None:
    for number in range(5):
        store.add(replace(GIVEN, label=str(number)))
    store.add(replace(GIVEN, app="other"))
    assert [row.label for row in store.latest("medical_imaging", limit=3)] == ["4", "3", "2"]
    assert len(store.latest("other")) == 1
    assert store.latest("nobody") == []


def test_long_names_are_cut_and_not_refused(store: Store) -> None:
    store.add(replace(GIVEN, input_name="x" * 1000))
    assert store.latest("medical_imaging")[0].input_name == "x" * 255


@pytest.mark.parametrize("length", [MAX_COMMENT, MAX_COMMENT + 1])
def test_comment_that_is_too_long_is_refused(store: Store, length: int) -> None:
    given = replace(GIVEN, comment="x" * length)
    if length <= MAX_COMMENT:
        store.add(given)
        return
    with pytest.raises(UserError, match="10,001 characters"):
        store.add(given)
    assert store.latest("medical_imaging") == []


def test_store_survives_reopening(tmp_path: Path) -> None:
    for label in ("one", "two"):
        store = Store(str(tmp_path / "feedback.db"))
        store.add(replace(GIVEN, label=label))
        store.close()
    store = Store(f"sqlite:///{tmp_path / 'feedback.db'}")
    assert [row.label for row in store.latest("medical_imaging")] == ["two", "one"]
    store.close()


def test_writers_at_once_lose_nothing(store: Store, tmp_path: Path) -> None:
    other = Store(str(tmp_path / "deep" / "feedback.db"))
    labels = [f"{writer}-{number}" for writer in range(8) for number in range(10)]

    def write(label: str) -> int:
        return (store if hash(label) % 2 else other).add(replace(GIVEN, label=label))

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(write, labels))
    assert len(set(numbers)) == len(labels)
    kept = {row.id: row.label for row in store.latest("medical_imaging", limit=1000)}
    assert kept == dict(zip(numbers, labels, strict=True))
    other.close()


def test_text_that_looks_like_sql_is_only_text(store: Store) -> None:
    store.add(replace(GIVEN, label="'); DROP TABLE feedback; --"))
    assert store.latest("medical_imaging")[0].label == "'); DROP TABLE feedback; --"
    assert store.latest("' OR 1=1 --") == []


@pytest.mark.parametrize("content", [None, b"this is no database, whatever its name says" * 40])
def test_path_that_cannot_be_opened_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "in_the_way"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be opened") as caught:
        Store(str(path))
    assert "--store" in caught.value.fix


def test_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be opened"):
        Store(str(tmp_path / "file" / "feedback.db"))


@pytest.mark.parametrize(
    "url", ["sqlite://user:secret@/x.db", "nosuchdatabase://user:secret@host/x", "mysql+oursql://user:secret@host/x"]
)
def test_database_that_cannot_be_reached_is_an_error_without_its_password(url: str) -> None:
    with pytest.raises(UserError, match="cannot be opened") as caught:
        Store(url)
    assert "secret" not in str(caught.value)
    assert "***@" in caught.value.what
