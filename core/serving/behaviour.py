"""What people do with what they are shown: events, and the lists that were shown with the chance of each place."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config
from sqlalchemy import BigInteger, Float, Index, String, Text, delete, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.errors import UsageError
from core.serving.database import MAX_ID, NEVER_AGAIN, Table, create_tables, now, storable

AT_ONCE = 1000
LATEST_TIME = 2**40
"""Seconds since 1970: a clock that counts in milliseconds goes beyond it."""


class EventRow(Table):
    """Something that a user did."""

    __tablename__ = "event"
    __table_args__ = (
        Index("events_of_user", "app", "user_id", "id"),
        Index("one_event_of_a_key", "app", "key", unique=True),
        NEVER_AGAIN,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str] = mapped_column(String(MAX_ID))
    item_id: Mapped[str] = mapped_column(String(MAX_ID))
    kind: Mapped[str] = mapped_column(String(64))
    value: Mapped[float | None] = mapped_column(Float)
    time: Mapped[int] = mapped_column(BigInteger)
    list_id: Mapped[str] = mapped_column(String(32), index=True)
    key: Mapped[str | None] = mapped_column(String(MAX_ID))


class ShownRow(Table):
    """A list that was shown."""

    __tablename__ = "shown_list"
    __table_args__ = (Index("lists_of_user", "app", "user_id"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[str] = mapped_column(String(32), index=True)
    app: Mapped[str] = mapped_column(String(64))
    bundle_id: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[str] = mapped_column(String(MAX_ID))
    after_event: Mapped[int]
    asked: Mapped[str] = mapped_column(Text)
    items: Mapped[str] = mapped_column(Text)
    chances: Mapped[str] = mapped_column(Text)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Event:
    """Something that a user did.

    Args:
        user_id: Who.
        item_id: With what.
        kind: What.
        time: Seconds since 1970.
        value: Such as a rating; None = none.
        list_id: Of the list that it followed; empty = none.
        key: The sender's own; a second event with the same one is the same event. Empty = none.
        id: Set by the store; rises in the order in which events came.
    """

    user_id: str
    item_id: str
    kind: str
    time: Annotated[int, Field(gt=0, lt=LATEST_TIME)]
    value: Annotated[float | None, Field(allow_inf_nan=False)] = None
    list_id: str = ""
    key: str = ""
    id: int = 0


@dataclass(frozen=True)
class ShownList:
    """A list as it was shown.

    Args:
        user_id: To whom; empty = nobody that is known.
        bundle_id: Of the model that made it.
        after_event: The last event of that user that it took into account; 0 = none.
        asked: All else that it was made from, JSON-ready.
        items: Ids, the first place first.
        chances: How likely each of them was to stand at its place.
        id: Set by the store; it cannot be guessed.
    """

    user_id: str
    bundle_id: str
    after_event: int
    asked: Mapping[str, Any]
    items: tuple[str, ...]
    chances: tuple[float, ...]
    id: str = ""


class Behaviour:
    """The events and shown lists of all apps, on the engine of a store. Safe from several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        create_tables(engine)

    def add(self, app: str, event: Event) -> int:
        """Keeps an event durably and gives its number.

        Raises:
            UsageError: An id is empty or too long.
        """
        for name in (event.user_id, event.item_id, event.kind):
            if not 0 < len(name) <= MAX_ID:
                raise UsageError(
                    f"An id of {len(name):,} characters.", f"User, item and kind have 1 to {MAX_ID}.", "Shorten it."
                )
        key = storable(event.key)[:MAX_ID]
        row = EventRow(
            created=now(),
            app=app,
            user_id=storable(event.user_id),
            item_id=storable(event.item_id),
            kind=storable(event.kind)[:64],
            value=event.value,
            time=event.time,
            list_id=storable(event.list_id)[:32],
            key=key or None,
        )
        try:
            with Session(self.engine) as session, session.begin():
                session.add(row)
                session.flush()
                return row.id
        except IntegrityError:
            if not key:
                raise
            # It came before: the sender did not hear that it had been kept.
            same = select(EventRow.id).where(EventRow.app == app, EventRow.key == key)
            with Session(self.engine) as session:
                return session.scalars(same).one()

    def events(self, app: str, user_id: str, most: int, up_to: int | None = None) -> Sequence[Event]:
        """The newest of a user, oldest first; of those up to an id."""
        query = select(EventRow).where(EventRow.app == app, EventRow.user_id == storable(user_id))
        if up_to is not None:
            query = query.where(EventRow.id <= up_to)
        with Session(self.engine) as session:
            rows = session.scalars(query.order_by(EventRow.id.desc()).limit(most)).all()
        return [_read_event(row) for row in reversed(rows)]

    def users(self, app: str) -> Sequence[str]:
        """All who did something, in the order of their ids."""
        query = select(EventRow.user_id).where(EventRow.app == app).distinct().order_by(EventRow.user_id)
        with Session(self.engine) as session:
            return session.scalars(query).all()

    def add_list(self, app: str, shown: ShownList) -> str:
        """Keeps a list durably and gives its id."""
        list_id = secrets.token_urlsafe(18)
        row = ShownRow(
            id=list_id,
            created=now(),
            app=app,
            bundle_id=shown.bundle_id,
            user_id=storable(shown.user_id)[:MAX_ID],
            after_event=shown.after_event,
            asked=json.dumps(shown.asked),
            items=json.dumps(shown.items),
            chances=json.dumps(shown.chances),
        )
        with Session(self.engine) as session, session.begin():
            session.add(row)
        return list_id

    def num_lists(self, app: str) -> int:
        """Lists that are kept."""
        with Session(self.engine) as session:
            return session.scalars(select(func.count()).select_from(ShownRow).where(ShownRow.app == app)).one()

    def lists(self, app: str) -> Iterator[tuple[ShownList, tuple[Event, ...]]]:
        """Each list that was shown, the oldest first, with the events that followed it."""
        last = ("", "")
        while True:
            query = select(ShownRow).where(ShownRow.app == app).order_by(ShownRow.created, ShownRow.id).limit(AT_ONCE)
            if last[0]:
                is_same = (ShownRow.created == last[0]) & (ShownRow.id > last[1])
                query = query.where((ShownRow.created > last[0]) | is_same)
            with Session(self.engine) as session:
                rows = session.scalars(query).all()
                ids = [row.id for row in rows]
                followed: dict[str, list[Event]] = {}
                events = select(EventRow).where(EventRow.list_id.in_(ids)).order_by(EventRow.id)
                for row in session.scalars(events):
                    followed.setdefault(row.list_id, []).append(_read_event(row))
            for shown in rows:
                yield _read_list(shown), tuple(followed.get(shown.id, ()))
            if len(rows) < AT_ONCE:
                return
            last = rows[-1].created, rows[-1].id

    def forget(self, app: str, user_id: str) -> int:
        """Deletes all events and lists of one user, and gives how many there were."""
        with Session(self.engine) as session, session.begin():
            gone = [
                session.execute(delete(table).where(table.app == app, table.user_id == storable(user_id)))
                for table in (EventRow, ShownRow)
            ]
        return sum(one.rowcount for one in gone)  # type: ignore[attr-defined]


def _read_event(row: EventRow) -> Event:
    return Event(row.user_id, row.item_id, row.kind, row.time, row.value, row.list_id, row.key or "", row.id)


def _read_list(row: ShownRow) -> ShownList:
    return ShownList(
        user_id=row.user_id,
        bundle_id=row.bundle_id,
        after_event=row.after_event,
        asked=json.loads(row.asked),
        items=tuple(json.loads(row.items)),
        chances=tuple(json.loads(row.chances)),
        id=row.id,
    )
