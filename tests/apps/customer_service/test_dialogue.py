"""The dialogue: the gate, asking back, follow-ups, handing over."""

import json

import pytest

from apps.customer_service.dialogue import Dialogue
from apps.customer_service.dialogue_config import DialogueConfig, SmallTalk
from apps.customer_service.session import Session
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Retrieval
from tests.apps.customer_service.small_bot import (
    PASSWORD,
    RETURN,
    RETURN_TIME,
    STATUS,
    STATUS_ZH,
    Found,
    Meant,
    converse,
    found,
    meant,
    small_bot,
)

ASKED = "the question"
SURE: Meant = ("order_status", 0.9, "answered")


def one(bot: Dialogue, text: str = ASKED):  # type: ignore[no-untyped-def]
    return converse(bot, text)[0]


# ---- the gate --------------------------------------------------------------------------------------


def test_both_agree_answers_with_the_entry_and_its_source() -> None:
    reply = one(small_bot({ASKED: SURE}, {ASKED: ([(STATUS, 0.8)], "answered")}))
    assert (reply.kind, reply.reason, reply.decision) == ("answer", "intent", "answered")
    assert reply.text == "Open My account and choose your order."
    assert [(source.entry_id, source.url) for source in reply.sources] == [(STATUS.entry_id, STATUS.url)]
    assert reply.confidence == 0.9


def test_intent_alone_answers_with_its_entry_though_the_search_refuses() -> None:
    reply = one(small_bot({ASKED: SURE}, {ASKED: ([(RETURN, 0.3), (STATUS, 0.2)], "refused")}))
    assert (reply.kind, reply.sources[0].entry_id) == ("answer", STATUS.entry_id)


def test_intent_alone_finds_its_entry_although_the_search_found_nothing() -> None:
    def entry_of(label: str, language: str) -> Entry | None:
        return STATUS_ZH if (label, language) == ("order_status", "zh") else None

    bot = Dialogue(
        lambda text: meant(text, *SURE), lambda query, language: found((), "refused"), entry_of_intent=entry_of
    )
    assert one(bot, "我的订单呢").sources[0].entry_id == STATUS_ZH.entry_id
    assert one(bot, "my order").reason == "no_knowledge"


def test_retrieval_alone_answers_though_the_intent_is_out_of_scope() -> None:
    reply = one(small_bot({}, {ASKED: ([(RETURN, 0.7), (PASSWORD, 0.1)], "answered")}))
    assert (reply.kind, reply.reason, reply.sources[0].entry_id) == ("answer", "retrieval", RETURN.entry_id)
    assert reply.follow_ups == (PASSWORD.question,)


@pytest.mark.parametrize(
    ("probability", "kind"), [(0.95, "answer"), (0.85, "clarify")], ids=["retrieval-surer", "intent-surer"]
)
def test_disagreement_follows_retrieval_only_if_it_is_surer(probability: float, kind: str) -> None:
    reply = one(small_bot({ASKED: SURE}, {ASKED: ([(RETURN, probability), (STATUS, 0.01)], "answered")}))
    assert reply.kind == kind
    if kind == "answer":
        assert reply.sources[0].entry_id == RETURN.entry_id
    else:
        assert (reply.reason, reply.decision) == ("disagreement", "unsure")
        assert {option.entry_id for option in reply.options} == {RETURN.entry_id, STATUS.entry_id}


@pytest.mark.parametrize(("probability", "kind"), [(0.4, "answer"), (0.6, "clarify")])
def test_an_unsure_search_objects_to_the_intent_only_with_a_likelier_entry(probability: float, kind: str) -> None:
    assert one(small_bot({ASKED: SURE}, {ASKED: ([(RETURN, probability), (STATUS, 0.1)], "unsure")})).kind == kind


