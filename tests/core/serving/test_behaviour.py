"""Events and shown lists in real databases: nothing is lost, nothing counts twice, what is forgotten is gone."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from core.errors import UsageError
from core.serving.behaviour import Behaviour, Event, ShownList
from core.serving.store import Store

OpenStore = Callable[[], Store]
NASTY = "o'hara\x00\ud800 用户 \N{SLIGHTLY SMILING FACE}"


@pytest.fixture
def kept(open_store: OpenStore) -> Behaviour:
    return Behaviour(open_store().engine)


def test_events_come_back_newest_last_and_of_one_user_alone(kept: Behaviour) -> None:
    ids = [kept.add("shop", Event("ann", f"i{n}", "click", 1_700_000_000 + n)) for n in range(5)]
    kept.add("shop", Event("bob", "i9", "click", 1_700_000_000))
    kept.add("other", Event("ann", "i9", "click", 1_700_000_000))
    assert [event.item_id for event in kept.events("shop", "ann", 3)] == ["i2", "i3", "i4"]
    assert [event.item_id for event in kept.events("shop", "ann", 9, up_to=ids[1])] == ["i0", "i1"]
    assert kept.users("shop") == ["ann", "bob"]
    assert kept.events("shop", "nobody", 9) == []


def test_any_text_is_kept(kept: Behaviour) -> None:
    kept.add("shop", Event(NASTY, NASTY, "rating", 1, -2.5))
    (event,) = kept.events("shop", NASTY, 9)
    assert (event.kind, event.value, event.time) == ("rating", -2.5, 1)
    assert event.user_id.startswith("o'hara")
    with pytest.raises(UsageError, match="characters"):
        kept.add("shop", Event("", "i0", "click", 1))
    with pytest.raises(UsageError, match="characters"):
        kept.add("shop", Event("ann", "x" * 256, "click", 1))


def test_event_that_is_sent_twice_with_one_key_counts_once(kept: Behaviour) -> None:
    first = kept.add("shop", Event("ann", "i0", "click", 1, key="a-1"))
    assert kept.add("shop", Event("ann", "i0", "click", 1, key="a-1")) == first
    assert kept.add("other", Event("ann", "i0", "click", 1, key="a-1")) != first
    assert len(kept.events("shop", "ann", 9)) == 1


def test_events_of_many_threads_are_all_there(kept: Behaviour) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: kept.add("shop", Event(f"u{n % 4}", f"i{n}", "click", n)), range(80)))
    assert len(set(ids)) == 80
    found = [event.item_id for user in kept.users("shop") for event in kept.events("shop", user, 100)]
    assert sorted(found) == sorted(f"i{n}" for n in range(80))


def test_events_of_several_processes_are_all_there(database_url: str) -> None:
    store = Store(database_url)
    kept = Behaviour(store.engine)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_events, args=(database_url, name)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert [len(kept.events("shop", name, 100)) for name in "abc"] == [20, 20, 20]
    store.close()


def add_events(url: str, name: str) -> None:
    store = Store(url)
    kept = Behaviour(store.engine)
    for number in range(20):
        kept.add("shop", Event(name, f"i{number}", "click", number))
    store.close()


def test_connections_that_a_server_drops_are_made_anew(kept: Behaviour, open_store: OpenStore) -> None:
    kept.add("shop", Event("ann", "i0", "click", 1))
    if kept.engine.dialect.name == "postgresql":
        with kept.engine.connect() as connection:
            own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with open_store().engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
    else:
        kept.engine.dispose()
    kept.add("shop", Event("ann", "i1", "click", 2))
    assert [event.item_id for event in kept.events("shop", "ann", 9)] == ["i0", "i1"]


def test_lists_come_back_whole_with_the_events_that_followed(kept: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.serving.behaviour.AT_ONCE", 3)
    ids = []
    for number in range(8):
        shown = ShownList("ann", "b1", number, {"wish": {"interests": NASTY}}, ("i0", NASTY), (0.9, 0.002))
        ids.append(kept.add_list("shop", shown))
        kept.add("shop", Event("ann", f"i{number}", "click", 1, list_id=ids[-1]))
    kept.add_list("other", ShownList("", "b1", 0, {}, (), ()))
    found = list(kept.lists("shop"))
    assert kept.num_lists("shop") == 8
    assert len(set(ids)) == 8
    assert sorted(shown.id for shown, _ in found) == sorted(ids)
    by_id = {shown.id: (shown, followed) for shown, followed in found}
    for number, list_id in enumerate(ids):
        shown, followed = by_id[list_id]
        assert [event.item_id for event in followed] == [f"i{number}"]
        assert (shown.after_event, shown.items, shown.chances) == (number, ("i0", NASTY), (0.9, 0.002))
        assert shown.asked == {"wish": {"interests": NASTY}}


def test_what_is_forgotten_is_gone(kept: Behaviour) -> None:
    kept.add("shop", Event("ann", "i0", "click", 1))
    kept.add("shop", Event("bob", "i0", "click", 1))
    kept.add_list("shop", ShownList("ann", "b1", 0, {}, (), ()))
    assert kept.forget("shop", "ann") == 2
    assert kept.users("shop") == ["bob"]
    assert kept.num_lists("shop") == 0
