"""A stored conversation is rebuilt as it was: lines, ratings, whose turn it is; strangers' ids begin nothing."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from apps.customer_service.assistant import Assistant
from apps.customer_service.desk import Desk
from apps.customer_service.recall import read_reply, recall_session
from apps.customer_service.session import Session
from apps.customer_service.ui.chat import Chat, recall_chat
from apps.customer_service.ui.chat_log import render_log
from core.data.personal_data import mask_personal_data
from core.retrieval.knowledge_base import KnowledgeBase
from core.serving.conversations import Conversations
from core.serving.messages import Message
from core.serving.store import Store
from core.tasks.text_answer import Contribution
from tests.apps.customer_service.small_bot import ENTRIES, RETURN, STATUS, meant, small_bot

ASKED, VAGUE = "where is it", "order return"
NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def conversations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversations]:
    store = Store(str(tmp_path_factory.mktemp("store") / "store.sqlite"))
    yield Conversations(store, lambda text: mask_personal_data(text).text)
    store.close()


def open_desk(conversations: Conversations) -> Desk:
    """A desk as after a restart: it remembers nothing but what is stored."""
    bot = small_bot(
        {ASKED: ("order_status", 0.9, "answered"), VAGUE: ("order_status", 0.5, "unsure")},
        {ASKED: (((STATUS, 0.9),), "answered"), VAGUE: (((STATUS, 0.5), (RETURN, 0.4)), "unsure")},
    )
    return Desk(Assistant(cast(Any, None), KnowledgeBase(ENTRIES), bot), conversations)


def converse(desk: Desk, chat: Chat, *texts: str) -> None:
    for text in texts:
        chat.say(text)
        chat.show(chat.answer(desk, text, lambda _: None))


def recalled(conversations: Conversations, chat: Chat) -> Chat:
    found = recall_chat(open_desk(conversations), chat.conversation_id, "zh")
    assert found
    return found


def test_lines_come_back_with_sources_options_and_ratings(conversations: Conversations) -> None:
    desk, chat = open_desk(conversations), Chat("en")
    converse(desk, chat, ASKED, VAGUE)
    chat.rate(desk, 1, "dislike", "wrong")
    back = recalled(conversations, chat)
    assert [(line.who, line.text, line.rating) for line in back.lines] == [
        (line.who, line.text, line.rating) for line in chat.lines
    ]
    answer, asked_back = back.lines[1].reply, back.lines[3].reply
    assert answer
    assert asked_back
    assert answer.sources[0].url == STATUS.url
    assert [option.text for option in asked_back.options] == [option.text for option in chat.session.offered]
    assert back.session == chat.session
    assert back.before == chat.before


def test_an_offered_meaning_can_be_chosen_after_a_reload(conversations: Conversations) -> None:
    chat = Chat("en")
    converse(open_desk(conversations), chat, VAGUE)
    back = recalled(conversations, chat)
    converse(open_desk(conversations), back, back.session.offered[0].text)
    assert back.conversation_id == chat.conversation_id
    chosen = back.last_reply.reply.intent if back.last_reply and back.last_reply.reply else None
    assert chosen
    assert chosen.ranking == (("order_status", 1.0),)  # chosen, not judged


def test_chat_that_a_person_has_still_waits_for_the_answer(conversations: Conversations) -> None:
    desk, chat = open_desk(conversations), Chat("en")
    converse(desk, chat, "talk to a person", "hello?")
    back = recalled(conversations, chat)
    assert back.is_waiting
    assert back.session.language == "en"
    assert not back.look(desk)
    (handoff,) = conversations.handoffs("customer_service")
    conversations.answer_handoff(handoff.id, f"Coming. {NASTY}", "Kim")
    assert back.look(desk)
    assert back.lines[-1].text == f"Coming. {NASTY}"
    desk.give_back(chat.conversation_id, "en")
    again = recalled(conversations, chat)
    assert [line.who for line in again.lines[-2:]] == ["agent", "note"]
    assert not again.is_waiting
    assert "<img" not in render_log(again.lines, {})


def test_unknown_and_forgotten_ids_begin_anew(conversations: Conversations) -> None:
    desk, chat = open_desk(conversations), Chat("en")
    converse(desk, chat, ASKED)
    first = chat.conversation_id
    for conversation_id in ("", "made-up", "x" * 500):
        assert recall_chat(desk, conversation_id, "en") is None
    conversations.forget(first)
    assert recall_chat(desk, first, "en") is None
    converse(desk, chat, ASKED)  # in a page that is still open
    assert chat.conversation_id not in ("", first)
    assert chat.lines[-1].text.startswith("Open My account")


def test_programs_chat_is_still_with_a_person_after_a_restart(conversations: Conversations) -> None:
    turn = open_desk(conversations).hear_program("", "talk to a person")
    after = open_desk(conversations)
    assert after.hear_program(turn.conversation_id, ASKED).reply.reason == "handed_over"
    after.give_back(turn.conversation_id, "en")
    assert after.hear_program(turn.conversation_id, ASKED).reply.kind == "answer"


@pytest.mark.parametrize(
    "change", [{"kind": "poem"}, {"sources": 3}, {"sources": [{}]}, {"understood": {"ranking": 1}}]
)
def test_details_of_another_version_are_a_line_without_buttons(
    change: dict[str, Any], conversations: Conversations
) -> None:
    turn = open_desk(conversations).hear("", Session(), ASKED)
    asked, answer = conversations.messages(turn.conversation_id)
    strange = Message(answer.id, answer.conversation_id, "bot", answer.text, {**answer.details, **change}, "")
    assert read_reply(answer)
    assert read_reply(strange) is None
    assert recall_session([asked, strange], "zh")[1] == Session(language="zh")


def test_no_piece_of_a_number_is_stored(conversations: Conversations) -> None:
    """N-grams that overlap would give a masked number back, piece by piece."""
    text = "call 415 555 2671"
    bot = small_bot()
    pieces = tuple(Contribution(text[at : at + 3], at, at + 3, 1.0) for at in range(len(text) - 2))
    said = meant(text, "order_status", 0.2, "refused")
    answer = type(said)(said.text, said.verdict, said.ranking, said.novelty, pieces)
    desk = open_desk(conversations)
    understands = type(bot)(lambda _: answer, bot.search)
    told = Desk(type(desk.assistant)(cast(Any, None), KnowledgeBase(ENTRIES), understands), conversations)
    turn = told.hear("", Session(), text)
    stored = conversations.messages(turn.conversation_id)[-1]
    assert stored.details["understood"]["ranking"]
    assert "267" not in str(dict(stored.details))
