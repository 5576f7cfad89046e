"""One chat as one browser tab has it: its lines, its session, and where it is kept."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from apps.customer_service.desk import APP, Desk, Turn
from apps.customer_service.recall import CLOSED, read_reply, recall_session
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from apps.customer_service.ui.chat_words import FAILED
from core.errors import UserError
from core.serving.messages import Message
from core.texts import Language

Who = Literal["customer", "bot", "agent", "note"]
Rating = Literal["", "like", "asking", "dislike"]
MAX_LINES = 400
"""The page shows so many; the store keeps all."""


@dataclass(frozen=True)
class Line:
    """One line of a chat.

    Args:
        who: Who said it; a note is the page's own.
        text: As it was said, never markup.
        reply: What the bot thought; None for others.
        message_id: In the store; 0 = not there.
        rating: What the customer thinks of it; asking = the reason is being asked for.
    """

    who: Who
    text: str
    reply: Reply | None = None
    message_id: int = 0
    rating: Rating = ""


@dataclass
class Chat:
    """The state of one browser tab, which several events may change: a message, a click, the clock.

    Args:
        language: Of the page.
        session: What the bot remembers.
        conversation_id: Empty until something was said.
        lines: Oldest first.
        seen: The last message of the store that is among the lines.
    """

    language: Language
    session: Session = field(default_factory=Session)
    conversation_id: str = ""
    lines: list[Line] = field(default_factory=list)
    seen: int = 0
    before: Session = field(default_factory=Session)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.session = self.before = Session(language=self.language)

    @property
    def is_waiting(self) -> bool:
        """A person has it, so that news may come."""
        return self.session.handed_over

    @property
    def last_reply(self) -> Line | None:
        """What the bot said last."""
        return next((line for line in reversed(self.lines) if line.reply), None)

    def say(self, text: str) -> None:
        """The customer's own line, shown at once."""
        with self.lock:
            self.lines.append(Line("customer", text))
            del self.lines[:-MAX_LINES]

    def answer(self, desk: Desk, text: str, written: Callable[[str], None]) -> Turn:
        """The reply to a message, kept and remembered."""
        with self.lock:
            try:
                turn = desk.hear(self.conversation_id, self.session, text, written)
            except UserError:  # it was deleted meanwhile
                turn = desk.hear("", Session(language=self.session.language), text, written)
            self.conversation_id = turn.conversation_id
            self.before, self.session = self.session, turn.session
            return turn

    def show(self, turn: Turn) -> None:
        """The bot's line; while a person answers, the bot says once that it passes messages on."""
        with self.lock:
            if turn.reply.reason == "handed_over" and self._is_told():
                return
            self.lines.append(Line("bot", turn.reply.text, turn.reply, turn.message_id))

    def fail(self) -> None:
        """Says that something went wrong; the session is as it was before."""
        with self.lock:
            self.lines.append(Line("bot", FAILED.in_language(self.session.language)))

    def take_back(self) -> str:
        """Undoes the last turn, for another try; gives its message, empty = there is none."""
        with self.lock:
            asked = next((n for n in range(len(self.lines) - 1, -1, -1) if self.lines[n].who == "customer"), None)
            if asked is None or self.session.handed_over:
                return ""
            text = self.lines[asked].text
            del self.lines[asked:]
            self.session = self.before
            return text

    def rate(self, desk: Desk, number: int, rating: Rating, reason: str = "") -> None:
        """What the customer thinks of a line of the bot; nothing happens for another line."""
        with self.lock:
            line = self.lines[number] if 0 <= number < len(self.lines) else None
            if line is None or not line.message_id or line.reply is None:
                return
            desk.conversations.rate(line.message_id, 1 if rating == "like" else -1, reason)
            self.lines[number] = replace(line, rating=rating)

    def look(self, desk: Desk) -> bool:
        """Takes in what a person has answered since; says whether there was anything."""
        with self.lock:
            if not self.conversation_id:
                return False
            news = desk.conversations.messages(self.conversation_id, self.seen)
            fresh = [message for message in news if message.role == "agent" or CLOSED in message.details]
            for message in fresh:
                if message.role == "agent":
                    self.lines.append(Line("agent", message.text, message_id=message.id))
                else:
                    self.lines.append(Line("note", message.text))
                    self.session = self.session.given_back()
            self.seen = news[-1].id if news else self.seen
            return bool(fresh)

    def _is_told(self) -> bool:
        for line in reversed(self.lines):
            if line.who in ("agent", "note"):
                return line.who == "agent"
            if line.reply is not None:
                return line.reply.reason == "handed_over"
        return False


def recall_chat(desk: Desk, conversation_id: str, language: Language) -> Chat | None:
    """A chat as it is stored, for a page that was loaded anew; None = there is no such chat.

    Args:
        desk: Keeps what was said.
        conversation_id: As the browser kept it.
        language: Of the page.
    """
    messages = desk.conversations.messages(conversation_id) if conversation_id else ()
    if not messages:
        return None
    values = {rating.message_id: rating.value for rating in desk.conversations.ratings(APP, MAX_LINES, conversation_id)}
    chat = Chat(language)
    chat.conversation_id, chat.seen = conversation_id, messages[-1].id
    chat.lines = [_line(message, values.get(message.id, 0)) for message in messages[-MAX_LINES:]]
    chat.before, chat.session = recall_session(messages, language)
    return chat


def _line(message: Message, value: int) -> Line:
    if CLOSED in message.details:
        return Line("note", message.text)
    if message.role != "bot":
        return Line("agent" if message.role == "agent" else "customer", message.text, message_id=message.id)
    rating: Rating = "like" if value > 0 else "dislike" if value else ""
    return Line("bot", message.text, read_reply(message), message.id, rating)
