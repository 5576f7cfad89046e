"""Files and folders that are whole or absent."""

from pathlib import Path

import pytest

from core.files import list_files, new_file, new_folder, sha256_of


class Stopped(Exception):
    """What interrupts a writer."""


def fill_half_a_folder(target: Path, error: type[BaseException]) -> None:
    with new_folder(target) as aside:
        (aside / "new.txt").write_text("half")
        raise error


def write_half_a_file(target: Path, error: type[BaseException]) -> None:
    with new_file(target) as aside:
        aside.write_text("half")
        raise error


def content_of(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in list_files(folder)}


def test_folder_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    with new_folder(target) as aside:
        (aside / "sub").mkdir()
        (aside / "sub" / "a.txt").write_text("a")
        assert not target.exists()
    assert content_of(target) == {"sub/a.txt": "a"}
    assert list(target.parent.iterdir()) == [target]


def test_folder_replaces_the_one_before_it_entirely(tmp_path: Path) -> None:
    for name in ("old.txt", "new.txt"):
        with new_folder(tmp_path / "target") as aside:
            (aside / name).write_text(name)
    assert content_of(tmp_path / "target") == {"new.txt": "new.txt"}


@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt, OSError])
def test_folder_is_as_it_was_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    with new_folder(tmp_path / "target") as aside:
        (aside / "old.txt").write_text("old")
    with pytest.raises(error):
        fill_half_a_folder(tmp_path / "target", error)
    assert content_of(tmp_path) == {"target/old.txt": "old"}


def test_folder_left_by_a_killed_writer_is_no_obstacle(tmp_path: Path) -> None:
    with new_folder(tmp_path / "target") as aside:
        name = aside.name
    (tmp_path / name).mkdir()
    (tmp_path / name / "half.txt").write_text("half")
    with new_folder(tmp_path / "target") as aside:
        (aside / "new.txt").write_text("new")
    assert content_of(tmp_path) == {"target/new.txt": "new"}


def test_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with new_file(tmp_path / "a.txt") as aside:
        aside.write_text("new")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert content_of(tmp_path) == {"a.txt": "new"}


@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt, OSError])
def test_file_is_as_it_was_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error):
        write_half_a_file(tmp_path / "a.txt", error)
    assert content_of(tmp_path) == {"a.txt": "old"}


def test_list_names_files_and_links_but_not_folders(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b").touch()
    (tmp_path / "a").touch()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert [file.relative_to(tmp_path).as_posix() for file in list_files(tmp_path)] == [
        "a", "broken", "folder/b", "link",
    ]  # fmt: skip


def test_sha256_is_that_of_the_standard(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "abc") == expected
