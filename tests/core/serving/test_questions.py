"""Unanswered questions are counted and resolved; labelled examples are kept for training."""

from collections.abc import Callable

import pytest

from core.serving.conversations import Conversations
from core.serving.store import Store


@pytest.fixture
def kept(open_store: Callable[[], Store]) -> Conversations:
    return Conversations(open_store(), str)


def test_equal_questions_are_counted_together(kept: Conversations) -> None:
    chat = kept.start("shop")
    once = kept.add_unanswered("shop", "Can I pay by cheque?", "en", [("payment", 0.3)], chat)
    ids = [kept.add_unanswered("shop", text, "en", []) for text in ("Do you rent?", "do you  rent", "ＤＯ you rent!!")]
    kept.add_unanswered("other", "do you rent", "en", [])
    first, second = kept.unanswered("shop")
    assert (first.ids, first.count, first.text, first.conversation_id) == (tuple(ids), 3, "ＤＯ you rent!!", None)
    assert (second.ids, second.count, second.ranking) == ((once,), 1, (("payment", 0.3),))
    assert second.conversation_id == chat
    assert [question.count for question in kept.unanswered("shop", limit=1)] == [3]


@pytest.mark.parametrize(("one", "other"), [("😀", "🚚"), ("?", "!"), ("能退吗", "能换吗"), ("", "a")])
def test_questions_that_differ_are_counted_apart(kept: Conversations, one: str, other: str) -> None:
    kept.add_unanswered("shop", one, "en", [])
    kept.add_unanswered("shop", other, "en", [])
    assert [question.count for question in kept.unanswered("shop")] == [1, 1]


def test_resolved_questions_leave_the_queue_once(kept: Conversations) -> None:
    ids = [kept.add_unanswered("shop", text, "en", []) for text in ("a", "a", "b")]
    (question, _) = kept.unanswered("shop")
    assert kept.resolve_unanswered(question.ids, "entry", "orders-09") == 2
    assert kept.resolve_unanswered(ids, "dismissed", "") == 1
    assert kept.resolve_unanswered([], "dismissed", "") == 0
    assert kept.unanswered("shop") == []
    kept.add_unanswered("shop", "a", "en", [])
    assert kept.unanswered("shop")[0].count == 1


def test_many_questions_are_resolved_at_once(kept: Conversations) -> None:
    number = kept.add_unanswered("shop", "a", "en", [])
    assert kept.resolve_unanswered([*range(10**6, 10**6 + 25_000), number], "dismissed") == 1


def test_last_label_of_a_text_counts(kept: Conversations) -> None:
    kept.add_example("shop", "Where is it?", "order_cancel", "correction")
    kept.add_example("shop", "will it rain", "", "correction")
    kept.add_example("shop", "where is it", "order_status", "queue")
    kept.add_example("other", "where is it", "elsewhere", "queue")
    assert [(example.text, example.label, example.source) for example in kept.examples("shop")] == [
        ("will it rain", "", "correction"),
        ("where is it", "order_status", "queue"),
    ]
