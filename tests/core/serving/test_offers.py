"""Changes of what is offered, in real databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from core.serving.offers import Offers
from core.serving.store import Store

OpenStore = Callable[[], Store]


def test_changes_are_read_in_their_order_from_any_number_on(open_store: OpenStore) -> None:
    offers = Offers(open_store().engine)
    assert offers.newest("shop") == 0
    first = offers.put("shop", "tea-1", {"title": "茶\x00壶", "price": 12.5})
    offers.put("other", "tea-1", {"price": 1.0})
    second = offers.put("shop", "tea-1", {"in_stock": False})
    elsewhere = Offers(open_store().engine)
    assert elsewhere.newest("shop") == second
    found = elsewhere.since("shop", 0)
    assert [(one.id, one.item_id) for one in found] == [(first, "tea-1"), (second, "tea-1")]
    assert found[0].facts["price"] == 12.5
    assert found[1].facts == {"in_stock": False}
    assert [one.id for one in elsewhere.since("shop", first)] == [second]


def test_who_follows_misses_no_change_while_many_are_made(open_store: OpenStore) -> None:
    offers, reader = Offers(open_store().engine), Offers(open_store().engine)
    seen: list[int] = []
    with ThreadPoolExecutor(6) as pool:
        made = [pool.submit(offers.put, "shop", f"tea-{number}", {"price": number}) for number in range(60)]
        while not all(one.done() for one in made):
            seen.extend(one.id for one in reader.since("shop", seen[-1] if seen else 0))
    seen.extend(one.id for one in reader.since("shop", seen[-1] if seen else 0))
    assert seen == sorted(one.result() for one in made)
