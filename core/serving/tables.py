"""The tables of an assistant: conversations, messages, ratings, handoffs, unanswered questions, labelled examples.

What belongs to a conversation goes with it: the database deletes it when the conversation is deleted.
"""

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.serving.database import NEVER_AGAIN, Table

_IS_OPEN = text("status = 'open'")


def _of_conversation() -> Mapped[str]:
    return mapped_column(String(32), ForeignKey("conversation.id", ondelete="CASCADE"), index=True)


class ConversationRow(Table):
    """One customer's chat."""

    __tablename__ = "conversation"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[str] = mapped_column(String(32))
    updated: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64), index=True)


class MessageRow(Table):
    """One message of a chat."""

    __tablename__ = "message"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = _of_conversation()
    created: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    details: Mapped[str] = mapped_column(Text)


class RatingRow(Table):
    """A customer's word on one message, the last one given."""

    __tablename__ = "rating"
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    created: Mapped[str] = mapped_column(String(32), index=True)
    value: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)


class HandoffRow(Table):
    """A conversation that a person was asked to take; its transcript is the messages up to `last_message_id`."""

    __tablename__ = "handoff"
    __table_args__ = (
        Index("one_open_handoff", "conversation_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index("handoffs_by_status", "app", "status", "id"),
        NEVER_AGAIN,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = _of_conversation()
    created: Mapped[str] = mapped_column(String(32))
    updated: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    ranking: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(String(255))
    last_message_id: Mapped[int]


class UnansweredRow(Table):
    """A question that got no answer; an empty outcome is an open one."""

    __tablename__ = "unanswered"
    __table_args__ = (Index("unanswered_by_text", "app", "outcome", "text_key"), NEVER_AGAIN)
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str | None] = mapped_column(
        String(32), ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    created: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    text_key: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16))
    ranking: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(Text)
    resolved: Mapped[str] = mapped_column(String(32))


class ExampleRow(Table):
    """A text with the label that a person gave it."""

    __tablename__ = "example"
    __table_args__ = (Index("examples_by_text", "app", "text_key"), NEVER_AGAIN)
    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[str] = mapped_column(String(32))
    app: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    text_key: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(255))
