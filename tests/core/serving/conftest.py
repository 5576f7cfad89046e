"""The small bundle that these tests share, and databases: SQLite always, PostgreSQL where there is one."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from export.small_bundle import small_bundle
from sqlalchemy import text

from core.serving.store import Store

__all__ = ["database_url", "open_store", "small_bundle"]

POSTGRES = "SUITE_POSTGRES_URL"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "kept.db")
        return
    if POSTGRES not in os.environ:
        pytest.skip(f"{POSTGRES} is not set: the URL of a PostgreSQL database in which schemas may be made")
    # A schema of its own: test processes share the database.
    schema = f"test_{secrets.token_hex(8)}"
    store = Store(os.environ[POSTGRES])
    with store.engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{os.environ[POSTGRES]}?options=-csearch_path%3D{schema}"
    with store.engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    store.close()


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
