"""New items, prices and stock that are told to a running shop: kept in the store, seen by all who serve."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.recommender.app import SPEC
from apps.recommender.offering import ItemChange
from apps.recommender.recommender import Recommender
from apps.recommender.score import score_users
from apps.recommender.shop import Shop
from apps.recommender.wish import Filters, RankedList, Seen, Wish
from core.errors import UserError
from core.serving.behaviour import Event
from core.serving.predictor import load_predictor
from core.serving.store import Store

TEAPOT = ItemChange(
    "teapot-new",
    title="Glass teapot for two",
    tags="tea|pot|brewing|茶|茶壶",
    description="A teapot that pours without a drip.",
    price=39.0,
    more={"title_zh": "玻璃茶壶"},
)
TEA = Wish(history=(Seen("teapot-glass"), Seen("green_tea-organic")), k=10)
Open = Callable[..., Shop]


@pytest.fixture
def open_shop(shop_bundle: Path, tmp_path: Path) -> Open:
    """Opens a server of its own on the same store, each with a model of its own."""

    def open_one(trained: str = "") -> Shop:
        recommender = Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1)
        recommender.trained = trained or recommender.trained
        return Shop(recommender, Store(str(tmp_path / "store.sqlite")))

    return open_one


def ids(found: RankedList) -> list[str]:
    return [item.item_id for item in found.items]


def test_new_item_stands_in_the_lists_of_all_servers_and_outlives_them(open_shop: Open) -> None:
    first, second = open_shop(), open_shop()
    before = ids(second.list_for(TEA).ranked)
    first.put_item(TEAPOT)
    for live in (first, second, open_shop()):
        found = live.list_for(TEA).ranked
        assert "teapot-new" in ids(found)
        assert [item for item in ids(found) if item != "teapot-new"] == before[:9]
        assert next(item for item in found.items if item.item_id == "teapot-new").is_new
    catalogue = second.recommender.store.items.catalogue
    row = catalogue.row_of("teapot-new")
    assert row is not None
    assert catalogue.more["title_zh"][row] == "玻璃茶壶"
    second.record(Event("somebody-new", "teapot-new", "click", 1_900_000_000))
    after = first.list_for(Wish(user="somebody-new", k=10)).ranked
    assert after.start == "events"
    assert "teapot-new" not in ids(after)


def test_event_with_an_item_that_another_server_was_told_of_is_kept(open_shop: Open) -> None:
    first, second = open_shop(), open_shop()
    first.put_item(TEAPOT)
    assert second.record(Event("somebody-new", "teapot-new", "click", 1_900_000_000)) > 0
    with pytest.raises(UserError, match="no item `teapot-old`"):
        second.record(Event("somebody-new", "teapot-old", "click", 1_900_000_000))


def test_price_and_stock_count_from_the_next_list_on(open_shop: Open) -> None:
    first, second = open_shop(), open_shop()
    in_stock = Wish(user="visitor-003", k=5, filters=Filters(in_stock_only=True))
    best = ids(second.list_for(in_stock).ranked)[0]
    first.put_item(ItemChange(best, in_stock=False))
    assert best not in ids(second.list_for(in_stock).ranked)
    first.put_item(ItemChange(best, in_stock=True, price=9_999.0))
    assert ids(second.list_for(in_stock).ranked)[0] == best
    cheap = Wish(user="visitor-003", k=5, filters=Filters(max_price=9_000))
    assert best not in ids(second.list_for(cheap).ranked)


def test_training_knows_its_items_better_than_what_was_told_before_it(open_shop: Open) -> None:
    open_shop().put_item(ItemChange("teapot-glass", price=1.0))
    open_shop().put_item(TEAPOT)
    retrained = open_shop((datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds"))
    catalogue = retrained.recommender.store.items.catalogue
    known, new = (catalogue.row_of(item) for item in ("teapot-glass", "teapot-new"))
    assert known is not None
    assert new is not None
    assert catalogue.prices[known] != 1.0
    assert catalogue.prices[new] == 39.0


def test_lists_of_all_users_have_a_place_for_new_items_too(open_shop: Open, tmp_path: Path) -> None:
    live = open_shop()
    live.put_item(TEAPOT)
    known = [Wish(user=user, k=10) for user in list(live.recommender.histories)[:20]]
    asked = [*known, replace(TEA, user="somebody-new"), Wish(user="nobody-yet", history=(Seen("tent-light"),))]
    file = tmp_path / "lists.parquet"
    score_users(live.recommender, asked, file)
    written = _lists(file)
    served = [ids(live.recommender.recommend(wish)) for wish in asked]
    assert written == served
    assert any("teapot-new" in items for items in served)
    assert not all("teapot-new" in items for items in served)


def _lists(file: Path) -> list[list[str]]:
    import pyarrow.parquet as pq

    found: dict[str, list[str]] = {}
    for row in pq.read_table(file).to_pylist():
        found.setdefault(row["user"], []).append(row["item_id"])
    return list(found.values())