@pytest.mark.parametrize(
    ("entry", "probability", "kind"),
    [(STATUS, 0.8, "answer"), (STATUS, 0.6, "clarify"), (RETURN, 0.8, "clarify")],
    ids=["agree", "agree-weakly", "disagree"],
)
def test_two_unsure_verdicts_for_the_same_entry_answer_together(entry: Entry, probability: float, kind: str) -> None:
    bot = small_bot(
        {ASKED: ("order_status", 0.85, "unsure")},
        {ASKED: ([(entry, probability), (PASSWORD, 0.1)], "unsure")},
        possible={ASKED: ("order_status", "return_start")},
    )
    reply = one(bot)
    assert reply.kind == kind
    assert kind == "clarify" or (reply.sources[0].entry_id == STATUS.entry_id and reply.confidence > 0.95)


def test_a_meaning_that_is_unlikely_is_no_answer() -> None:
    """What resembles nothing is judged unsure, with the two labels that are least improbable."""
    reply = one(small_bot({ASKED: ("order_status", 0.04, "unsure")}, {ASKED: ([(STATUS, 0.1)], "refused")}))
    assert (reply.kind, reply.decision) == ("clarify", "unsure")
    reply = one(small_bot({}, {ASKED: ([(STATUS, 0.3), (RETURN, 0.2)], "unsure")}))
    assert (reply.kind, reply.decision) == ("clarify", "unsure")
    assert one(small_bot({ASKED: ("thanks", 0.04, "unsure")})).kind == "fallback"


def test_twenty_meanings_are_not_asked_about() -> None:
    labels = [f"intent_{number}" for number in range(20)]
    hits = [(RETURN, 0.1), (RETURN_TIME, 0.1), (PASSWORD, 0.1)]
    unsure: Meant = ("intent_0", 0.05, "unsure")
    assert one(small_bot({ASKED: unsure}, {ASKED: (hits, "unsure")}, possible={ASKED: labels})).kind == "fallback"
    few = small_bot({ASKED: ("intent_0", 0.4, "unsure")}, {ASKED: (hits, "unsure")}, possible={ASKED: labels[:4]})
    assert one(few).kind == "clarify"


def test_an_unsure_search_without_the_entry_of_the_intent_asks_back() -> None:
    hits = [(RETURN, 0.3), (PASSWORD, 0.2), (STATUS, 0.1)]
    reply = one(small_bot({ASKED: SURE}, {ASKED: (hits, "unsure")}))
    assert reply.kind == "clarify"
    assert STATUS.entry_id in [option.entry_id for option in reply.options]


@pytest.mark.parametrize(
    ("intent", "retrieval"),
    [("unsure", "unsure"), ("unsure", "refused"), ("refused", "unsure")],
)
def test_unsure_asks_back_with_readable_meanings(intent: str, retrieval: str) -> None:
    hits = [(RETURN, 0.4), (RETURN_TIME, 0.3), (PASSWORD, 0.01)]
    bot = small_bot(
        {ASKED: ("return_start", 0.5, intent)},  # type: ignore[dict-item]
        {ASKED: (hits, retrieval)},  # type: ignore[dict-item]
        possible={ASKED: ("return_start", "greeting", "order_status", "loyalty_points", "talk_to_human")},
    )
    reply = one(bot)
    assert (reply.kind, reply.decision) == ("clarify", "unsure")
    assert 2 <= len(reply.options) <= 3
    assert len({option.text for option in reply.options}) == len(reply.options)
    assert RETURN.question in [option.text for option in reply.options]
    assert not any("_" in option.text or option.label == "greeting" for option in reply.options)


def test_both_refused_says_so_first_and_hands_over_when_it_happens_again() -> None:
    first, second, third = converse(small_bot(), "quantum gravity", "black holes", "hello?")
    assert (first.kind, first.decision, first.reason) == ("fallback", "refused", "no_knowledge")
    assert (second.kind, second.reason, second.opens_handoff) == ("handoff", "repeated_failure", True)
    assert (third.kind, third.reason, third.opens_handoff) == ("handoff", "handed_over", False)


