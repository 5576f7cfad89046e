"""Files and folders that are whole or absent, whenever the process or the machine stops."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` to fill; it becomes `target` when everything in it is on disk.

    What stood at `target` is replaced only then. After an error nothing is left and `target` is as it was.
    """
    # The process number lets several processes prepare the same folder at once.
    aside = target.with_name(f".{target.name}.{os.getpid()}.aside")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
        for path in (*list_files(aside), aside):
            flush(path)
        if target.exists():
            shutil.rmtree(target)
        aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    flush(target.parent)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A path beside `target` to write; it becomes `target` when it is on disk."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.aside")
    try:
        yield aside
        flush(aside)
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    flush(target.parent)


def list_files(folder: Path) -> list[Path]:
    """Every file and link below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def sha256_of(file: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Waits until a file's content or a folder's entries are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
