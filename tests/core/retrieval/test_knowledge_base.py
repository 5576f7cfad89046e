"""The knowledge base: what is found, and changes while it is searched."""

import threading
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.retrieval import knowledge_base
from core.retrieval.entry import Entry
from core.retrieval.entry_file import save_entries
from core.retrieval.journal import Journal
from core.retrieval.knowledge_base import KnowledgeBase, open_knowledge

from .toy_encoder import SHOP, ToyEncoder, entry


def ids(base: KnowledgeBase, query: str, k: int = 3, language: str = "") -> list[str]:
    return [candidate.entry.entry_id for candidate in base.search(query, k, language)]


@pytest.mark.parametrize("encoder", [None, ToyEncoder()])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("where's my parcel??", "ship"),
        ("CANCELLING an order", "cancel"),
        ("tracking number", "ship"),
        ("我想退款", "zh-refund"),
        ("快递到哪了", "zh-ship"),
    ],
)
def test_the_right_entry_comes_first(encoder: ToyEncoder | None, query: str, expected: str) -> None:
    assert ids(KnowledgeBase(SHOP, encoder=encoder), query)[0] == expected


def test_traditional_chinese_is_found() -> None:
    base = KnowledgeBase([entry("a", "如何申請網路銀行轉帳？"), entry("b", "信用卡遺失怎麼辦？")])
    assert ids(base, "網銀轉帳要怎麼申請")[0] == "a"


def test_vectors_find_what_words_cannot() -> None:
    assert ids(KnowledgeBase(SHOP), "package") == []
    assert ids(KnowledgeBase(SHOP, encoder=ToyEncoder()), "my package")[0] == "ship"


def test_known_queries_are_searched_too() -> None:
    base = KnowledgeBase([*SHOP, entry("x", "Delivery times", known_queries=("when does my stuff show up",))])
    assert ids(base, "stuff show up")[0] == "x"


def test_scores_say_why() -> None:
    found = KnowledgeBase(SHOP, encoder=ToyEncoder()).search("cancel order zzz", 6)
    first = found[0]
    assert first.entry.entry_id == "cancel"
    assert first.word_score > 0
    # Two of three words; the unknown one is the rarest and weighs most.
    assert 0.4 < first.word_coverage < 0.67
    assert first.vector_score is not None
    assert -1 <= first.vector_score <= 1
    assert [candidate.fused for candidate in found] == sorted((c.fused for c in found), reverse=True)
    alone = KnowledgeBase(SHOP).search("Can I cancel my order?", 1)[0]
    assert alone.vector_score is None
    assert alone.word_coverage == pytest.approx(1)


@pytest.mark.parametrize("query", ["", "  ", "😀", "\x00\x01", "مرحبا", "\ud83d parcel", "x" * 100_000, "退" * 100_000])
@pytest.mark.parametrize("encoder", [None, ToyEncoder()])
def test_odd_messages_are_searched(encoder: ToyEncoder | None, query: str) -> None:
    assert len(KnowledgeBase(SHOP, encoder=encoder).search(query, 3)) <= 3


@pytest.mark.parametrize("encoder", [None, ToyEncoder()])
def test_empty_base_gives_nothing_and_can_be_filled(encoder: ToyEncoder | None) -> None:
    base = KnowledgeBase([], encoder=encoder)
    assert base.search("parcel", 3) == []
    for shown in SHOP:
        base.put(shown)
    assert ids(base, "parcel")[0] == "ship"
    for shown in SHOP:
        assert base.remove(shown.entry_id)
    assert base.search("parcel", 3) == []
    assert len(base) == 0


@pytest.mark.parametrize("encoder", [None, ToyEncoder()])
def test_entries_of_the_asked_language_come_first(encoder: ToyEncoder | None) -> None:
    pair = [entry("en", "refund 退款", language="en"), entry("zh", "refund 退款", language="zh"), entry("any", "退款")]
    base = KnowledgeBase(pair, encoder=encoder)
    base.put(entry("en2", "refund 退款", language="en"))
    assert set(ids(base, "退款", 2, "zh")) == {"zh", "any"}
    assert ids(base, "退款", 4, "zh")[2:] == ["en", "en2"] or set(ids(base, "退款", 4, "zh")[2:]) == {"en", "en2"}
    assert len(ids(base, "退款", 4, "fr")) == 4, "a language that no entry has filters nothing"


