"""The desk: turns are kept, masked; what failed is queued; a person is asked for and hands back; chats keep apart."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from apps.customer_service.assistant import Assistant
from apps.customer_service.desk import APP, Desk
from apps.customer_service.recall import CLOSED
from apps.customer_service.session import Session
from apps.customer_service.ui.chat import Chat
from core.data.personal_data import mask_personal_data
from core.errors import UserError
from core.retrieval.knowledge_base import KnowledgeBase
from core.serving.conversations import Conversations
from core.serving.store import Store
from tests.apps.customer_service.small_bot import ENTRIES, STATUS, small_bot

ASKED = "where is it"


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    store = Store(str(tmp_path_factory.mktemp("store") / "store.sqlite"))
    bot = small_bot({ASKED: ("order_status", 0.9, "answered")}, {ASKED: (((STATUS, 0.9),), "answered")})
    assistant = Assistant(cast(Any, None), KnowledgeBase(ENTRIES), bot)
    yield Desk(assistant, Conversations(store, lambda text: mask_personal_data(text).text))
    store.close()


def converse(desk: Desk, chat: Chat, *texts: str) -> None:
    for text in texts:
        chat.say(text)
        chat.show(chat.answer(desk, text, lambda _: None))


def test_turn_is_kept_masked_with_what_the_bot_thought(desk: Desk) -> None:
    turn = desk.hear("", Session(), f"{ASKED}")
    desk.hear(turn.conversation_id, turn.session, "call me at pat@shop.example")
    asked, answer, told, _ = desk.conversations.messages(turn.conversation_id)
    assert (asked.role, asked.text) == ("customer", ASKED)
    assert answer.id == turn.message_id
    assert answer.details["sources"][0]["entry_id"] == STATUS.entry_id
    assert told.text == "call me at [email]"


def test_failure_is_queued_and_a_second_one_opens_a_handoff_with_its_reason(desk: Desk) -> None:
    first = desk.hear("", Session(), "zyx")
    assert [one.text for one in desk.conversations.unanswered(APP)] == ["zyx"]
    assert not desk.conversations.handoffs(APP)
    desk.hear(first.conversation_id, first.session, "zyx again")
    (handoff,) = desk.conversations.handoffs(APP)
    assert handoff.reason == "repeated_failure"
    assert handoff.transcript[0].text == "zyx"
    assert {one.text for one in desk.conversations.unanswered(APP)} == {"zyx", "zyx again"}


def test_answered_question_is_not_queued(desk: Desk) -> None:
    desk.hear("", Session(), ASKED)
    assert not desk.conversations.unanswered(APP)


def test_what_the_bot_says_while_a_person_answers_is_not_kept(desk: Desk) -> None:
    turn = desk.hear("", Session(), "talk to a person")
    waiting = desk.hear(turn.conversation_id, turn.session, "hello?")
    assert waiting.message_id == 0
    said = [(one.role, one.text) for one in desk.conversations.messages(turn.conversation_id)]
    assert said[-1] == ("customer", "hello?")
    assert len(desk.conversations.handoffs(APP)) == 1


def test_half_a_character_is_no_error(desk: Desk) -> None:
    assert desk.hear("", Session(), "\ud800 where").reply.text


def test_programs_go_on_by_an_id_and_do_not_share_a_session(desk: Desk) -> None:
    one, other = desk.hear_program("", "talk to a person"), desk.hear_program("", ASKED)
    assert one.conversation_id != other.conversation_id
    assert desk.hear_program(one.conversation_id, "hello?").reply.reason == "handed_over"
    assert desk.hear_program(other.conversation_id, ASKED).reply.kind == "answer"
    desk.give_back(one.conversation_id, "en")
    assert desk.hear_program(one.conversation_id, ASKED).reply.kind == "answer"
    with pytest.raises(UserError, match="no such conversation"):
        desk.hear_program("made-up", ASKED)


def test_agents_answer_and_the_end_of_it_reach_the_chat_once(desk: Desk) -> None:
    chat = Chat("en")
    converse(desk, chat, "talk to a person")
    assert not chat.look(desk)
    (handoff,) = desk.conversations.handoffs(APP)
    desk.conversations.answer_handoff(handoff.id, "It is on its way.", "Kim")
    assert chat.look(desk)
    assert not chat.look(desk)
    assert (chat.lines[-1].who, chat.lines[-1].text) == ("agent", "It is on its way.")
    desk.conversations.close_handoff(handoff.id)
    desk.give_back(handoff.conversation_id, handoff.language)
    assert chat.look(desk)
    assert chat.lines[-1].who == "note"
    assert not chat.is_waiting
    assert CLOSED in desk.conversations.messages(chat.conversation_id)[-1].details


def test_while_a_person_answers_the_bot_says_so_only_once(desk: Desk) -> None:
    chat = Chat("en")
    converse(desk, chat, "talk to a person", "hello?", "anyone?")
    assert [line.who for line in chat.lines] == ["customer", "bot", "customer", "bot", "customer"]


def test_another_try_starts_from_the_session_before(desk: Desk) -> None:
    chat = Chat("en")
    converse(desk, chat, ASKED, "zyx")
    assert chat.session.failures == 1
    assert chat.take_back() == "zyx"
    assert chat.session.failures == 0
    assert chat.lines[0].text == ASKED
    assert len(chat.lines) == 2


def test_rating_is_changed_and_lines_of_others_cannot_be_rated(desk: Desk) -> None:
    chat = Chat("en")
    converse(desk, chat, ASKED)
    chat.rate(desk, 0, "like")
    assert not desk.conversations.ratings(APP)
    chat.rate(desk, 1, "asking")
    chat.rate(desk, 1, "dislike", "wrong")
    chat.rate(desk, 7, "like")
    (rating,) = desk.conversations.ratings(APP)
    assert (rating.value, rating.reason, chat.lines[1].rating) == (-1, "wrong", "dislike")
