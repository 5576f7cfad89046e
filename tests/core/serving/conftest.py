"""Databases that tests of the store run against: SQLite always, PostgreSQL where there is one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import core.serving.tables  # noqa: F401  (its tables are dropped below)
from core.serving.database import Table
from core.serving.store import Store

POSTGRES = "SUITE_POSTGRES_URL"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "kept.db")
    if POSTGRES not in os.environ:
        pytest.skip(f"{POSTGRES} is not set: the URL of a PostgreSQL database that may be emptied")
    store = Store(os.environ[POSTGRES])
    Table.metadata.drop_all(store.engine)
    store.close()
    return os.environ[POSTGRES]


@pytest.fixture
def open_store(database_url: str) -> Iterator[Callable[[], Store]]:
    """Opens the same database again and again."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store(database_url))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()
