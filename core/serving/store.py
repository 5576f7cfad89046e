"""What people tell the suite: their own label and comment on an answer, kept in a database."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.errors import UserError
from core.serving.database import Table, now, open_database

MAX_COMMENT = 10_000


class _Feedback(Table):
    __tablename__ = "feedback"
    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[str] = mapped_column(String(32), index=True)
    app: Mapped[str] = mapped_column(String(64), index=True)
    bundle_id: Mapped[str] = mapped_column(String(16))
    input_name: Mapped[str] = mapped_column(String(255))
    input_sha256: Mapped[str] = mapped_column(String(64), index=True)
    input_content: Mapped[bytes | None] = mapped_column(LargeBinary)
    answer: Mapped[str]
    label: Mapped[str] = mapped_column(String(255))
    comment: Mapped[str]


@dataclass(frozen=True)
class Feedback:
    """One person's word on one answer.

    Args:
        app: Whose answer.
        bundle_id: Of the model that gave it.
        input_name: File name or a short form of the text.
        input_sha256: Of the input's content.
        input_content: The input itself, so that one can train on the correction; None = not kept.
        answer: JSON-ready, as given.
        label: The person's own.
        comment: The person's own.
        created: UTC, ISO 8601; set by the store.
        id: Set by the store.
    """

    app: str
    bundle_id: str
    input_name: str
    input_sha256: str
    input_content: bytes | None
    answer: Mapping[str, Any]
    label: str
    comment: str
    created: str = ""
    id: int = 0


class Store:
    """A database: SQLite by a path, or any SQLAlchemy URL. It keeps feedback, and others keep more on its engine."""

    def __init__(self, url: str) -> None:
        self.engine = open_database(url)

    def add(self, feedback: Feedback) -> int:
        """Saves one row durably and gives its number.

        Raises:
            UserError: The comment is too long.
        """
        if len(feedback.comment) > MAX_COMMENT:
            raise UserError(
                f"The comment has {len(feedback.comment):,} characters.", f"At most {MAX_COMMENT:,}.", "Shorten it."
            )
        row = _Feedback(
            created=now(),
            app=feedback.app,
            bundle_id=feedback.bundle_id,
            input_name=feedback.input_name[:255],
            input_sha256=feedback.input_sha256,
            input_content=feedback.input_content,
            answer=json.dumps(feedback.answer, ensure_ascii=False),
            label=feedback.label,
            comment=feedback.comment,
        )
        with Session(self.engine) as session:
            session.add(row)
            session.commit()
            return row.id

    def latest(self, app: str, limit: int = 100) -> Sequence[Feedback]:
        """The newest rows of an app, newest first."""
        query = select(_Feedback).where(_Feedback.app == app).order_by(_Feedback.id.desc()).limit(limit)
        with Session(self.engine) as session:
            return [_read(row) for row in session.scalars(query)]

    def close(self) -> None:
        self.engine.dispose()


def _read(row: _Feedback) -> Feedback:
    return Feedback(
        app=row.app,
        bundle_id=row.bundle_id,
        input_name=row.input_name,
        input_sha256=row.input_sha256,
        input_content=row.input_content,
        answer=json.loads(row.answer),
        label=row.label,
        comment=row.comment,
        created=row.created,
        id=row.id,
    )
