"""The optional language model, against a real HTTP server: its answer counts only if it cites what it was given."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from apps.customer_service.dialogue_config import DialogueConfig, LlmConfig
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from tests.apps.customer_service.llm_server import Answering, endpoint, sends
from tests.apps.customer_service.small_bot import PASSWORD, RETURN, RETURN_TIME, small_bot

ASKED = "how to return"
ASSEMBLED = "Use the label.\nSee also: How long does a return take?"


def says(text: object) -> Answering:
    return sends(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}))


def streams(*pieces: str, pause_s: float = 0.0) -> Answering:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
        handler.end_headers()
        events = [{"choices": [{"delta": {"role": "assistant"}}]}]
        events += [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
        try:
            for event in [*events, {"choices": [], "usage": {"total_tokens": 3}}]:
                handler.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                handler.wfile.flush()
                time.sleep(pause_s)
            handler.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass  # The client has given up, as it should.

    return answer


def ask(url: str, written: Callable[[str], None] | None = None, **changes: Any) -> Reply:
    config = DialogueConfig(llm=LlmConfig(endpoint=url, **{"timeout_s": 5, **changes}))
    hits = [(RETURN, 0.6), (RETURN_TIME, 0.3), (PASSWORD, 0.01)]
    bot = small_bot({}, {ASKED: (hits, "answered")}, config)
    reply, session = bot.reply(Session(), ASKED, written)
    assert session.last_entry == reply.sources[0].entry_id
    return reply


def test_an_answer_that_cites_is_given_with_its_sources() -> None:
    with endpoint(says("Use it within ten days [returns-02]. The label is free [returns-01, returns-02].")) as (url, _):
        reply = ask(url)
    assert reply.text == "Use it within ten days [1]. The label is free [2, 1]."
    assert [source.entry_id for source in reply.sources] == ["returns-02", "returns-01"]
    assert (reply.kind, reply.llm) == ("answer", "written")


def test_it_is_given_the_passages_and_the_question_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_LLM_KEY", "secret")
    with endpoint(says("Yes [returns-01].")) as (url, requests):
        ask(url, api_key_env="SHOP_LLM_KEY", model="small", max_passages=2, stream=False)
    (request,) = requests
    assert (request["path"], request["key"], request["model"]) == ("/v1/chat/completions", "Bearer secret", "small")
    told = json.dumps(request["messages"])
    assert "[returns-01]" in told
    assert RETURN_TIME.answer in told
    assert PASSWORD.answer not in told
    assert request["messages"][-1] == {"role": "user", "content": ASKED}


def test_a_streamed_answer_is_shown_from_its_first_citation_on() -> None:
    shown: list[str] = []
    with endpoint(streams("Use the ", "label [retu", "rns-01].", " It is", " free.")) as (url, _):
        reply = ask(url, shown.append)
    assert reply.text == "Use the label [1]. It is free."
    assert shown == ["Use the label [1].", "Use the label [1]. It is", "Use the label [1]. It is free."]


@pytest.mark.parametrize(
    ("answering", "reason"),
    [
        (says("Just send it back."), "no_citation"),
        (says("NO ANSWER"), "no_citation"),
        (says("Use it [returns-01], or call [made-up-7]."), "unknown_citation"),
        (says("Use it [returns-99]."), "unknown_citation"),
        (says("Cited but never given [account-02]."), "unknown_citation"),
        (says("  \n "), "empty"),
        (says(""), "empty"),
        (says(None), "garbage"),
        (says(["a", "list"]), "garbage"),
        (sends("not json at all"), "garbage"),
        (sends("{}"), "garbage"),
        (sends("[" * 100_000), "garbage"),
        (sends('{"choices": []}'), "garbage"),
        (sends(b"\xff\xfe\x00"), "garbage"),
        (sends("", status=200), "garbage"),
        (sends("x" * 1_100_000), "garbage"),
        (sends('{"error": "busy"}', status=500), "http_error"),
        (sends("go away", status=401), "http_error"),
        (sends("", status=302), "http_error"),
        (streams("No ", "citation."), "no_citation"),
        (streams("Bad [nope]."), "unknown_citation"),
        (streams(), "empty"),
        (sends("data: {broken\n\n", kind="text/event-stream"), "garbage"),
        (sends("data: 5\n\n", kind="text/event-stream"), "garbage"),
    ],
)
def test_any_other_answer_is_refused_and_the_assembled_one_given(answering: Answering, reason: str) -> None:
    with endpoint(answering) as (url, _):
        reply = ask(url, max_passages=2)
    assert (reply.llm, reply.text, reply.kind) == (reason, ASSEMBLED, "answer")


def test_an_endpoint_that_hangs_is_given_up() -> None:
    let_go = threading.Event()
    with endpoint(lambda handler: (let_go.wait(5), None)[1]) as (url, _):
        start = time.perf_counter()
        reply = ask(url, timeout_s=0.3)
        assert time.perf_counter() - start < 2
        let_go.set()
    assert (reply.llm, reply.text) == ("slow", ASSEMBLED)


def test_an_endpoint_that_drips_is_given_up_when_the_whole_takes_too_long() -> None:
    with endpoint(streams(*["word "] * 40, pause_s=0.1)) as (url, _):
        start = time.perf_counter()
        reply = ask(url, timeout_s=0.4)
        assert time.perf_counter() - start < 2
    assert (reply.llm, reply.text) == ("slow", ASSEMBLED)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://[broken/v1", "nonsense", "ftp://127.0.0.1/"])
def test_an_endpoint_that_is_down_changes_nothing(url: str) -> None:
    reply = ask(url, timeout_s=1)
    assert (reply.llm, reply.text) == ("down", ASSEMBLED)


def test_a_connection_that_breaks_off_changes_nothing() -> None:
    def breaks(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"choices')

    with endpoint(breaks) as (url, _):
        assert ask(url).llm == "down"


def test_brackets_that_a_passage_holds_are_no_citation() -> None:
    with endpoint(says("Open [My account] [returns-01].")) as (url, _):
        entry = RETURN.model_copy(update={"answer": "Open [My account] and choose."})
        config = DialogueConfig(llm=LlmConfig(endpoint=url))
        bot = small_bot({}, {ASKED: ([(entry, 0.9)], "answered")}, config)
        assert bot.reply(Session(), ASKED)[0].text == "Open [My account] [1]."


def test_without_an_endpoint_nothing_is_asked() -> None:
    assert ask("").llm == ""
