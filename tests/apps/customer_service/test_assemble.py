"""Answers put together from the knowledge: extract, see also, links, what to ask next."""

import pytest

from apps.customer_service.assemble import assemble_answer, extract, safe_url
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Hit
from core.texts import Language
from tests.apps.customer_service.small_bot import PASSWORD, RETURN, RETURN_TIME, STATUS, STATUS_ZH


def hits(*pairs: tuple[Entry, float]) -> tuple[Hit, ...]:
    return tuple(Hit(entry, share, share, None, probability=share) for entry, share in pairs)


def test_close_entries_are_pointed_to_and_far_ones_suggested() -> None:
    answer = assemble_answer(hits((RETURN, 0.5), (RETURN_TIME, 0.3), (PASSWORD, 0.02)), "return", {}, "en", 3)
    assert answer.text == "Use the label.\nSee also: How long does a return take?"
    assert [source.entry_id for source in answer.sources] == [RETURN.entry_id, RETURN_TIME.entry_id]
    assert answer.follow_ups == (PASSWORD.question,)


def test_a_clear_answer_stands_alone() -> None:
    answer = assemble_answer(hits((RETURN, 0.9), (RETURN_TIME, 0.1)), "return", {}, "en", 0)
    assert answer.text == "Use the label."
    assert (len(answer.sources), answer.follow_ups) == (1, ())


def test_the_same_answer_is_not_given_twice() -> None:
    copy = RETURN.model_copy(update={"entry_id": "copy", "question": "Returning?"})
    assert assemble_answer(hits((RETURN, 0.5), (copy, 0.5)), "return", {}, "en", 0).text == "Use the label."


def test_entries_of_another_language_are_not_suggested() -> None:
    answer = assemble_answer(hits((STATUS, 0.5), (STATUS_ZH, 0.45)), "status", {}, "en", 3)
    assert ([source.entry_id for source in answer.sources], answer.follow_ups) == ([STATUS.entry_id], ())


@pytest.mark.parametrize(("language", "words"), [("en", "pink elephants"), ("zh", "粉色大象")])
def test_a_long_passage_gives_the_part_that_was_asked_for(language: Language, words: str) -> None:
    filler = "Some other rule stands here. " * 30 if language == "en" else "这里是其他规定的内容。" * 60
    end = "." if language == "en" else "。"
    passage = Entry(
        entry_id="guide-4", question="Chapter 4", answer=f"{filler}About {words}{end} {filler}", source="guide.md:4"
    )
    answer = assemble_answer(hits((passage, 0.9)), f"what about {words}", {}, language, 3)
    assert words in answer.text
    assert len(answer.text) <= 410
    assert answer.text.startswith("… ")
    assert answer.text.endswith(" …")


def test_an_extract_of_a_text_without_sentences_is_cut() -> None:
    assert extract("x" * 1000, "x", 100).startswith("x" * 100)


def test_a_team_written_answer_is_given_whole() -> None:
    long = RETURN.model_copy(update={"answer": "Do this first. " * 60})
    assert len(assemble_answer(hits((long, 0.9)), "return", {}, "en", 3).text) > 800


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        ("https://help.shop.example/a?b=c#d", True),
        ("http://localhost:8000/x", True),
        ("HTTPS://shop.example", True),
        (" https://shop.example ", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("//shop.example", False),
        ("/relative", False),
        ("https://", False),
        ("https://[broken", False),
        ("ftp://shop.example", False),
        ("https://shop.example/\x00", False),
        ("", False),
    ],
)
def test_only_web_pages_become_links(url: str, is_kept: bool) -> None:
    assert safe_url(url) == (url.strip() if is_kept else "")


def test_an_entry_with_a_dangerous_link_is_still_a_source() -> None:
    entry = RETURN.model_copy(update={"url": "javascript:alert(1)"})
    source = assemble_answer(hits((entry, 0.9)), "return", {}, "en", 3).sources[0]
    assert (source.entry_id, source.url) == (entry.entry_id, "")