def test_out_of_scope_is_told_apart_from_missing_knowledge() -> None:
    assert one(small_bot({}, {ASKED: ([(RETURN, 0.1)], "refused")})).reason == "out_of_scope"


def test_an_answer_between_failures_starts_the_count_again() -> None:
    bot = small_bot({ASKED: SURE}, {ASKED: ([(STATUS, 0.8)], "answered")})
    kinds = [reply.kind for reply in converse(bot, "gravity", ASKED, "gravity", "thanks", "gravity")]
    assert kinds == ["fallback", "answer", "fallback", "small_talk", "handoff"]


def test_fallback_limit_is_the_teams() -> None:
    bot = small_bot(config=DialogueConfig(fallback_limit=1))
    assert one(bot).kind == "handoff"
    kinds = [reply.kind for reply in converse(small_bot(config=DialogueConfig(fallback_limit=3)), "a1", "b2", "c3")]
    assert kinds == ["fallback", "fallback", "handoff"]


def test_asking_back_again_and_again_leads_to_a_person() -> None:
    unsure: Found = ([(RETURN, 0.4), (RETURN_TIME, 0.3)], "unsure")
    bot = small_bot({}, {"aa bb": unsure, "cc dd": unsure, "ee ff": unsure})
    assert [reply.kind for reply in converse(bot, "aa bb", "cc dd", "ee ff")] == ["clarify", "clarify", "handoff"]


@pytest.mark.parametrize("decision", ["answered", "unsure", "refused"])
def test_an_empty_knowledge_base_never_gives_an_answer(decision: str) -> None:
    reply = one(small_bot({ASKED: ("order_status", 0.99, decision)}))  # type: ignore[dict-item]
    assert (reply.kind, reply.reason, reply.sources) == ("fallback", "no_knowledge", ())
    assert "person" in reply.text
    assert reply.options[0].text == "Talk to a person"


# ---- "did you mean" --------------------------------------------------------------------------------

UNSURE: Found = ([(RETURN, 0.4), (RETURN_TIME, 0.3)], "unsure")
BACK: Found = ([(RETURN, 0.4), (RETURN_TIME, 0.3)], "answered")


@pytest.mark.parametrize(
    "choice", ["How do I return an item?", "how do i return an item", "1", "1.", "the first one", "第一个", "option 1"]
)
def test_picking_an_option_counts_as_its_intent(choice: str) -> None:
    bot = small_bot({}, {ASKED: UNSURE, RETURN.question: BACK, RETURN_TIME.question: BACK})
    reply = converse(bot, ASKED, choice)[1]
    assert (reply.kind, reply.reason, reply.sources[0].entry_id) == ("answer", "option", RETURN.entry_id)
    assert reply.intent is not None
    assert (reply.intent.label, reply.confidence) == ("return_start", 1.0)


def test_picking_the_second_answers_with_it_whatever_the_search_puts_first() -> None:
    bot = small_bot({}, {ASKED: UNSURE, RETURN_TIME.question: BACK})
    reply = converse(bot, ASKED, "2")[1]
    assert reply.sources[0].entry_id == RETURN_TIME.entry_id
    assert reply.intent is None


def test_an_option_whose_entry_was_deleted_meanwhile_is_not_invented() -> None:
    config = DialogueConfig(fallback_limit=3)
    assert converse(small_bot({}, {ASKED: UNSURE}, config), ASKED, "2")[1].reason == "no_knowledge"


def test_a_number_means_nothing_when_nothing_was_offered() -> None:
    assert converse(small_bot(), "1")[0].kind == "fallback"


def test_asked_back_and_none_of_these_leads_to_a_person() -> None:
    bot = small_bot({}, {ASKED: UNSURE})
    assert [reply.reason for reply in converse(bot, ASKED, "none of these")] == ["unsure", "repeated_failure"]
    patient = small_bot({}, {ASKED: UNSURE}, DialogueConfig(fallback_limit=3))
    assert [reply.reason for reply in converse(patient, ASKED, "都不是")] == ["unsure", "none_of_these"]
    assert converse(patient, "no")[0].reason == "no_knowledge", "it means nothing where nothing was offered"


