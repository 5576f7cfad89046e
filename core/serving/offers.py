"""What is offered, as it changed since a training: new things, new prices, what is sold out; told to all processes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, String, Text, func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.serving.database import MAX_ID, NEVER_AGAIN, Table, create_tables, now, storable


class OfferRow(Table):
    """One change."""

    __tablename__ = "offer"
    __table_args__ = (Index("offers_in_order", "app", "id"), NEVER_AGAIN)
    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64))
    item_id: Mapped[str] = mapped_column(String(MAX_ID))
    facts: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class Offered:
    """One change.

    Args:
        id: Rises in the order of the changes.
        created: UTC, ISO 8601.
        item_id: Of what.
        facts: Those that changed, JSON-ready.
    """

    id: int
    created: str
    item_id: str
    facts: Mapping[str, Any]


class Offers:
    """The changes of all apps, on the engine of a store. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        create_tables(engine)

    def put(self, app: str, item_id: str, facts: Mapping[str, Any]) -> int:
        """Keeps a change durably and gives its number."""
        told = storable(json.dumps(facts, ensure_ascii=False))
        row = OfferRow(created=now(), app=app, item_id=storable(item_id), facts=told)
        with Session(self.engine) as session, session.begin():
            if self.engine.dialect.name == "postgresql":
                # One after another, so that whoever has read a number has read all before it; SQLite does so anyway.
                session.execute(text(f"LOCK TABLE {OfferRow.__tablename__} IN EXCLUSIVE MODE"))
            session.add(row)
            session.flush()
            return row.id

    def newest(self, app: str) -> int:
        """The number of the last change; 0 = there is none."""
        with Session(self.engine) as session:
            return session.scalar(select(func.max(OfferRow.id)).where(OfferRow.app == app)) or 0

    def since(self, app: str, number: int) -> Sequence[Offered]:
        """The changes after a number, in their order."""
        query = select(OfferRow).where(OfferRow.app == app, OfferRow.id > number).order_by(OfferRow.id)
        with Session(self.engine) as session:
            return [Offered(row.id, row.created, row.item_id, json.loads(row.facts)) for row in session.scalars(query)]
