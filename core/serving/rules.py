"""A shop's own rules for its lists: kept in the store, each change with who made it and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Float, Index, String, delete, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.errors import UsageError, UserError
from core.serving.audit import Audited, read_audit, write_audit
from core.serving.database import MAX_ID, NEVER_AGAIN, Table, create_tables, now, storable

RuleKind = Literal["pin", "boost", "bury", "block", "cap"]
RULE_KINDS: tuple[RuleKind, ...] = get_args(RuleKind)
PUT_TRIES = 20
LIMITS: dict[RuleKind, tuple[float, float]] = {"pin": (1, 1000), "boost": (-5, 5), "cap": (0, 1000)}
"""Least and greatest value of the kinds that have one."""


class RuleRow(Table):
    """A rule in force."""

    __tablename__ = "rule"
    __table_args__ = (
        Index("one_rule_of_a_kind", "app", "kind", "item_id", "category", unique=True),
        NEVER_AGAIN,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    item_id: Mapped[str] = mapped_column(String(MAX_ID))
    category: Mapped[str] = mapped_column(String(MAX_ID))
    value: Mapped[float] = mapped_column(Float)


@dataclass(frozen=True)
class Rule:
    """What a shop wants of every list.

    Args:
        kind: pin = it stands at a place; boost = it rises; bury = it stands behind all others; block = it never
            stands in a list; cap = at most so many of a category in one list.
        item_id: What it is about; or
        category: all items of one category. A cap of the empty category is one for each of them.
        value: Of a pin the place, from 1; of a boost how far it rises, 1 being the way from the last place of the
            list to the first, below 0 it sinks; of a cap the number of items.
        id: Set by the store.
    """

    kind: RuleKind
    item_id: str = ""
    category: str = ""
    value: float = 0.0
    id: int = 0

    def __post_init__(self) -> None:
        if self.kind not in RULE_KINDS:
            raise UsageError(
                f"There is no rule `{self.kind}`.", f"Rules: {', '.join(RULE_KINDS)}.", "Use one of these."
            )
        low, high = LIMITS.get(self.kind, (0, 0))
        if not low <= self.value <= high:
            raise UsageError(f"A {self.kind} of {self.value:g}.", f"From {low:g} to {high:g}.", "Give another number.")
        if self.kind in ("pin", "cap") and self.value % 1:
            raise UsageError(f"A {self.kind} of {self.value:g}.", "A whole number.", "Give another number.")
        about = bool(self.item_id) + bool(self.category)
        right = {"pin": bool(self.item_id), "cap": not self.item_id}.get(self.kind, about == 1)
        if not right or about > 1 or max(len(self.item_id), len(self.category)) > MAX_ID:
            raise UsageError(
                f"It is not clear what to {self.kind}.",
                "A pin is about an item, a cap about a category, the others about one of both.",
                "Choose one item or one category.",
            )

    def is_like(self, other: "Rule") -> bool:
        """Is the other of the same kind about the same thing, so that one takes the other's place?"""
        return (self.kind, self.item_id, self.category) == (other.kind, other.item_id, other.category)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; what is empty is left out."""
        about = {"item_id": self.item_id} if self.item_id else {"category": self.category}
        return {"kind": self.kind, **about} | ({"value": self.value} if self.kind in LIMITS else {})


class Rules:
    """The rules of all apps, on the engine of a store. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        create_tables(engine)

    def active(self, app: str) -> tuple[Rule, ...]:
        """All in force, the oldest first."""
        query = select(RuleRow).where(RuleRow.app == app).order_by(RuleRow.id)
        with Session(self.engine) as session:
            return tuple(_read(row) for row in session.scalars(query))

    def put(self, app: str, rule: Rule, who: str, why: str) -> int:
        """Sets a rule, in the place of one of the same kind about the same thing, and gives its number.

        Raises:
            UsageError: It is not said who or why.
        """
        for _ in range(PUT_TRIES):
            try:
                return self._put(app, rule, who, why)
            except IntegrityError:
                # Another set the same one at the same moment: now there is one to replace.
                continue
        return self._put(app, rule, who, why)

    def take_back(self, app: str, rule_id: int, who: str, why: str) -> None:
        """Ends a rule.

        Raises:
            UserError: There is no such rule.
            UsageError: It is not said who or why.
        """
        with Session(self.engine) as session, session.begin():
            row = session.get(RuleRow, rule_id)
            if row is None or row.app != app:
                raise UserError(f"There is no rule {rule_id}.", "One that is in force.", "Look at the list again.")
            write_audit(session, app, who, "rule taken back", why, _read(row).to_json())
            session.delete(row)

    def _put(self, app: str, rule: Rule, who: str, why: str) -> int:
        item_id, category = storable(rule.item_id), storable(rule.category)
        row = RuleRow(created=now(), app=app, kind=rule.kind, item_id=item_id, category=category, value=rule.value)
        same = (RuleRow.app == app, RuleRow.kind == rule.kind)
        about = (RuleRow.item_id == item_id, RuleRow.category == category)
        with Session(self.engine) as session, session.begin():
            before = session.execute(delete(RuleRow).where(*same, *about).returning(RuleRow.value)).scalar()
            details = rule.to_json() | ({"before": before} if before is not None else {})
            session.add(row)
            write_audit(session, app, who, "rule set", why, details)
            session.flush()
            return row.id

    def audit(self, app: str, limit: int = 100) -> Sequence[Audited]:
        """The newest changes, newest first."""
        return read_audit(self.engine, app, limit)


def _read(row: RuleRow) -> Rule:
    return Rule(row.kind, row.item_id, row.category, row.value, row.id)  # type: ignore[arg-type]
