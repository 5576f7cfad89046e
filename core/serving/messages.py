"""The messages of a conversation, as they are written and read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.errors import UserError
from core.serving.database import now
from core.serving.tables import ConversationRow, MessageRow

Role = Literal["customer", "bot", "agent"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Message:
    """One message, masked.

    Args:
        id: Rises within a conversation; what was written later has the greater one.
        conversation_id: Whose it is.
        role: Who wrote it.
        text: As it was stored.
        details: What else belongs to it, such as sources and the intent.
        created: UTC, ISO 8601.
    """

    id: int
    conversation_id: str
    role: str
    text: str
    details: Mapping[str, Any]
    created: str


def insert_message(session: Session, conversation_id: str, role: Role, text: str, details: str) -> int:
    """Adds a message that is masked already, and gives its id.

    Raises:
        UserError: There is no such conversation.
    """
    assert role in ROLES, role
    written = touch_conversation(session, conversation_id)
    row = MessageRow(conversation_id=conversation_id, created=written, role=role, text=text, details=details)
    session.add(row)
    session.flush()
    return row.id


def touch_conversation(session: Session, conversation_id: str) -> str:
    """Notes that a conversation changes, and gives the time of it; to be the first statement of a transaction.

    Writers of one conversation queue up here, so that their ids rise in the order of their commits: a page that polls
    for what is after the last id it saw misses none.

    Raises:
        UserError: There is no such conversation.
    """
    written = now()
    touched = session.execute(
        update(ConversationRow).where(ConversationRow.id == conversation_id).values(updated=written)
    )
    if not touched.rowcount:  # type: ignore[attr-defined]
        raise no_conversation()
    return written


def no_conversation() -> UserError:
    """The error for an id that is not known, or not any more."""
    return UserError("There is no such conversation.", "One that was started and not deleted.", "Start a new one.")


def read_message(row: MessageRow) -> Message:
    """A row as it is given out."""
    return Message(row.id, row.conversation_id, row.role, row.text, json.loads(row.details), row.created)
