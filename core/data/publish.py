"""A folder appears under its name only when it is whole, also when several processes write it at once."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import UserError


@contextmanager
def publish(folder: Path, is_whole: Callable[[Path], bool]) -> Iterator[Path]:
    """Gives a temporary folder to write into, and renames it to `folder` at the end.

    If another process was faster, its folder stays and ours is discarded; a damaged folder of that name is replaced.

    Args:
        folder: Where the result shall stand.
        is_whole: Whether an existing folder is good.

    Raises:
        UserError: The folder cannot be written.
    """
    work = folder.parent / f".{folder.name[:40]}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
    try:
        work.mkdir(parents=True)
        yield work
        _rename(work, folder, is_whole)
    except OSError as error:
        raise UserError(
            f"The cache {folder.parent} cannot be written: {error.strerror or error}.",
            "Decoded images and sample data are kept in a folder with enough space.",
            "Name another one: --data.cache-dir DIR, or the variable AI_APP_SUITE_CACHE.",
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def default_cache_dir() -> Path:
    """AI_APP_SUITE_CACHE, or ~/.cache/ai_app_suite."""
    return Path(os.environ.get("AI_APP_SUITE_CACHE") or Path.home() / ".cache" / "ai_app_suite")


def _rename(work: Path, folder: Path, is_whole: Callable[[Path], bool]) -> None:
    if folder.exists() and not is_whole(folder):
        trash = work.with_name(f"{work.name}.old")
        with suppress(FileNotFoundError):  # another process has just replaced it
            folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)
    try:
        work.rename(folder)
    except OSError:
        if not folder.exists():
            raise
