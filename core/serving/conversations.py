"""What an assistant keeps of its conversations; nothing enters unmasked, and what is forgotten is gone."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import UserError
from core.serving.database import now
from core.serving.handoffs import Handoffs
from core.serving.messages import Message, Role, insert_message, read_message
from core.serving.questions import Questions
from core.serving.tables import ConversationRow, MessageRow, RatingRow


@dataclass(frozen=True)
class Rating:
    """What a customer thought of one message.

    Args:
        message_id: The message.
        conversation_id: The chat that it stands in.
        text: Of the message.
        value: 1 = liked, -1 = disliked.
        reason: The customer's own words.
        created: UTC, ISO 8601.
    """

    message_id: int
    conversation_id: str
    text: str
    value: int
    reason: str
    created: str


class Conversations(Handoffs, Questions):
    """Conversations, their handoffs, and what is learnt from them, beside the feedback of a store."""

    def start(self, app: str) -> str:
        """A new conversation; who knows its id may read it, so the id cannot be guessed."""
        conversation_id = secrets.token_urlsafe(18)
        row = ConversationRow(id=conversation_id, created=now(), updated=now(), app=self.name(app)[:64])
        with Session(self.engine) as session, session.begin():
            session.add(row)
        return conversation_id

    def add_message(self, conversation_id: str, role: Role, text: str, details: Mapping[str, Any] | None = None) -> int:
        """Saves one message durably and gives its id.

        Raises:
            UserError: There is no such conversation.
        """
        kept, shown = self.text(text), self.json(details or {})
        with Session(self.engine) as session, session.begin():
            return insert_message(session, conversation_id, role, kept, shown)

    def messages(self, conversation_id: str, after: int = 0) -> Sequence[Message]:
        """The messages with a greater id than `after`, oldest first; none for a conversation that is not there."""
        query = select(MessageRow).where(MessageRow.conversation_id == conversation_id, MessageRow.id > after)
        with Session(self.engine) as session:
            return [read_message(row) for row in session.scalars(query.order_by(MessageRow.id))]

    def rate(self, message_id: int, value: Literal[-1, 1], reason: str = "") -> None:
        """Keeps what a customer thinks of a message, in the place of what was thought before.

        Raises:
            UserError: There is no such message.
        """
        assert value in (-1, 1), value
        values = {"value": value, "reason": self.text(reason), "created": now()}
        for _ in range(2):
            try:
                with Session(self.engine) as session, session.begin():
                    changed = update(RatingRow).where(RatingRow.message_id == message_id).values(**values)
                    if not session.execute(changed).rowcount:  # type: ignore[attr-defined]
                        session.add(RatingRow(message_id=message_id, **values))
                return
            except IntegrityError:
                # Another rated it at the same moment: now there is one to change. Or there is no such message.
                continue
        raise UserError(f"There is no message {message_id}.", "The id of one that is kept.", "Rate another.")

    def ratings(self, app: str, limit: int = 1000, conversation_id: str = "") -> Sequence[Rating]:
        """The newest first; of one conversation, or of all."""
        query = (
            select(RatingRow, MessageRow)
            .join(MessageRow, MessageRow.id == RatingRow.message_id)
            .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
            .where(ConversationRow.app == app)
            .order_by(RatingRow.created.desc(), RatingRow.message_id.desc())
            .limit(limit)
        )
        if conversation_id:
            query = query.where(ConversationRow.id == conversation_id)
        with Session(self.engine) as session:
            return [
                Rating(message.id, message.conversation_id, message.text, row.value, row.reason, row.created)
                for row, message in session.execute(query)
            ]

    def forget(self, conversation_id: str) -> bool:
        """Deletes a conversation with its messages, ratings, handoffs and open questions; says whether it was there.

        Labelled examples stay: they are texts without a conversation, kept by a person's decision.
        """
        with Session(self.engine) as session, session.begin():
            gone = session.execute(delete(ConversationRow).where(ConversationRow.id == conversation_id))
        if self.engine.dialect.name == "sqlite":
            # The write-ahead log still holds what was written; this empties it into the database, where it is zeros.
            with self.engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return bool(gone.rowcount)  # type: ignore[attr-defined]
