"""Who changed what, when and why: rows that are written with the change itself, and never changed afterwards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, String, Text, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.errors import UsageError
from core.serving.database import NEVER_AGAIN, Table, now, storable

MAX_WORDS = 500


class AuditRow(Table):
    """One change."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_of_app", "app", "id"), NEVER_AGAIN)
    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64))
    who: Mapped[str] = mapped_column(String(MAX_WORDS))
    action: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(String(MAX_WORDS))
    details: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class Audited:
    """A change that was made.

    Args:
        id: Rises with time.
        created: UTC, ISO 8601.
        who: Made it.
        action: What was done.
        why: In their own words.
        details: What it was done to; JSON-ready.
    """

    id: int
    created: str
    who: str
    action: str
    why: str
    details: Mapping[str, Any]


def write_audit(session: Session, app: str, who: str, action: str, why: str, details: Mapping[str, Any]) -> None:
    """Adds a row to the transaction of the change, so that there is never one without the other.

    Raises:
        UsageError: It is not said who or why.
    """
    who, why = (storable(words.strip())[:MAX_WORDS] for words in (who, why))
    if not who or not why:
        raise UsageError(
            "It is not said who makes this change, or why.", "A name and a reason.", "Fill in both: they are kept."
        )
    told = json.dumps(details)
    session.add(AuditRow(created=now(), app=app, who=who, action=action, why=why, details=told))


def read_audit(engine: Engine, app: str, limit: int = 100) -> Sequence[Audited]:
    """The newest changes, newest first."""
    query = select(AuditRow).where(AuditRow.app == app).order_by(AuditRow.id.desc()).limit(limit)
    with Session(engine) as session:
        return [
            Audited(row.id, row.created, row.who, row.action, row.why, json.loads(row.details))
            for row in session.scalars(query)
        ]
