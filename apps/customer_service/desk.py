"""The desk between chats and store: each turn is kept, what had no answer is queued, a handoff is opened."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.customer_service.assistant import Assistant
from apps.customer_service.dialogue import Written
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from core.serving.conversations import Conversations
from core.serving.messages import Message
from core.texts import Text

APP = "customer_service"
MAX_SESSIONS = 10_000
"""Chats of programs whose context is remembered; the oldest is forgotten first and goes on without context."""
CLOSED = "handoff_closed"
"""In the details of the message that gives a chat back to the bot."""
BACK = Text("The conversation is back with the assistant.", "对话已交回智能客服。")


@dataclass(frozen=True)
class Turn:
    """One message and what came of it.

    Args:
        reply: What the bot said.
        session: After it.
        conversation_id: Where it is kept.
        message_id: Of the reply; 0 = it was not kept.
    """

    reply: Reply
    session: Session
    conversation_id: str
    message_id: int


@dataclass
class Desk:
    """Converses and keeps what was said; any number of chats at once.

    Args:
        assistant: Understands, searches, replies.
        conversations: Keeps what was said, masked.
    """

    assistant: Assistant
    conversations: Conversations
    _sessions: OrderedDict[str, Session] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, conversation_id: str, session: Session, text: str, written: Written | None = None) -> Turn:
        """One message of a customer.

        Args:
            conversation_id: Empty = a new one.
            session: Of this conversation so far.
            text: As it came.
            written: Told the answer so far while a language model writes it.

        Raises:
            UserError: There is no such conversation.
        """
        text = text.encode("utf-8", "replace").decode()  # half a character can be neither stored nor sent
        conversation_id = conversation_id or self.conversations.start(APP)
        self.conversations.add_message(conversation_id, "customer", text)
        reply, after = self.assistant.dialogue.reply(session, text, written)
        message_id = 0
        if reply.reason != "handed_over":  # a person is answering: what the bot says meanwhile is no part of it
            message_id = self.conversations.add_message(conversation_id, "bot", reply.text, reply.to_json())
            self._pass_on(conversation_id, text, reply)
        return Turn(reply, after, conversation_id, message_id)

    def hear_program(self, conversation_id: str, text: str) -> Turn:
        """One message of a program, which knows its conversation by its id alone.

        Raises:
            UserError: There is no such conversation.
        """
        with self._lock:
            session = self._sessions.get(conversation_id, Session())
        if session.handed_over and self.is_given_back(self.conversations.messages(conversation_id)):
            session = session.given_back()
        turn = self.hear(conversation_id, session, text)
        with self._lock:
            self._sessions[turn.conversation_id] = turn.session
            self._sessions.move_to_end(turn.conversation_id)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return turn

    def give_back(self, conversation_id: str, language: str) -> None:
        """Tells a chat that the person is done."""
        words = BACK.in_language("zh" if language == "zh" else "en")
        self.conversations.add_message(conversation_id, "bot", words, {CLOSED: True})

    def is_given_back(self, messages: Sequence[Message]) -> bool:
        """Did a person have the chat, and is done with it?"""
        handed = [CLOSED in m.details for m in messages if CLOSED in m.details or m.details.get("kind") == "handoff"]
        return bool(handed) and handed[-1]

    def _pass_on(self, conversation_id: str, text: str, reply: Reply) -> None:
        ranking = reply.intent.ranking if reply.intent else ()
        if reply.kind == "fallback" or reply.reason == "repeated_failure":
            asked = reply.query or text
            self.conversations.add_unanswered(APP, asked, reply.language, ranking, conversation_id)
        if reply.kind == "handoff":
            self.conversations.open_handoff(conversation_id, reply.reason, ranking, reply.language)
