"""What an assistant keeps: masked, complete, and gone when it is forgotten."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from core.data.personal_data import mask_personal_data
from core.errors import UserError
from core.serving.conversations import Conversations
from core.serving.masked_text import MAX_DETAILS, MAX_TEXT
from core.serving.store import Feedback, Store

OpenStore = Callable[[], Store]


def mask(text: str) -> str:
    return mask_personal_data(text).text


@pytest.fixture
def kept(open_store: OpenStore) -> Conversations:
    return Conversations(open_store(), mask)


# ---- messages ------------------------------------------------------------------------------------


def test_messages_come_back_in_order_and_after_an_id(kept: Conversations) -> None:
    chat, other = kept.start("shop"), kept.start("shop")
    first = kept.add_message(chat, "customer", "在哪里? 🚚")
    kept.add_message(other, "customer", "not this one")
    second = kept.add_message(chat, "bot", "On its way.", {"sources": ["orders-01"], "confidence": 0.5, "none": None})
    found = kept.messages(chat)
    assert [(message.id, message.role, message.text) for message in found] == [
        (first, "customer", "在哪里? 🚚"),
        (second, "bot", "On its way."),
    ]
    assert found[1].details == {"sources": ["orders-01"], "confidence": 0.5, "none": None}
    assert [message.id for message in kept.messages(chat, after=first)] == [second]
    assert kept.messages(chat, after=second) == []
    created = datetime.fromisoformat(found[0].created)
    assert str(created.utcoffset()) == "0:00:00"
    assert found[0].created == created.isoformat(timespec="milliseconds")


def test_ids_of_conversations_cannot_be_guessed(kept: Conversations) -> None:
    ids = {kept.start("shop") for _ in range(20)}
    assert len(ids) == 20
    assert min(map(len, ids)) >= 22


def test_unknown_conversation_is_an_error(kept: Conversations) -> None:
    with pytest.raises(UserError, match="no such conversation"):
        kept.add_message("nobody", "customer", "hello")
    with pytest.raises(UserError, match="no such conversation"):
        kept.open_handoff("nobody", "asked", [], "en")
    with pytest.raises(UserError, match="no such conversation"):
        kept.add_unanswered("shop", "what", "en", [], "nobody")
    assert kept.messages("nobody") == []
    assert kept.handoffs("shop") == []
    assert kept.unanswered("shop") == []


def test_message_that_is_too_long_is_cut_with_a_note(kept: Conversations) -> None:
    chat = kept.start("shop")
    kept.add_message(chat, "customer", "x" * 100_000)
    (message,) = kept.messages(chat)
    assert len(message.text) == MAX_TEXT
    assert message.text.endswith("x [… 100,000 characters]")


def test_cut_leaves_no_half_of_a_number(kept: Conversations) -> None:
    chat = kept.start("shop")
    for before in range(MAX_TEXT - 45, MAX_TEXT, 4):
        kept.add_message(chat, "customer", "。" * before + "13812345678" + "。" * 100)
    assert not any("1381" in message.text for message in kept.messages(chat))


def test_details_that_are_too_long_are_left_out(kept: Conversations) -> None:
    chat = kept.start("shop")
    kept.add_message(chat, "bot", "hello", {"passages": ["x" * MAX_TEXT] * (MAX_DETAILS // MAX_TEXT + 1)})
    assert set(kept.messages(chat)[0].details) == {"cut"}


@pytest.mark.parametrize(
    "text", ["", "\x00\x01\x1b[31m", "half \ud83d of a pair", "مرحبا \u202e", "'); DROP TABLE message; --"]
)
def test_strange_texts_are_kept(kept: Conversations, text: str) -> None:
    chat = kept.start("shop")
    kept.add_message(chat, "customer", text, {"same": text})
    (message,) = kept.messages(chat)
    assert message.text == text.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd")
    assert message.details == {"same": message.text}


# ---- ratings -------------------------------------------------------------------------------------


def test_last_rating_of_a_message_counts(kept: Conversations) -> None:
    chat = kept.start("shop")
    first, second = (kept.add_message(chat, "bot", text) for text in ("one", "two"))
    kept.rate(first, 1)
    kept.rate(first, -1, "wrong order")
    kept.rate(second, 1)
    found = {rating.message_id: (rating.value, rating.reason, rating.text) for rating in kept.ratings("shop")}
    assert found == {first: (-1, "wrong order", "one"), second: (1, "", "two")}
    assert kept.ratings("other") == []


def test_rating_nothing_is_an_error(kept: Conversations) -> None:
    with pytest.raises(UserError, match="no message 7"):
        kept.rate(7, 1)


# ---- privacy -------------------------------------------------------------------------------------

SECRETS = ("13812345678", "anna@example.com", "4111111111111111", "11010519491231002X", "Annabel")
SECRET = "My name is Annabel, 13812345678, anna@example.com, 4111111111111111, 11010519491231002X"


def fill(kept: Conversations) -> str:
    """Every way in, with every secret."""
    chat = kept.start(SECRET)
    message = kept.add_message(chat, "customer", SECRET, {SECRET: [{"deep": (SECRET,)}], "number": 13812345678})
    kept.rate(message, -1, SECRET)
    handoff = kept.open_handoff(chat, SECRET, [(SECRET, 0.5)], SECRET)
    kept.answer_handoff(handoff, SECRET, SECRET)
    question = kept.add_unanswered(SECRET, SECRET, SECRET, [(SECRET, 0.5)], chat)
    kept.resolve_unanswered([question], "entry", SECRET)
    kept.add_example(SECRET, SECRET, SECRET, SECRET)
    return chat


def test_nothing_unmasked_reaches_the_file(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "kept.db"))
    chat = fill(Conversations(store, mask))
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"[phone]" in written
    assert chat.encode() in written, "the file is read before anything is in it"
    assert [secret for secret in SECRETS if secret.encode() in written] == []
    store.close()


def test_forgotten_conversation_is_gone_from_the_file(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "kept.db"))
    kept = Conversations(store, lambda text: text)
    stays, goes = kept.start("shop"), kept.start("shop")
    kept.add_message(stays, "customer", "what stays")
    message = kept.add_message(goes, "customer", "tell nobody " * 1000)
    kept.rate(message, 1, "tell nobody")
    kept.open_handoff(goes, "tell nobody", [], "en")
    kept.add_unanswered("shop", "tell nobody", "en", [], goes)
    assert kept.forget(goes)
    assert not kept.forget(goes)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"what stays" in written
    assert b"tell nobody" not in written
    assert goes.encode() not in written
    store.close()


def test_forgetting_takes_everything_of_one_conversation(kept: Conversations) -> None:
    chats = [kept.start("shop"), kept.start("shop")]
    for chat in chats:
        kept.rate(kept.add_message(chat, "bot", "hello"), 1)
        kept.open_handoff(chat, "asked", [], "en")
        kept.add_unanswered("shop", f"what {chat}", "en", [], chat)
    kept.forget(chats[0])
    assert kept.messages(chats[0]) == []
    assert {rating.conversation_id for rating in kept.ratings("shop")} == {chats[1]}
    assert {handoff.conversation_id for handoff in kept.handoffs("shop")} == {chats[1]}
    assert {question.conversation_id for question in kept.unanswered("shop")} == {chats[1]}
    with pytest.raises(UserError, match="no such conversation"):
        kept.add_message(chats[0], "customer", "still there?")


def test_ids_of_what_was_forgotten_are_not_given_again(kept: Conversations) -> None:
    chat = kept.start("shop")
    gone = kept.add_message(chat, "bot", "hello")
    kept.forget(chat)
    assert kept.add_message(kept.start("shop"), "bot", "hello") > gone


# ---- it holds ------------------------------------------------------------------------------------


def test_writers_at_once_lose_nothing(open_store: OpenStore) -> None:
    stores = [Conversations(open_store(), mask) for _ in range(2)]
    chat = stores[0].start("shop")

    def write(writer: int) -> list[int]:
        kept = stores[writer % 2]
        own = kept.start("shop")
        ids = []
        for number in range(10):
            ids.append(kept.add_message(chat, "customer", f"{writer}/{number}"))
            kept.add_message(own, "bot", f"{writer}/{number}")
            kept.rate(ids[0], 1)
            kept.add_unanswered("shop", "same", "en", [], own)
        return ids

    with ThreadPoolExecutor(8) as pool:
        ids = [given for part in pool.map(write, range(8)) for given in part]
    found = stores[0].messages(chat)
    assert sorted(ids) == [message.id for message in found]
    assert {message.text for message in found} == {f"{w}/{n}" for w in range(8) for n in range(10)}
    assert stores[1].unanswered("shop")[0].count == 80
    assert len(stores[1].ratings("shop")) == 8


def test_who_polls_while_others_write_misses_nothing(open_store: OpenStore) -> None:
    kept = Conversations(open_store(), mask)
    chat = kept.start("shop")
    stop, seen = threading.Event(), list[int]()

    def poll() -> None:
        while True:
            is_last = stop.is_set()
            seen.extend(message.id for message in kept.messages(chat, after=seen[-1] if seen else 0))
            if is_last:
                return

    with ThreadPoolExecutor(5) as pool:
        polling = pool.submit(poll)
        writing = [pool.submit(lambda: [kept.add_message(chat, "agent", "x") for _ in range(20)]) for _ in range(4)]
        written = [given for part in writing for given in part.result()]
        stop.set()
        polling.result()
    assert seen == sorted(written)


def test_acknowledged_write_survives_a_kill(database_url: str, open_store: OpenStore) -> None:
    kept = Conversations(open_store(), mask)
    chat = kept.start("shop")
    code = (
        "import sys\n"
        "from core.serving.conversations import Conversations\n"
        "from core.serving.store import Store\n"
        "kept = Conversations(Store(sys.argv[1]), str)\n"
        "while True: print(kept.add_message(sys.argv[2], 'customer', 'hello'), flush=True)\n"
    )
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", code, database_url, chat], cwd=root, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(5)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    found = [message.id for message in kept.messages(chat)]
    assert found[: len(acknowledged)] == acknowledged


def test_store_of_feedback_is_the_same_database(open_store: OpenStore) -> None:
    store = open_store()
    kept = Conversations(store, mask)
    store.add(Feedback("shop", "0123", "text", "f" * 64, None, {"label": "a"}, "b", "wrong"))
    chat = kept.start("shop")
    kept.add_message(chat, "customer", "hello")
    again = open_store()
    assert again.latest("shop")[0].label == "b"
    assert Conversations(again, mask).messages(chat)[0].text == "hello"