@pytest.mark.parametrize("encoder", [None, ToyEncoder()])
def test_changes_are_found_at_once(encoder: ToyEncoder | None) -> None:
    base = KnowledgeBase(SHOP, encoder=encoder)
    assert base.put(entry("gift", "Do you wrap gifts?", "Yes, for two euros.")) == []
    assert ids(base, "wrap gifts")[0] == "gift"
    base.put(entry("gift", "Do you sell vouchers?", "Yes, from ten euros."))
    assert "gift" not in ids(base, "wrap")
    assert ids(base, "vouchers")[0] == "gift"
    base.put(entry("ship", "Opening hours", "From nine to five."))
    assert ids(base, "tracking number") == ([] if encoder is None else ids(base, "tracking number"))
    assert base.remove("gift")
    assert not base.remove("gift")
    assert "gift" not in ids(base, "vouchers", 10)
    assert base.get("gift") is None
    assert base.get("ship") == entry("ship", "Opening hours", "From nine to five.")
    assert len(base) == len(SHOP) == len(base.entries())


@pytest.mark.parametrize("encoder", [None, ToyEncoder()])
def test_many_changes_find_the_same_as_a_base_made_of_them(encoder: ToyEncoder | None) -> None:
    changed = KnowledgeBase(SHOP, encoder=encoder)
    for number in range(60):
        changed.put(entry(f"n{number}", f"Question {number} about topic{number % 7}", f"Answer {number}"))
    for number in range(0, 60, 2):
        changed.remove(f"n{number}")
    fresh = KnowledgeBase(changed.entries(), encoder=encoder)
    for query in ("topic3", "question 17", "parcel", "answer 55 topic6"):
        assert ids(changed, query, 1) == ids(fresh, query, 1)
        old, new = changed.search(query, 5)[0], fresh.search(query, 5)[0]
        assert old.word_score == pytest.approx(new.word_score, rel=0.15)
        assert old.vector_score == pytest.approx(new.vector_score) if encoder else old.vector_score is None


def test_a_change_encodes_only_what_changed() -> None:
    encoder = ToyEncoder()
    base = KnowledgeBase([entry(f"n{number}", f"Question {number}") for number in range(300)], encoder=encoder)
    before = encoder.num_encoded
    for number in range(40):  # more than are kept beside the base
        base.put(entry(f"m{number}", f"Other {number}"))
    assert encoder.num_encoded - before == 80


def test_a_large_base_is_folded_aside_and_no_change_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge_base, "FOLDED_AT_ONCE", 50)
    base = KnowledgeBase([entry(f"n{number}", f"Question {number}") for number in range(200)], encoder=ToyEncoder())
    for number in range(200):
        base.put(entry(f"n{number}", f"Changed{number} thing"))
        base.put(entry("same", f"Again{number}"))
        base.remove(f"n{number - 1}")
        assert ids(base, f"changed{number} thing", 1) == [f"n{number}"]
        assert ids(base, f"again{number}", 1) == ["same"]
    for thread in threading.enumerate():
        if thread.name == "fold":
            thread.join(30)
    assert {shown.entry_id for shown in base.entries()} == {"n199", "same"}
    assert len(base) == 2
    assert ids(base, "again199 changed199", 5) != []


def test_of_many_changes_of_one_entry_the_last_counts(tmp_path: Path) -> None:
    first, second = (KnowledgeBase(SHOP, Journal(tmp_path)) for _ in range(2))
    for question in ("Alpha", "Beta", "Alpha"):
        first.put(entry("x", question))
    second.put_all([entry("x", "Gamma"), entry("x", "Alpha")])
    for base in (first, second):
        assert ids(base, "alpha") == ["x"]
        assert ids(base, "beta gamma") == []


def test_duplicates_and_contradictions_are_reported() -> None:
    base = KnowledgeBase(SHOP)
    same = base.put(entry("cancel2", "can i cancel my ORDER", "Until it is packed, in your account under Orders."))
    assert "repeats cancel" in same[0].en
    other = base.put(entry("cancel3", "Can I cancel my order?", "Never."))
    assert [warning.en.split()[1] for warning in other] == ["contradicts", "contradicts"]
    assert "矛盾" in other[0].zh
    assert base.put(entry("cancel", "Can I still cancel?", "Yes.")) == []
    assert base.put(entry("zh", "怎么申请退款", "不行", language="en")) == [], "nobody meets both"


def test_passages_under_one_heading_complete_each_other() -> None:
    first = entry("a.md#Refunds", "Refunds", "One.", source="a.md#Refunds")
    base = KnowledgeBase([first])
    assert base.put(entry("a.md#Refunds-2", "Refunds", "Two.", source="a.md#Refunds")) == []
    assert len(base.put(entry("x", "Refunds", "Three."))) == 2


