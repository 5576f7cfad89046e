"""The desk between chats and store: each turn is kept, what had no answer is queued, a handoff is opened."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from apps.customer_service.assistant import Assistant
from apps.customer_service.dialogue import Written
from apps.customer_service.recall import CLOSED, details_of, recall_session
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from core.serving.conversations import Conversations
from core.texts import Text

APP = "customer_service"
MAX_SESSIONS = 10_000
"""Chats of programs whose context is remembered; the oldest is read from the store again."""
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
    _sessions: OrderedDict[str, tuple[Session, int]] = field(default_factory=OrderedDict)
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
            message_id = self.conversations.add_message(conversation_id, "bot", reply.text, details_of(reply))
            self._pass_on(conversation_id, text, reply)
        return Turn(reply, after, conversation_id, message_id)

    def hear_program(self, conversation_id: str, text: str) -> Turn:
        """One message of a program, which knows its conversation by its id alone.

        Raises:
            UserError: There is no such conversation.
        """
        session, seen = self._session_of(conversation_id)
        turn = self.hear(conversation_id, session, text)
        with self._lock:
            self._sessions[turn.conversation_id] = turn.session, turn.message_id or seen
            self._sessions.move_to_end(turn.conversation_id)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return turn

    def give_back(self, conversation_id: str, language: str) -> None:
        """Tells a chat that the person is done."""
        words = BACK.in_language("zh" if language == "zh" else "en")
        self.conversations.add_message(conversation_id, "bot", words, {CLOSED: True})

    def _session_of(self, conversation_id: str) -> tuple[Session, int]:
        """What is remembered of a program's chat, and the last message that is part of it."""
        with self._lock:
            session, seen = self._sessions.get(conversation_id, (None, 0))
        if session is None:
            messages = self.conversations.messages(conversation_id) if conversation_id else ()
            return recall_session(messages, "en")[1], messages[-1].id if messages else 0
        if session.handed_over and (news := self.conversations.messages(conversation_id, seen)):
            seen = news[-1].id
            if any(CLOSED in message.details for message in news):
                session = session.given_back()
        return session, seen

    def _pass_on(self, conversation_id: str, text: str, reply: Reply) -> None:
        ranking = reply.intent.ranking if reply.intent else ()
        if reply.kind == "fallback" or reply.reason == "repeated_failure":
            asked = reply.query or text
            self.conversations.add_unanswered(APP, asked, reply.language, ranking, conversation_id)
        if reply.opens_handoff:
            self.conversations.open_handoff(conversation_id, reply.reason, ranking, reply.language)