def test_a_person_may_be_picked_after_no_answer() -> None:
    assert [reply.reason for reply in converse(small_bot(), "gravity", "yes")] == ["no_knowledge", "asked_for_person"]
    assert converse(small_bot(), "gravity", "Talk to a person")[1].kind == "handoff"


# ---- follow-ups ------------------------------------------------------------------------------------

TOPIC = "how do I return this item"


@pytest.mark.parametrize("text", ["and how long does that take?", "how long does it take", "what about the time?"])
def test_a_pronoun_is_read_with_the_question_before(text: str) -> None:
    delivery = Entry(entry_id="delivery-01", question="Delivery time?", answer="Three days.", intent="delivery_time")
    bot = small_bot(
        {TOPIC: ("return_start", 0.9, "answered"), text: ("delivery_time", 0.9, "answered")},
        {
            TOPIC: ([(RETURN, 0.9)], "answered"),
            text: ([(delivery, 0.9)], "answered"),
            f"{TOPIC} {text}": ([(RETURN_TIME, 0.9)], "answered"),
        },
    )
    replies = converse(bot, TOPIC, text)
    assert (replies[1].reason, replies[1].sources[0].entry_id) == ("follow_up", RETURN_TIME.entry_id)
    assert replies[1].query == f"{TOPIC} {text}"
    assert converse(bot, text)[0].sources[0].entry_id == "delivery-01", "without a turn before it stands alone"


@pytest.mark.parametrize("text", ["那要多久？", "多久？", "它要多久", "需要几天呢", "那海外订单呢", "要去哪里办呢？"])
def test_a_chinese_ellipsis_is_read_with_the_question_before(text: str) -> None:
    topic = "怎么申请退货"
    finds: dict[str, Found] = {
        topic: ([(RETURN, 0.9)], "answered"),
        f"{topic}，{text}": ([(RETURN_TIME, 0.9)], "answered"),
    }
    reply = converse(small_bot({}, finds), topic, text)[1]
    assert (reply.reason, reply.language, reply.sources[0].entry_id) == ("follow_up", "zh", RETURN_TIME.entry_id)


@pytest.mark.parametrize(
    "text", ["宇宙的尽头是什么呢", "那宇宙的尽头是什么", "谁是美国总统呢？", "你是谁呢", "今天吃什么呢"]
)
def test_a_strange_chinese_question_does_not_get_the_answer_before_again(text: str) -> None:
    topic = "怎么申请退货"
    finds: dict[str, Found] = {
        topic: ([(RETURN, 0.9)], "answered"),
        f"{topic}，{text}": ([(RETURN, 0.9)], "answered"),
    }
    assert converse(small_bot({}, finds), topic, text)[1].kind == "fallback"


def test_a_pronoun_that_is_unsure_asks_back_about_the_question_before() -> None:
    text = "how long does it take"
    finds: dict[str, Found] = {
        TOPIC: ([(RETURN, 0.9)], "answered"),
        text: ([(PASSWORD, 0.9)], "answered"),
        f"{TOPIC} {text}": ([(RETURN_TIME, 0.5), (RETURN, 0.4)], "unsure"),
    }
    reply = converse(small_bot({}, finds), TOPIC, text)[1]
    assert (reply.kind, reply.options[0].entry_id) == ("clarify", RETURN_TIME.entry_id)


def test_a_second_follow_up_still_leans_on_the_question_itself() -> None:
    first, second = "and how long does that take?", "and what does it cost?"
    finds: dict[str, Found] = {
        TOPIC: ([(RETURN, 0.9)], "answered"),
        f"{TOPIC} {first}": ([(RETURN_TIME, 0.9)], "answered"),
        f"{TOPIC} {second}": ([(RETURN, 0.9)], "answered"),
    }
    assert converse(small_bot({}, finds), TOPIC, first, second)[2].query == f"{TOPIC} {second}"


