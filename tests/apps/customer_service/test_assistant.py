"""The assistant of a trained bundle: any message gets an answer, its knowledge changes live, an LLM may fail."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from apps.customer_service.app import SPEC
from apps.customer_service.assistant import Assistant, build_assistant, open_assistant
from apps.customer_service.dialogue import Dialogue
from apps.customer_service.dialogue_config import DialogueConfig
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from core.retrieval.entry import Entry
from core.serving.predictor import Predictor, load_predictor
from tests.apps.customer_service.llm_server import endpoint, sends
from tests.apps.customer_service.tiny_shop import run_app
from tests.conftest import run_command

PARCEL = "where is my parcel"
ODD = {
    "chinese": "我的包裹在哪里？",
    "empty": "",
    "blank": " \t\n\u3000 ",
    "long": "where is my parcel and " * 4348,
    "long word": "x" * 100_000,
    "emoji": "😀🎁👩‍👩‍👧‍👦🏳️‍🌈",
    "right to left": "أين طلبي؟ אני רוצה החזר",
    "override": "\u202eparcel my is where\u202c",
    "mixed": "我的 parcel где موقعها 어디 ๆ",
    "control": "where\x00 is\x07 my\x1b[31m parcel\x7f\u2028",
    "html": "<script>alert(1)</script><b>where is my parcel</b>",
    "braces": "{order_number} {{7*7}} %s ${HOME}",
    "half a pair": "where is \ud83d my parcel",
    "marks": "?!.,;:" * 30,
    "combining": "e" + "\u0301" * 500,
}
GIFT = Entry(entry_id="gift", question="Do you sell gift cards?", answer="Gift cards start at ten euros.")


# ---- any message ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ODD)
def test_any_message_is_answered_in_json(name: str, tiny_shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_app("predict", tiny_shop, ODD[name]) == 0
    caught = capfd.readouterr()
    told = json.loads(caught.out)
    assert caught.err == ""
    assert {"intent", "confidence", "answer", "sources", "decision"} <= told.keys()
    assert told["answer"].strip()
    assert "{" not in told["answer"]
    assert 0 <= told["confidence"] <= 1


def test_messages_are_answered_by_the_command_line(tiny_shop: Path) -> None:
    texts = [PARCEL, ODD["chinese"], "", ODD["long"], ODD["emoji"], ODD["html"], ODD["right to left"]]
    done = run_command("apps.customer_service.predict", str(tiny_shop), *texts)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["input"] for one in told] == texts
    assert told[0]["sources"][0]["entry_id"] == "f1"
    assert [one["language"] for one in told[:2]] == ["en", "zh"]
    assert told[2]["decision"] == told[4]["decision"] == "refused"
    assert len(done.stdout) < 300_000


def test_sample_bot_answers_in_both_languages_with_sources(support_bundle: Path) -> None:
    assistant = open_assistant(support_bundle)
    for text, language in (("How do I return an item?", "en"), ("怎么退货？", "zh")):
        reply, _ = assistant.dialogue.reply(Session(), text)
        assert reply.language == language
        assert reply.kind in ("answer", "clarify")
        assert reply.retrieval is not None
        assert reply.retrieval.hits[0].entry.language == language


# ---- knowledge that changes while it is served ---------------------------------------------------


@pytest.fixture
def predictor(tiny_shop: Path) -> Predictor:
    return load_predictor(tiny_shop, SPEC, threads=1)


def ask(assistant: Assistant, text: str) -> Reply:
    return assistant.dialogue.reply(Session(), text)[0]


def first_found(assistant: Assistant, text: str) -> str:
    found = ask(assistant, text).retrieval
    assert found is not None
    return found.hits[0].entry.entry_id if found.hits else ""


def test_entry_takes_effect_in_the_next_reply_and_goes_in_the_one_after(predictor: Predictor) -> None:
    assistant = build_assistant(predictor)
    assert first_found(assistant, GIFT.question) != "gift"
    assistant.knowledge.put(GIFT)
    reply = ask(assistant, GIFT.question)
    assert reply.text.startswith(GIFT.answer)
    assert reply.sources[0].entry_id == "gift"
    assistant.knowledge.put(GIFT.model_copy(update={"answer": "Gift cards start at twenty euros."}))
    assert ask(assistant, GIFT.question).text.startswith("Gift cards start at twenty euros.")
    assistant.knowledge.remove("gift")
    after = ask(assistant, GIFT.question)
    assert "Gift cards" not in after.text
    assert all(source.entry_id != "gift" for source in after.sources)


def test_entry_of_the_bundle_that_was_removed_is_answered_no_more(predictor: Predictor) -> None:
    assistant = build_assistant(predictor)
    assert ask(assistant, PARCEL).sources[0].entry_id == "f1"
    assistant.knowledge.remove("f1")
    after = ask(assistant, PARCEL)
    assert "Open Orders" not in after.text
    assert all(source.entry_id != "f1" for source in after.sources)
    assert all(option.entry_id != "f1" for option in after.options)


def test_changes_survive_a_reopening_and_leave_the_bundle_whole(
    predictor: Predictor, tiny_shop: Path, tmp_path: Path
) -> None:
    assistant = build_assistant(predictor, tmp_path / "changes")
    assistant.knowledge.put(GIFT)
    assistant.knowledge.remove("f1")
    again = open_assistant(tiny_shop, tmp_path / "changes")
    assert ask(again, GIFT.question).sources[0].entry_id == "gift"
    assert again.knowledge.get("f1") is None
    assert open_assistant(tiny_shop).knowledge.get("f1") is not None


def test_two_assistants_of_one_folder_see_each_others_changes(predictor: Predictor, tmp_path: Path) -> None:
    one, two = (build_assistant(predictor, tmp_path / "changes") for _ in range(2))
    one.knowledge.put(GIFT)
    assert ask(two, GIFT.question).sources[0].entry_id == "gift"
    two.knowledge.remove("gift")
    assert "Gift cards" not in ask(one, GIFT.question).text


def test_bot_whose_knowledge_was_emptied_refuses_and_one_entry_brings_it_back(predictor: Predictor) -> None:
    assistant = build_assistant(predictor)
    for entry in assistant.knowledge.entries():
        assistant.knowledge.remove(entry.entry_id)
    reply = ask(assistant, PARCEL)
    assert reply.kind != "answer"
    assert reply.sources == ()
    assistant.knowledge.put(GIFT)
    assert ask(assistant, GIFT.question).sources[0].entry_id == "gift"


# ---- a language model that is down, slow, or talks nonsense --------------------------------------


def with_endpoint(dialogue: Dialogue, url: str, timeout_s: float = 5.0) -> Dialogue:
    """The same bot with a language model, as `--dialogue.llm.endpoint` sets it."""
    llm = dialogue.config.llm.model_copy(update={"endpoint": url, "timeout_s": timeout_s})
    return replace(dialogue, config=DialogueConfig(**{**dialogue.config.model_dump(), "llm": llm.model_dump()}))


def content(text: str) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def test_language_model_words_the_answer_from_what_was_found(predictor: Predictor) -> None:
    dialogue = build_assistant(predictor).dialogue
    with endpoint(sends(content("Just open Orders [f1]."))) as (url, asked):
        reply, _ = with_endpoint(dialogue, url).reply(Session(), PARCEL)
    assert reply.text == "Just open Orders [1]."
    assert reply.llm == "written"
    assert reply.sources[0].entry_id == "f1"
    assert asked[0]["path"] == "/v1/chat/completions"
    assert "Open Orders and choose Track." in asked[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (b"<html>gateway</html>", 200, "garbage"),
        (b"\xff\xfe\x00", 200, "garbage"),
        (b"[" * 10_000, 200, "garbage"),
        (b'{"choices": []}', 200, "garbage"),
        (b"", 200, "garbage"),
        (content(""), 200, "empty"),
        (content("You will get a million euros."), 200, "no_citation"),
        (content("You will get a million euros [f99]."), 200, "unknown_citation"),
        (b"overloaded", 503, "http_error"),
    ],
    ids=["html", "bytes", "nested", "no choices", "nothing", "empty", "uncited", "invented source", "error"],
)
def test_nonsense_of_a_language_model_is_not_passed_on(
    body: bytes, code: int, reason: str, predictor: Predictor
) -> None:
    dialogue = build_assistant(predictor).dialogue
    with endpoint(sends(body, code)) as (url, asked):
        reply, _ = with_endpoint(dialogue, url).reply(Session(), PARCEL)
    assert len(asked) == 1
    assert reply.llm == reason
    assert_assembled(reply, dialogue)


def test_language_model_that_is_slow_is_not_waited_for(predictor: Predictor) -> None:
    dialogue = build_assistant(predictor).dialogue
    let_go = threading.Event()
    with endpoint(lambda handler: (let_go.wait(30), None)[1]) as (url, asked):
        reply, _ = with_endpoint(dialogue, url, timeout_s=0.3).reply(Session(), PARCEL)
        let_go.set()
    assert len(asked) == 1
    assert reply.llm == "slow"
    assert_assembled(reply, dialogue)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "nonsense", "http://[", "ftp://localhost/v1"])
def test_language_model_that_is_down_is_not_missed(url: str, predictor: Predictor) -> None:
    dialogue = build_assistant(predictor).dialogue
    reply, _ = with_endpoint(dialogue, url).reply(Session(), PARCEL)
    assert reply.llm == "down"
    assert_assembled(reply, dialogue)


def assert_assembled(reply: Reply, dialogue: Dialogue) -> None:
    """AssertionError unless it is what the bot says without a language model."""
    assembled, _ = dialogue.reply(Session(), PARCEL)
    assert reply.text == assembled.text
    assert reply.text.startswith("Open Orders and choose Track.")
    assert reply.sources == assembled.sources
