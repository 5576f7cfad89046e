"""What the bot could not answer, and the texts that people labelled: what it learns from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.serving.database import now
from core.serving.masked_text import MaskedStore, Ranking, read_ranking, text_key
from core.serving.messages import no_conversation
from core.serving.tables import ExampleRow, UnansweredRow

Outcome = Literal["entry", "example", "dismissed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
# SQLite takes 32,766 values in one statement.
IDS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Unanswered:
    """A question that is still open, with all that ask the same.

    Args:
        ids: Of all of them, oldest first; what `resolve_unanswered` takes.
        text: As it was asked last.
        count: How often it was asked.
        language: Of the last.
        ranking: (intent, probability) of the last.
        conversation_id: Where it was asked last; None = not in a chat.
        created: When it was asked last; UTC, ISO 8601.
    """

    ids: tuple[int, ...]
    text: str
    count: int
    language: str
    ranking: tuple[tuple[str, float], ...]
    conversation_id: str | None
    created: str


@dataclass(frozen=True)
class Example:
    """A text with a person's label, for training.

    Args:
        id: Rises with time.
        text: Masked.
        label: The intent; empty = none of them, out of scope.
        source: Where the label came from.
        created: UTC, ISO 8601.
    """

    id: int
    text: str
    label: str
    source: str
    created: str


class Questions(MaskedStore):
    """The open questions and the labelled examples of all apps."""

    def add_unanswered(
        self, app: str, text: str, language: str, ranking: Ranking, conversation_id: str | None = None
    ) -> int:
        """Puts a question on the queue.

        Raises:
            UserError: There is no such conversation.
        """
        kept = self.text(text)
        row = UnansweredRow(
            conversation_id=conversation_id,
            created=now(),
            app=self.name(app)[:64],
            text=kept,
            text_key=text_key(kept),
            language=self.name(language)[:16],
            ranking=self.ranking(ranking),
            outcome="",
            value="",
            resolved="",
        )
        try:
            with Session(self.engine) as session, session.begin():
                session.add(row)
                session.flush()
                return row.id
        except IntegrityError:
            raise no_conversation() from None

    def unanswered(self, app: str, limit: int = 100) -> Sequence[Unanswered]:
        """Open questions, the most asked first and of those the newest; equal ones are one."""
        is_open = (UnansweredRow.app == app, UnansweredRow.outcome == "")
        newest, count = func.max(UnansweredRow.id), func.count()
        groups = select(newest).where(*is_open).group_by(UnansweredRow.text_key)
        groups = groups.order_by(count.desc(), newest.desc()).limit(limit)
        with Session(self.engine) as session:
            last_ids = session.scalars(groups).all()
            last = {row.id: row for row in session.scalars(select(UnansweredRow).where(UnansweredRow.id.in_(last_ids)))}
            keys = [row.text_key for row in last.values()]
            same = select(UnansweredRow.text_key, UnansweredRow.id).where(*is_open, UnansweredRow.text_key.in_(keys))
            ids: dict[str, list[int]] = {}
            for key, row_id in session.execute(same.order_by(UnansweredRow.id)):
                ids.setdefault(key, []).append(row_id)
            # One that was resolved or forgotten between the two looks is left out.
            return [_read(last[row_id], ids[key]) for row_id in last_ids if (key := _key_of(last, row_id)) in ids]

    def resolve_unanswered(self, ids: Sequence[int], outcome: Outcome, value: str = "") -> int:
        """Takes questions off the queue and gives how many were still on it.

        Args:
            ids: Of the questions.
            outcome: What became of them; adding the entry or the example is the caller's.
            value: The id of the entry or the label.
        """
        assert outcome in OUTCOMES, outcome
        values = {"outcome": outcome, "value": self.text(value), "resolved": now()}
        resolved = 0
        with Session(self.engine) as session, session.begin():
            for start in range(0, len(ids), IDS_AT_ONCE):
                part = UnansweredRow.id.in_(ids[start : start + IDS_AT_ONCE])
                done = session.execute(update(UnansweredRow).where(part, UnansweredRow.outcome == "").values(**values))
                resolved += done.rowcount  # type: ignore[attr-defined]
        return resolved

    def add_example(self, app: str, text: str, label: str, source: str) -> int:
        """Keeps a text with its label; an empty label says that it is out of scope."""
        kept = self.text(text)
        row = ExampleRow(
            created=now(),
            app=self.name(app)[:64],
            text=kept,
            text_key=text_key(kept),
            label=self.name(label),
            source=self.name(source),
        )
        with Session(self.engine) as session, session.begin():
            session.add(row)
            session.flush()
            return row.id

    def examples(self, app: str) -> Sequence[Example]:
        """All labelled texts, oldest first; of equal ones the last, which corrects those before."""
        newest = select(func.max(ExampleRow.id)).where(ExampleRow.app == app).group_by(ExampleRow.text_key)
        query = select(ExampleRow).where(ExampleRow.id.in_(newest)).order_by(ExampleRow.id)
        with Session(self.engine) as session:
            return [Example(row.id, row.text, row.label, row.source, row.created) for row in session.scalars(query)]


def _key_of(rows: dict[int, UnansweredRow], row_id: int) -> str:
    return rows[row_id].text_key if row_id in rows else ""


def _read(row: UnansweredRow, ids: list[int]) -> Unanswered:
    return Unanswered(
        ids=tuple(ids),
        text=row.text,
        count=len(ids),
        language=row.language,
        ranking=read_ranking(row.ranking),
        conversation_id=row.conversation_id,
        created=row.created,
    )
