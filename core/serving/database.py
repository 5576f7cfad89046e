"""One way to a database for everything that serving keeps: SQLite by a path, or any SQLAlchemy URL."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from core.errors import UserError

BUSY_MS = 30_000
NEVER_AGAIN = {"sqlite_autoincrement": True}
"""For tables: SQLite would give the number of a deleted row to the next; who still holds it would mean another."""
MAX_ID = 255
"""Characters of an id from outside."""
CONNECT_S = 5
"""A PostgreSQL that does not answer within this is away."""
DATABASE_IS_AWAY = (OperationalError, InterfaceError)
"""What is raised by a question to a database that does not answer, or cannot be written to."""
# PostgreSQL stores no NUL, and UTF-8 has no half of a surrogate pair.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class Table(DeclarativeBase):
    """The base of all tables; each is made by whoever uses it first."""


def open_database(url: str) -> Engine:
    """An engine with all tables that are known by now.

    Raises:
        UserError: It cannot be opened.
    """
    try:
        engine = _engine(url)
        create_tables(engine)
    # ImportError: the driver of a database is not installed.
    except (SQLAlchemyError, OSError, ImportError) as error:
        shown = re.sub(r"://[^/]*@", "://***@", url)
        raise UserError(
            f"The store {shown} cannot be opened: {getattr(error, 'orig', None) or error}.",
            "A SQLite file in a folder that can be written, or the URL of a database.",
            "Give another one with --store.",
        ) from None
    return engine


def create_tables(engine: Engine) -> None:
    """Makes the tables that are missing."""
    try:
        Table.metadata.create_all(engine)
    except DatabaseError:
        # Another process made them between our look and our making; the second look sees them.
        Table.metadata.create_all(engine)


def now() -> str:
    """UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def storable(text: str) -> str:
    """The text with a sign in the place of what databases refuse."""
    return _UNSTORABLE.sub("\ufffd", text)


def _engine(url: str) -> Engine:
    if "://" not in url:
        path = Path(url).expanduser().resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{path}"
    # The driver that the suite installs; SQLAlchemy would look for another, and some clouds write postgres://.
    url = re.sub(r"^postgres(?:ql)?://", "postgresql+psycopg://", url)
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    waiting = {"connect_timeout": CONNECT_S} if kind == "postgresql" else {}
    return create_engine(url, pool_pre_ping=True, connect_args=waiting)


def _prepare_sqlite(connection: Any, _: object) -> None:
    # A write-ahead log lets readers read while one writes; FULL keeps what was acknowledged through a power cut.
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # What is deleted is overwritten, for it was deleted to be gone.
    connection.execute("PRAGMA secure_delete=ON")