def test_a_question_that_stands_alone_is_not_mixed_with_the_one_before() -> None:
    text = "and where is my password"
    finds: dict[str, Found] = {
        TOPIC: ([(RETURN, 0.9)], "answered"),
        text: ([(PASSWORD, 0.9)], "answered"),
        f"{TOPIC} {text}": ([(RETURN, 0.9)], "answered"),
    }
    assert converse(small_bot({}, finds), TOPIC, text)[1].sources[0].entry_id == PASSWORD.entry_id


def test_a_strange_short_question_does_not_get_the_answer_before_again() -> None:
    finds: dict[str, Found] = {
        TOPIC: ([(RETURN, 0.9)], "answered"),
        f"{TOPIC} is pluto far": ([(RETURN, 0.9)], "answered"),
    }
    assert converse(small_bot({}, finds), TOPIC, "is pluto far")[1].kind == "fallback"


def test_an_order_number_alone_completes_the_answer_before() -> None:
    finds: dict[str, Found] = {
        "where is it": ([(STATUS, 0.9)], "answered"),
        "where is it LM-20481503": ([(STATUS, 0.9)], "answered"),
    }
    replies = converse(small_bot({}, finds), "where is it", "LM-20481503")
    assert replies[0].text == "Open My account and choose your order."
    assert replies[1].text == "Open My account and choose order LM-20481503."


def test_thanks_for_that_is_thanks() -> None:
    bot = small_bot(
        {"thanks for that": ("thanks", 0.9, "answered")},
        {TOPIC: ([(RETURN, 0.9)], "answered"), f"{TOPIC} thanks for that": ([(RETURN, 0.9)], "answered")},
    )
    assert converse(bot, TOPIC, "thanks for that")[1].kind == "small_talk"


# ---- small talk, persons, danger -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [("Hi!", "en"), ("thank you", "en"), ("Bye.", "en"), ("你好", "zh"), ("谢谢！", "zh"), ("再见", "zh")],
)
def test_small_talk_needs_no_model(text: str, language: str) -> None:
    reply = one(small_bot(), text)
    assert (reply.kind, reply.language, reply.decision) == ("small_talk", language, "answered")


@pytest.mark.parametrize("label", ["greeting", "Hello", "thank_you", "THANKS", "good-bye", "joke"])
def test_small_talk_labels_in_any_spelling(label: str) -> None:
    config = DialogueConfig(small_talk={"Joke": SmallTalk(en=("Knock knock.",), zh=("哈哈。",))})
    reply = one(small_bot({ASKED: (label, 0.9, "answered")}, {ASKED: ([(RETURN, 0.1)], "refused")}, config))
    assert reply.kind == "small_talk"
    assert (reply.text == "Knock knock.") == (label == "joke")


def test_the_teams_own_small_talk_comes_before_the_known_one() -> None:
    config = DialogueConfig(small_talk={"greeting": SmallTalk(en=("Ahoy!", "Hey!"), zh=("嗨！",))})
    assert [reply.text for reply in converse(small_bot(config=config), "hi", "hello", "你好")] == [
        "Ahoy!",
        "Hey!",
        "嗨！",
    ]


def test_a_surely_found_entry_beats_small_talk() -> None:
    reply = one(small_bot({ASKED: ("thanks", 0.6, "answered")}, {ASKED: ([(RETURN, 0.9)], "answered")}))
    assert reply.kind == "answer"


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a person",
        "Human please!",
        "agent",
        "转人工",
        "我要找人工客服",
        "Let me speak to a real person now",
    ],
)
def test_a_person_is_called_at_once(text: str) -> None:
    reply = one(small_bot(), text)
    assert (reply.kind, reply.reason, reply.opens_handoff) == ("handoff", "asked_for_person", True)


