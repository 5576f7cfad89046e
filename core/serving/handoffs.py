"""Conversations that a person takes over: opened with what was said so far, answered into the chat, closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import UserError
from core.serving.database import now
from core.serving.masked_text import MaskedStore, Ranking, read_ranking
from core.serving.messages import Message, insert_message, read_message, touch_conversation
from core.serving.tables import ConversationRow, HandoffRow, MessageRow

Status = Literal["open", "answered", "closed"]


@dataclass(frozen=True)
class Handoff:
    """One request for a person.

    Args:
        id: Rises with time.
        conversation_id: The chat.
        app: Whose chat.
        status: Open until an agent answers; answered until one closes it.
        reason: Why the bot handed over.
        language: Of the customer.
        ranking: (intent, probability) of the last message, most probable first.
        transcript: The messages up to the handoff, oldest first.
        agent: Who answered last; empty = nobody yet.
        created: UTC, ISO 8601.
        updated: The same, of the last change.
    """

    id: int
    conversation_id: str
    app: str
    status: str
    reason: str
    language: str
    ranking: tuple[tuple[str, float], ...]
    transcript: tuple[Message, ...]
    agent: str
    created: str
    updated: str


class Handoffs(MaskedStore):
    """The handoffs of all conversations."""

    def open_handoff(self, conversation_id: str, reason: str, ranking: Ranking, language: str) -> int:
        """Asks for a person; while one is asked for and has not answered, the id of that handoff.

        Raises:
            UserError: There is no such conversation.
        """
        reason, shown, language = self.text(reason), self.ranking(ranking), self.name(language)[:16]
        while True:
            if (opened := self._open_of(conversation_id)) is not None:
                return opened
            try:
                with Session(self.engine) as session, session.begin():
                    row = _new(session, conversation_id)
                    row.reason, row.ranking, row.language = reason, shown, language
                    session.add(row)
                    session.flush()
                    return row.id
            except IntegrityError:
                # Another thread opened one, or the conversation was deleted, since we looked.
                continue

    def handoffs(self, app: str, status: Status | None = None, limit: int = 50, before: int = 0) -> Sequence[Handoff]:
        """The newest first.

        Args:
            app: Whose.
            status: Only those; None = all.
            limit: At most so many.
            before: Only with a smaller id, for the next page; 0 = from the newest.
        """
        query = select(HandoffRow).where(HandoffRow.app == app).order_by(HandoffRow.id.desc()).limit(limit)
        if status:
            query = query.where(HandoffRow.status == status)
        if before:
            query = query.where(HandoffRow.id < before)
        with Session(self.engine) as session:
            rows = session.scalars(query).all()
            said = self._messages_of(session, {row.conversation_id for row in rows})
            return [_read(row, said.get(row.conversation_id, [])) for row in rows]

    def answer_handoff(self, handoff_id: int, text: str, agent: str) -> int:
        """Writes the agent's message into the chat and gives its id.

        Raises:
            UserError: There is no such handoff, it is closed, or the text is empty.
        """
        if not text.strip():
            raise UserError("The answer is empty.", "Some words.", "Write the answer to the customer.")
        agent = self.name(agent)
        with Session(self.engine) as session:
            conversation_id = session.scalar(select(HandoffRow.conversation_id).where(HandoffRow.id == handoff_id))
        if conversation_id is None:
            raise _no_handoff(handoff_id)
        with Session(self.engine) as session, session.begin():
            # The conversation before the handoff, as in `forget`, so that the two cannot wait for each other.
            message_id = insert_message(
                session, conversation_id, "agent", self.text(text), self.json({"agent": agent, "handoff": handoff_id})
            )
            changed = session.execute(
                update(HandoffRow)
                .where(HandoffRow.id == handoff_id, HandoffRow.status != "closed")
                .values(status="answered", agent=agent, updated=now())
            )
            if not changed.rowcount:  # type: ignore[attr-defined]
                raise UserError(f"Handoff {handoff_id} is closed.", "An open or answered one.", "Choose another.")
        return message_id

    def close_handoff(self, handoff_id: int) -> None:
        """Nothing is left to do; closing a closed one changes nothing.

        Raises:
            UserError: There is no such handoff.
        """
        with Session(self.engine) as session, session.begin():
            closed = update(HandoffRow).where(HandoffRow.id == handoff_id).values(status="closed", updated=now())
            if not session.execute(closed).rowcount:  # type: ignore[attr-defined]
                raise _no_handoff(handoff_id)

    def _open_of(self, conversation_id: str) -> int | None:
        query = select(HandoffRow.id).where(HandoffRow.conversation_id == conversation_id, HandoffRow.status == "open")
        with Session(self.engine) as session:
            return session.scalar(query)

    def _messages_of(self, session: Session, conversation_ids: set[str]) -> dict[str, list[Message]]:
        query = select(MessageRow).where(MessageRow.conversation_id.in_(conversation_ids)).order_by(MessageRow.id)
        said: dict[str, list[Message]] = {}
        for row in session.scalars(query):
            said.setdefault(row.conversation_id, []).append(read_message(row))
        return said


def _new(session: Session, conversation_id: str) -> HandoffRow:
    # Written first: SQLite lets nobody read and then write while others write.
    touch_conversation(session, conversation_id)
    app = session.scalars(select(ConversationRow.app).where(ConversationRow.id == conversation_id)).one()
    said = session.scalar(select(func.max(MessageRow.id)).where(MessageRow.conversation_id == conversation_id))
    return HandoffRow(
        conversation_id=conversation_id,
        created=now(),
        updated=now(),
        app=app,
        status="open",
        agent="",
        last_message_id=said or 0,
    )


def _no_handoff(handoff_id: int) -> UserError:
    return UserError(f"There is no handoff {handoff_id}.", "The id of one that is listed.", "Choose another.")


def _read(row: HandoffRow, messages: list[Message]) -> Handoff:
    return Handoff(
        id=row.id,
        conversation_id=row.conversation_id,
        app=row.app,
        status=row.status,
        reason=row.reason,
        language=row.language,
        ranking=read_ranking(row.ranking),
        transcript=tuple(message for message in messages if message.id <= row.last_message_id),
        agent=row.agent,
        created=row.created,
        updated=row.updated,
    )