@pytest.mark.parametrize("wrong", [entry("", "q"), entry("x", "q", " ")])
def test_entry_without_id_or_answer_is_refused(wrong: object) -> None:
    base = KnowledgeBase(SHOP)
    with pytest.raises(UserError, match="empty"):
        base.put_all([entry("fine", "q"), wrong])  # type: ignore[list-item]
    assert base.get("fine") is None


def test_changes_last_and_leave_the_bundle_alone(tmp_path: Path) -> None:
    file, folder = tmp_path / "entries.jsonl", tmp_path / "changes"
    save_entries(file, SHOP)
    content = file.read_bytes()
    base = open_knowledge(file, folder, ToyEncoder())
    base.put(entry("gift", "Do you wrap gifts?\n😀 \ud800", "Yes."))
    base.remove("ship")
    again = open_knowledge(file, folder, None)
    assert again.entries() == base.entries()
    assert {"gift"} == set(ids(again, "wrap gifts"))
    assert again.problems == ()
    assert file.read_bytes() == content
    assert len(open_knowledge(file, None, None)) == len(SHOP)


def test_two_processes_see_each_others_changes(tmp_path: Path) -> None:
    first, second = (KnowledgeBase(SHOP, Journal(tmp_path)) for _ in range(2))
    first.put(entry("gift", "Do you wrap gifts?"))
    assert ids(second, "wrap gifts") == ["gift"]
    second.remove("gift")
    second.put(entry("hours", "Opening hours"))
    assert ids(first, "wrap gifts") == []
    assert len(first) == len(second) == len(SHOP) + 1


def test_searches_while_others_change_see_whole_states() -> None:
    """Two entries are always put together with the same number: a search sees both new or both old."""
    base = KnowledgeBase(SHOP, encoder=ToyEncoder())
    stop = threading.Event()
    wrong: list[object] = []

    def put_pairs() -> None:
        for number in range(150):
            base.put_all([entry(name, f"twin {name}", f"number{number}") for name in ("left", "right")])
            base.put(entry(f"other{number}", f"noise {number}"))
            if number % 3 == 0:
                base.remove(f"other{number}")
        stop.set()

    def search() -> None:
        while not stop.is_set():
            try:
                found = base.search("twin", 5)
                numbers = {candidate.entry.answer for candidate in found if "twin" in candidate.entry.question}
                if len(numbers) > 1 or base.get("ship") is None:
                    wrong.append(numbers)
            except Exception as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=run) for run in (put_pairs, search, search)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert stop.is_set()
    assert wrong == []
    assert len(base) == len(SHOP) + 2 + 100


def test_an_encoder_that_gives_nothing_leaves_the_words() -> None:
    class Silent(ToyEncoder):
        def encode(self, texts):  # type: ignore[no-untyped-def]
            return np.zeros((len(texts), 4), np.float32)

    assert ids(KnowledgeBase(SHOP, encoder=Silent()), "parcel")[0] == "ship"


def bound(entry_id: str, intent: str, language: str = "") -> Entry:
    return entry(entry_id, f"About {entry_id}", intent=intent, language=language)


def test_the_first_entry_of_an_intent_is_known_through_all_changes() -> None:
    base = KnowledgeBase([bound("a", "pay", "en"), bound("b", "pay", "zh"), bound("c", "pay", "en")])

    def first(language: str = "en", intent: str = "pay") -> str | None:
        found = base.of_intent(intent, language)
        return found.entry_id if found else None

    assert (first(), first("zh"), first("fr"), first("")) == ("a", "b", "a", "a")
    assert (first(intent="send"), first(intent="")) == (None, None)
    base.remove("a")
    assert (first(), first("fr")) == ("c", "b")
    base.put(bound("c", "send", "en"))
    assert (first(), first(intent="send")) == ("b", "c")
    base.put_all([bound("d", "pay", "en"), bound("c", "send", "zh")])
    assert (first(), first("zh"), first("en", "send")) == ("d", "b", "c")
    for number in range(40):  # so many that the base is made anew
        base.put(bound(f"n{number}", "other"))
    assert (first(), first("zh"), first("en", "send"), first(intent="other")) == ("d", "b", "c", "n0")
    for name in ("b", "d"):
        base.remove(name)
    assert first() is None


def test_the_entry_of_an_intent_is_what_another_process_made_of_it(tmp_path: Path) -> None:
    first, second = (KnowledgeBase([bound("a", "pay")], Journal(tmp_path)) for _ in range(2))
    first.put(bound("a", "send"))
    assert second.of_intent("pay") is None
    assert second.of_intent("send") == bound("a", "send")
    assert KnowledgeBase([bound("a", "pay")], Journal(tmp_path)).of_intent("pay") is None