@pytest.mark.parametrize("label", ["talk_to_human", "Talk to Human", "转人工", "call_me"])
def test_a_label_may_ask_for_a_person(label: str) -> None:
    config = DialogueConfig(handoff_labels=("call-me",))
    contact = Entry(entry_id="service-01", question="How do I reach a person?", answer="Here.", intent=label)
    bot = small_bot({ASKED: (label, 0.9, "answered")}, {ASKED: ([(contact, 0.99)], "answered")}, config)
    assert one(bot).reason == "asked_for_person"


def test_the_teams_own_phrases_are_understood() -> None:
    config = DialogueConfig(handoff_phrases=("ring me",), crisis_phrases=("the boiler",))
    assert one(small_bot(config=config), "Please ring me").reason == "asked_for_person"
    assert one(small_bot(config=config), "the boiler!").reason == "crisis"
    assert one(small_bot(config=config), "bring men").kind == "fallback"


@pytest.mark.parametrize(
    ("text", "number"), [("i want to kill myself", "112"), ("我不想活了", "120"), ("充电器着火了", "119")]
)
def test_danger_is_answered_with_care_and_a_person(text: str, number: str) -> None:
    reply = one(small_bot({text: SURE}, {text: ([(STATUS, 0.99)], "answered")}), text)
    assert (reply.kind, reply.reason) == ("handoff", "crisis")
    assert number in reply.text


def test_after_the_handoff_the_bot_keeps_quiet_until_it_is_given_back() -> None:
    bot = small_bot({ASKED: SURE}, {ASKED: ([(STATUS, 0.9)], "answered")})
    _, session = bot.reply(Session(), "talk to a person")
    reply, session = bot.reply(session, ASKED)
    assert (reply.kind, reply.intent, "colleague" in reply.text) == ("handoff", None, True)
    assert bot.reply(session, "I want to die")[0].reason == "crisis", "danger is never left waiting"
    assert bot.reply(session.given_back(), ASKED)[0].kind == "answer"


# ---- what is given back ----------------------------------------------------------------------------


def test_a_session_survives_json_and_is_not_changed_by_a_reply() -> None:
    bot = small_bot({}, {ASKED: UNSURE, RETURN.question: BACK})
    start = Session()
    _, session = bot.reply(start, ASKED)
    assert start == Session()
    again = Session.model_validate_json(session.model_dump_json())
    assert again == session
    assert bot.reply(again, "1")[0].kind == "answer"


def test_a_reply_is_json_with_what_programs_need() -> None:
    for bot in (
        small_bot({ASKED: SURE}, {ASKED: ([(STATUS, 0.8)], "answered")}),
        small_bot(),
        small_bot({}, {ASKED: UNSURE}),
    ):
        record = json.loads(json.dumps(one(bot).to_json(), ensure_ascii=False, allow_nan=False))
        assert {"intent", "confidence", "answer", "sources", "decision"} <= record.keys()
        assert record["decision"] in ("answered", "unsure", "refused")


def test_a_long_conversation_keeps_a_short_memory() -> None:
    bot = small_bot()
    session = Session()
    for _ in range(30):
        _, session = bot.reply(session, "hi")
    assert session.num_turns == 30
    assert len(session.turns) <= 10


def test_each_message_has_its_own_language() -> None:
    bot = small_bot({}, {"my order": ([(STATUS, 0.9)], "answered"), "我的订单": ([(STATUS_ZH, 0.9)], "answered")})
    asked: list[str] = []

    def search(query: str, language: str) -> Retrieval:
        asked.append(language)
        return bot.search(query, language)

    replies = converse(Dialogue(bot.understand, search), "my order", "我的订单", "👍")
    assert [reply.language for reply in replies] == ["en", "zh", "zh"]
    assert asked == ["en", "zh"]
    assert replies[1].text == "点开订单即可查看。"
