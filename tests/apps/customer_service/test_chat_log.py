"""The chat as HTML, without a browser: everything escaped, links only to web pages, both languages."""

import pytest

from apps.customer_service.reply import Option, Reply, Source
from apps.customer_service.ui.chat import Line
from apps.customer_service.ui.chat_log import render_log, render_partial
from apps.customer_service.ui.insight_view import highlight, render_insight
from apps.customer_service.ui.links import link
from core.evaluation.decision import Verdict
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Hit, Retrieval
from core.tasks.text_answer import Contribution, TextAnswer
from core.ui.inert import inert, plain

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def nasty_reply() -> Reply:
    entry = Entry(entry_id=NASTY, question=NASTY, answer=NASTY, url="javascript:alert(1)")
    return Reply(
        NASTY,
        "en",
        "answer",
        "retrieval",
        "answered",
        sources=(Source(NASTY, NASTY, "javascript:alert(1)"), Source("b", NASTY, f"https://a.example/{NASTY}")),
        options=(Option(NASTY, NASTY),),
        follow_ups=(NASTY,),
        intent=TextAnswer(
            NASTY, Verdict("answered", (), (NASTY,)), ((NASTY, 1.0),), 0.1, (Contribution("<script", 0, 7, 1.0),)
        ),
        retrieval=Retrieval((Hit(entry, 1.0, 1.0, None, probability=1.0),), Verdict("answered", (), (NASTY,)), 0.1),
        query=NASTY,
        llm=NASTY,
    )


def test_no_part_of_a_chat_or_of_the_insight_is_markup() -> None:
    reply = nasty_reply()
    lines = [Line("customer", NASTY), Line("bot", NASTY, reply, 1, "asking"), Line("agent", NASTY, message_id=2)]
    for html in (
        render_log(lines, {}),
        render_log(lines[:2], {}),
        render_log((), {"en": [NASTY], "zh": [NASTY]}),
        render_partial(NASTY),
        render_insight(NASTY, reply, {}),
    ):
        assert "<script" not in html
        assert "<img" not in html
        assert "javascript:" not in html


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "http://", "ftp://a.b"]
)
def test_only_web_pages_are_linked(url: str) -> None:
    assert "<a" not in link("title", url)
    assert 'rel="noopener noreferrer nofollow"' in link("title", "https://help.example/a?b=1&c=2")


def test_control_characters_go_and_endless_text_is_cut() -> None:
    assert plain("a\x00b\x1bc\nd\ud800") == "abc\nd"
    assert inert("x" * 100_000) == "x" * 4000 + " …"


def test_options_can_be_chosen_only_while_they_are_the_last_word() -> None:
    reply = Reply("Did you mean?", "en", "clarify", "unsure", "unsure", options=(Option("This one"),))
    asked = Line("bot", reply.text, reply, 1)
    assert "disabled" not in render_log([asked], {})
    assert "disabled" in render_log([asked, Line("customer", "no")], {})


def test_highlight_marks_what_speaks_for_and_against() -> None:
    html = highlight("track my parcel", [Contribution("track", 0, 5, 2.0), Contribution("my", 6, 8, -1.0)])
    assert '<mark style="--strength:1.00">track</mark>' in html
    assert '<mark class="against" style="--strength:0.50">my</mark>' in html
    assert html.replace("<", " <").count("parcel") == 1
