"""Messages of every kind reach a reply: empty, huge, emoji, right to left, control characters, markup."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.customer_service.dialogue import Dialogue
from apps.customer_service.dialogue_config import DialogueConfig
from apps.customer_service.language import detect_language
from apps.customer_service.message import read_message
from apps.customer_service.phrases import asks_for_person, find_crisis
from apps.customer_service.session import Session
from core.tasks.text_answer import TextAnswer
from core.texts import Language
from tests.apps.customer_service.small_bot import RETURN, converse, small_bot


@pytest.mark.parametrize(
    "text",
    ["", "   ", "\n\t\r\n", "\x00\x07\x1b", "\u200b\u202e\ufeff", "👍", "😡😡😡", "👨‍👩‍👧 ❤️", "...", "？！", "\ud800"],
)
def test_a_message_without_words_is_asked_what_it_is_about(text: str) -> None:
    replies = converse(small_bot(), text, text, text)
    assert {(reply.kind, reply.reason, reply.decision) for reply in replies} == {("refused", "no_words", "refused")}
    assert "write" in replies[0].text


def test_an_empty_message_is_no_failure_and_keeps_the_language() -> None:
    kinds = [reply.kind for reply in converse(small_bot(), "重力波", "", "👍")]
    assert kinds == ["fallback", "refused", "refused"]
    assert converse(small_bot(), "重力波", "👍")[1].language == "zh"


def test_a_huge_message_is_cut_with_a_note_and_soon_answered() -> None:
    lengths: list[int] = []
    small = small_bot()

    def understand(text: str) -> TextAnswer:
        lengths.append(len(text))
        return small.understand(text)

    bot = Dialogue(understand, small.search)
    start = time.perf_counter()
    reply, session = bot.reply(Session(), "order " * 20_000)
    assert time.perf_counter() - start < 1
    assert max(lengths) <= 2000
    assert "first 2000 characters" in reply.text
    assert len(session.model_dump_json()) < 10_000


@pytest.mark.parametrize("filling", ["a", "的", "1", "{", "[", " ", "😀", "that ", "my the this ", "€1", "1.1"])
def test_a_hundred_thousand_characters_of_anything_take_little_time(filling: str) -> None:
    start = time.perf_counter()
    converse(small_bot(), filling * (100_000 // len(filling)))
    assert time.perf_counter() - start < 1.5


def test_a_message_at_the_limit_is_not_cut() -> None:
    assert not read_message("x" * 20, 20).is_cut
    assert read_message("x" * 21, 20) == ("x" * 20, True, True)
    assert not read_message("x" * 20 + " \n", 20).is_cut
    assert "characters" not in converse(small_bot(config=DialogueConfig(max_message_chars=20)), "x" * 20)[0].text


@pytest.mark.parametrize(
    "text", ["أين طلبي؟", "איפה ההזמנה שלי", "где мой заказ", "注文はどこ my order 订单", "\u202eredro ym"]
)
def test_any_script_gets_a_reply(text: str) -> None:
    assert converse(small_bot(), text)[0].kind == "fallback"


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> return", "<img src=x onerror=alert(1)>", "[a](javascript:b) *c* `d`"]
)
def test_markup_is_text_like_any_other(text: str) -> None:
    bot = small_bot({}, {text: ([(RETURN, 0.9)], "answered")})
    reply, session = bot.reply(Session(), text)
    assert (reply.kind, reply.query) == ("answer", text)
    assert session.turns[-1].user == text
    assert "<" not in reply.text


def test_control_characters_do_not_reach_the_models() -> None:
    assert read_message("my\x00 or\u202eder\x1b[31m \ud800here", 100).text == "my  order [31m here"
    assert (
        converse(small_bot({}, {"my order": ([(RETURN, 0.9)], "answered")}), "\x07my\u200b order\x00")[0].kind
        == "answer"
    )


@given(st.lists(st.text(max_size=60), max_size=4))
@settings(max_examples=60, deadline=None)
def test_no_message_makes_the_dialogue_fail(messages: list[str]) -> None:
    for reply in converse(small_bot({}, {"order": ([(RETURN, 0.9)], "answered")}), "order", *messages):
        assert reply.text
        assert reply.text.encode()


# ---- language --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("where is my order", "en"),
        ("我的订单到哪了", "zh"),
        ("请问 iPhone 15 Pro Max 有货吗", "zh"),
        ("my name is 王小明, where is my parcel", "en"),
        ("LM-20481503 到哪了", "zh"),
        ("cancel order LM-202347 谢谢", "zh"),
        ("你们ship to Australia吗", "zh"),
        ("发到 https://shop.example/orders/very/long/path 这个", "zh"),
        ("mail ottilie@example.com 不对", "zh"),
        ("café déjà vu", "en"),
    ],
)
def test_language_follows_the_greater_share_of_words(text: str, language: Language) -> None:
    before: Language = "zh" if language == "en" else "en"
    assert detect_language(text, before) == language


@pytest.mark.parametrize("text", ["", "👍", "123", "LM-20481503", "?", "где мой заказ"])
def test_a_message_that_shows_no_language_keeps_the_one_before(text: str) -> None:
    assert detect_language(text, "zh") == "zh"
    assert detect_language(text, "en") == "en"


# ---- phrases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "I read a real personal story",
        "agent fees",
        "my agent ordered it",
        "人工智能音箱",
        "human hair wig",
        "商品是真人拍摄吗",
    ],
)
def test_a_word_inside_another_is_no_wish_for_a_person(text: str) -> None:
    assert not asks_for_person(text)


@pytest.mark.parametrize("text", ["the battery died", "想死你们了", "this deal is killing it", "is smoking allowed"])
def test_a_manner_of_speaking_is_no_danger(text: str) -> None:
    assert find_crisis(text) is None
