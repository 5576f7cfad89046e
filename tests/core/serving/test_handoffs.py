"""A conversation is handed to a person and comes back answered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import UserError
from core.serving.conversations import Conversations
from core.serving.store import Store


@pytest.fixture
def kept(open_store: Callable[[], Store]) -> Conversations:
    return Conversations(open_store(), str)


@pytest.fixture
def chat(kept: Conversations) -> str:
    started = kept.start("shop")
    kept.add_message(started, "customer", "转人工")
    kept.add_message(started, "bot", "One moment.", {"decision": "refused"})
    return started


def test_handoff_holds_what_was_said_until_then(kept: Conversations, chat: str) -> None:
    number = kept.open_handoff(chat, "asked for a person", [("human", 0.9), ("order_status", 0.1)], "zh")
    kept.add_message(chat, "customer", "still waiting")
    (handoff,) = kept.handoffs("shop", "open")
    assert (handoff.id, handoff.conversation_id, handoff.app, handoff.status) == (number, chat, "shop", "open")
    assert (handoff.reason, handoff.language, handoff.agent) == ("asked for a person", "zh", "")
    assert handoff.ranking == (("human", 0.9), ("order_status", 0.1))
    assert [message.text for message in handoff.transcript] == ["转人工", "One moment."]
    assert handoff.transcript[1].details == {"decision": "refused"}


def test_one_is_open_at_most(kept: Conversations, chat: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: kept.open_handoff(chat, "asked", [], "en"), range(16)))
    assert len(set(opened)) == 1
    assert len(kept.handoffs("shop")) == 1


@pytest.mark.parametrize("is_closed", [False, True])
def test_after_an_answer_or_the_end_another_can_be_opened(kept: Conversations, chat: str, is_closed: bool) -> None:
    first = kept.open_handoff(chat, "asked", [], "en")
    kept.answer_handoff(first, "Hello", "Kim")
    if is_closed:
        kept.close_handoff(first)
    second = kept.open_handoff(chat, "asked again", [], "en")
    assert second > first
    assert [handoff.id for handoff in kept.handoffs("shop", "open")] == [second]


def test_answer_reaches_the_chat_of_the_customer(kept: Conversations, chat: str) -> None:
    seen = kept.messages(chat)[-1].id
    number = kept.open_handoff(chat, "asked", [], "en")
    answer = kept.answer_handoff(number, "您好，我是人工客服", "Kim")
    (message,) = kept.messages(chat, after=seen)
    assert (message.id, message.role, message.text) == (answer, "agent", "您好，我是人工客服")
    assert message.details == {"agent": "Kim", "handoff": number}
    (handoff,) = kept.handoffs("shop", "answered")
    assert handoff.agent == "Kim"
    assert kept.handoffs("shop", "open") == []


def test_closed_handoff_takes_no_answer(kept: Conversations, chat: str) -> None:
    number = kept.open_handoff(chat, "asked", [], "en")
    kept.close_handoff(number)
    kept.close_handoff(number)
    with pytest.raises(UserError, match="is closed"):
        kept.answer_handoff(number, "too late", "Kim")
    assert [message.role for message in kept.messages(chat)] == ["customer", "bot"]
    assert [handoff.status for handoff in kept.handoffs("shop")] == ["closed"]


def test_what_cannot_be_answered_is_an_error(kept: Conversations, chat: str) -> None:
    number = kept.open_handoff(chat, "asked", [], "en")
    with pytest.raises(UserError, match="empty"):
        kept.answer_handoff(number, " \n", "Kim")
    with pytest.raises(UserError, match="no handoff 99"):
        kept.answer_handoff(99, "hello", "Kim")
    with pytest.raises(UserError, match="no handoff 99"):
        kept.close_handoff(99)


def test_pages_are_newest_first(kept: Conversations) -> None:
    opened = [kept.open_handoff(kept.start("shop"), "asked", [], "en") for _ in range(5)]
    kept.open_handoff(kept.start("other"), "asked", [], "en")
    first = [handoff.id for handoff in kept.handoffs("shop", limit=3)]
    assert first == opened[:1:-1]
    assert [handoff.id for handoff in kept.handoffs("shop", limit=3, before=first[-1])] == opened[1::-1]
