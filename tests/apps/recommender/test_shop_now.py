"""The shop as it is now: events, rules and chance while lists are served, and a store that goes away and comes back."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy.exc import OperationalError

from apps.recommender import replay as replays
from apps.recommender import score, shop
from apps.recommender.app import SPEC, RecommenderConfig
from apps.recommender.list_config import ListConfig
from apps.recommender.recommender import Recommender
from apps.recommender.replay import replay
from apps.recommender.score import score_users
from apps.recommender.shop import Shop
from apps.recommender.wish import Filters, RankedList, Seen, Wish
from core.errors import UserError
from core.serving.behaviour import Event
from core.serving.predictor import load_predictor
from core.serving.rules import Rule
from core.serving.store import Store

APP = "recommender"
USER, NEW = "visitor-003", "somebody-new"
NOW = 1_900_000_000


@pytest.fixture(scope="module")
def recommender(shop_bundle: Path) -> Recommender:
    return Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.sqlite"))
    yield opened
    opened.close()


@pytest.fixture
def live(recommender: Recommender, store: Store) -> Shop:
    return Shop(recommender, store, "b1")


@pytest.fixture
def exploring(recommender: Recommender, store: Store, monkeypatch: pytest.MonkeyPatch) -> Shop:
    config = cast(RecommenderConfig, recommender.config)
    lists = ListConfig(exploration_share=0.3, exploration_pool=20)
    monkeypatch.setattr(recommender, "config", config.model_copy(update={"lists": lists}))
    return Shop(recommender, store, "b1", seed=0)


def ids(found: RankedList) -> list[str]:
    return [item.item_id for item in found.items]


def clicked(user: str, item_id: str, moment: int = NOW, **more: Any) -> Event:
    return Event(user, item_id, "click", moment, **more)


# ---- events --------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [USER, NEW])
def test_next_list_takes_an_event_into_account(user: str, live: Shop) -> None:
    before = live.list_for(Wish(user=user, k=12))
    item = ids(before.ranked)[0]
    live.record(clicked(user, item))
    after = live.list_for(Wish(user=user, k=12))
    assert item not in ids(after.ranked)
    assert ids(after.ranked) != ids(before.ranked)
    assert live.list_for(Wish(user="another", k=12)).ranked.start == "nothing"
    assert after.ranked.start == ("known" if user == USER else "events")


def test_list_after_events_is_the_one_of_the_same_history(live: Shop, recommender: Recommender) -> None:
    items = ["teapot-glass", "tent-light", "novel-pocket"]
    for number, item in enumerate(reversed(items)):  # they come out of order, and say so
        live.record(Event(NEW, item, "purchase", NOW - number))
    history = tuple(Seen(item, "purchase", NOW - 2 + number) for number, item in enumerate(items))
    assert live.list_for(Wish(user=NEW)).ranked.items == recommender.recommend(Wish(history=history)).items


def test_dismissed_items_never_come_back(live: Shop) -> None:
    gone = []
    for _ in range(5):
        gone.append(ids(live.list_for(Wish(user=USER, k=3)).ranked)[0])
        live.record(Event(USER, gone[-1], "dismiss", NOW))
    assert len(set(gone)) == 5
    assert not set(gone) & set(ids(live.list_for(Wish(user=USER, k=400)).ranked))


def test_dismissal_speaks_against_what_a_liking_would_have_spoken_for(live: Shop) -> None:
    def ranks() -> dict[str, int]:
        return {item.item_id: item.rank for item in live.list_for(Wish(user=NEW, k=448)).ranked.items}

    live.record(clicked(NEW, "tent-light"))
    before = ranks()
    history = (Seen("tent-light", "click", NOW), Seen("teapot-glass", "click", NOW + 1))
    liked = {item.item_id: item.rank for item in live.recommender.recommend(Wish(history=history, k=448)).items}
    helped = sorted(liked, key=lambda item: liked[item] - before.get(item, 0))[:20]
    live.record(Event(NEW, "teapot-glass", "dismiss", NOW + 1))
    after = ranks()
    assert "teapot-glass" not in after
    assert np.mean([after[item] - before[item] for item in helped]) > 5


def test_event_that_the_training_knew_counts_once(live: Shop, recommender: Recommender) -> None:
    before = ids(live.list_for(Wish(user=USER)).ranked)
    known = recommender.histories[USER][-1]
    assert known.time is not None
    live.record(Event(USER, known.item_id, known.kind, known.time, known.value))
    assert ids(live.list_for(Wish(user=USER)).ranked) == before
    assert live.history(USER) == recommender.histories[USER]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event(NEW, "no-such-item", "click", NOW), "no item"),
        (Event(NEW, "teapot-glass", "stare", NOW), "no kind of event"),
        (Event(NEW, "teapot-glass", "rating", NOW), "rating without a value"),
        (Event("", "teapot-glass", "click", NOW), "characters"),
    ],
)
def test_events_that_say_nothing_are_refused(event: Event, message: str, live: Shop) -> None:
    with pytest.raises(UserError, match=message):
        live.record(event)
    assert live.behaviour.users(APP) == []


def test_events_and_lists_at_the_same_time(live: Shop) -> None:
    items = live.recommender.store.items.catalogue.ids[:60]

    def one(number: int) -> list[str]:
        user = f"user-{number % 5}"
        live.record(clicked(user, items[number], NOW + number))
        return ids(live.list_for(Wish(user=user, k=10)).ranked)

    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(one, range(60)))
    assert all(items[number] not in found for number, found in enumerate(lists))
    for user in range(5):
        seen = {items[number] for number in range(60) if number % 5 == user}
        assert len(live.behaviour.events(APP, f"user-{user}", 100)) == 12
        assert not seen & set(ids(live.list_for(Wish(user=f"user-{user}", k=300)).ranked))


# ---- rules ---------------------------------------------------------------------------------------


def test_rules_hold_for_every_list_from_the_moment_they_are_set(live: Shop, recommender: Recommender) -> None:
    wishes = [
        Wish(user=USER, k=20),
        Wish(k=20),
        Wish(interests="something for tea lovers", k=20),
        Wish(item="tent-light", k=20),
        Wish(history=(Seen("teapot-glass"),), k=20, diversity=0.5, novelty=0.5),
        Wish(user=USER, k=20, filters=Filters(in_stock_only=True)),
    ]
    blocked = ids(live.list_for(wishes[2]).ranked)[0]
    unseen = ids(live.list_for(Wish(user=USER, k=400)).ranked)
    catalogue = recommender.store.items.catalogue
    pinned = next(item for item in reversed(unseen) if catalogue.in_stock[catalogue.row_of(item) or 0])
    live.set_rule(Rule("block", blocked), "Ann", "recalled")
    live.set_rule(Rule("pin", pinned, value=3), "Ann", "book of the month")
    live.set_rule(Rule("cap", value=4), "Ann", "more variety")
    for wish in wishes:
        found = live.list_for(wish).ranked
        assert blocked not in ids(found)
        assert ids(found)[2] == pinned
        assert found.items[2].reason.kind == "pinned"
        counts: dict[str, int] = {}
        for item in found.items:
            counts[catalogue.categories[item.row]] = counts.get(catalogue.categories[item.row], 0) + 1
        assert max(counts.values()) <= 4
        assert len(found.items) == 20
    live.take_back_rule(live.rules.active(APP)[0].id, "Ann", "it was another batch")
    assert blocked in ids(live.list_for(wishes[2]).ranked)


def test_no_blocked_or_seen_item_in_lists_of_the_model(live: Shop, recommender: Recommender) -> None:
    random = np.random.default_rng(0)
    catalogue = recommender.store.items.catalogue
    blocked = {catalogue.ids[row] for row in random.choice(len(catalogue), 60, replace=False)}
    rules = [
        *(Rule("block", item) for item in blocked),
        Rule("cap", value=3),
        Rule("boost", category="garden", value=1),
    ]
    for user in itertools.islice(recommender.histories, 150):
        seen = {event.item_id for event in recommender.histories[user]}
        found = ids(recommender.recommend(Wish(user=user, k=12), rules))
        assert len(found) == 12
        assert not (seen | blocked) & set(found)


# ---- chance, and what it teaches -----------------------------------------------------------------


def test_lists_are_kept_with_their_chances_where_places_are_left_to_chance(exploring: Shop, live: Shop) -> None:
    found = exploring.list_for(Wish(user=USER, k=10, interests="call me at +1 415 555 0132"))
    assert found.list_id
    ((shown, followed),) = exploring.behaviour.lists(APP)
    assert (shown.id, shown.user_id, shown.bundle_id, followed) == (found.list_id, USER, "b1", ())
    assert shown.items == tuple(ids(found.ranked))
    assert shown.chances == tuple(item.chance for item in found.ranked.items)
    assert "555" not in str(shown.asked)
    explored = [item for item in found.ranked.items if item.reason.kind == "explore"]
    for item in found.ranked.items:
        assert item.chance == pytest.approx(0.3 / 20 if item in explored else 0.7)


def test_nothing_is_left_to_chance_or_kept_unless_it_is_asked_for(live: Shop) -> None:
    found = live.list_for(Wish(user=USER))
    assert found.list_id == ""
    assert {item.chance for item in found.ranked.items} == {1.0}
    assert live.behaviour.num_lists(APP) == 0


def test_replay_tells_better_lists_from_worse_ones(exploring: Shop, recommender: Recommender) -> None:
    random = np.random.default_rng(0)
    catalogue = recommender.store.items.catalogue
    users = list(itertools.islice(recommender.histories, 100))
    for user in users * 3:
        found = exploring.list_for(Wish(user=user, k=8))
        for item in found.ranked.items:
            # Everybody likes the dear half of a list, whatever the model says.
            if catalogue.prices[item.row] > 40 and random.random() < 0.5:
                exploring.behaviour.add(APP, clicked(user, item.item_id, list_id=found.list_id))
    as_it_was = replay(exploring)
    dear = replay(
        exploring, lambda wish: Wish(user=wish.user, k=8, history=wish.history, filters=Filters(min_price=40))
    )
    cheap = replay(
        exploring, lambda wish: Wish(user=wish.user, k=8, history=wish.history, filters=Filters(max_price=40))
    )
    assert as_it_was.never_shown == 0
    assert as_it_was.self_normalised.low <= as_it_was.logged.value * 1.2
    assert cheap.self_normalised.value < as_it_was.self_normalised.value < dear.self_normalised.value
    assert cheap.inverse_propensity.value < 0.2
    assert 0 < dear.never_shown < 1


def test_replay_needs_lists_that_were_kept(live: Shop) -> None:
    with pytest.raises(UserError, match="no list that was shown"):
        replay(live)


# ---- the store goes away and comes back ----------------------------------------------------------


def test_lists_go_on_while_the_store_is_away_and_rules_stay(
    exploring: Shop, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "AWAY_S", 0.0)
    first = ids(exploring.list_for(Wish(user=USER, k=5)).ranked)
    exploring.set_rule(Rule("block", first[0]), "Ann", "recalled")
    exploring.list_for(Wish(user=USER, k=5))
    with away(store):
        found = exploring.list_for(Wish(user=USER, k=5))
        assert not found.is_live
        assert found.list_id == ""
        assert first[0] not in ids(found.ranked)
        assert {item.chance for item in found.ranked.items} == {1.0}
        with pytest.raises(UserError, match="not kept"):
            exploring.record(clicked(USER, first[1]))
        with pytest.raises(UserError, match="not set"):
            exploring.set_rule(Rule("block", first[1]), "Ann", "recalled")
    exploring.record(clicked(USER, first[1]))
    again = exploring.list_for(Wish(user=USER, k=5))
    assert again.is_live
    assert again.list_id
    assert not {first[0], first[1]} & set(ids(again.ranked))


def test_store_that_is_away_is_not_waited_for_at_every_list(live: Shop, store: Store) -> None:
    asked = []
    with away(store, asked.append):
        for _ in range(5):
            assert not live.list_for(Wish(user=USER)).is_live
    assert len(asked) == 1


class away:
    """A store whose every connection fails, as one whose server was killed."""

    def __init__(self, store: Store, note: Callable[[str], None] = lambda _: None) -> None:
        self.store, self.note = store, note

    def __enter__(self) -> None:
        self.store.engine.dispose()
        self.connect = self.store.engine.pool._creator

        def fail(*_: object) -> None:
            self.note("asked")
            raise OperationalError("connect", {}, Exception("the server is gone"))

        self.store.engine.pool._creator = fail

    def __exit__(self, *_: object) -> None:
        self.store.engine.pool._creator = self.connect


# ---- all users at once ---------------------------------------------------------------------------


def test_lists_of_all_users_are_those_that_are_served(live: Shop, recommender: Recommender, tmp_path: Path) -> None:
    users = list(itertools.islice(recommender.histories, 40))
    rules = (Rule("pin", "novel-pocket", value=2), Rule("cap", value=3))
    wishes = [Wish(user=user, k=7) for user in users]
    done: list[tuple[int, int]] = []
    file = tmp_path / "deep" / "lists.parquet"
    written = score_users(recommender, wishes, file, rules=rules, progress=lambda *at: done.append(at))
    rows = pq.read_table(file).to_pylist()
    assert written == len(rows) == 40 * 7
    assert done[-1] == (40, 40)
    for user, wish in zip(users, wishes, strict=True):
        own = [row for row in rows if row["user"] == user]
        expected = recommender.recommend(wish, rules)
        assert [row["item_id"] for row in own] == ids(expected)
        assert [row["rank"] for row in own] == list(range(1, 8))
        assert [row["score"] for row in own] == pytest.approx([item.score for item in expected.items], rel=1e-4)


def test_commands_score_all_users_and_replay(
    shop_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "store.sqlite")
    store = Store(url)
    live = Shop(Recommender(load_predictor(shop_bundle, SPEC)), store)
    live.record(clicked(NEW, "teapot-glass"))
    live.set_rule(Rule("block", "tent-light"), "Ann", "recalled")
    store.close()
    file = tmp_path / "lists.parquet"
    assert score.main([str(shop_bundle), "--output", str(file), "--k", "3", "--store", url]) == 0
    table = pq.read_table(file)
    assert NEW in table["user"].to_pylist()
    assert "tent-light" not in table["item_id"].to_pylist()
    assert f"{table.num_rows:,} rows" in capsys.readouterr().out
    assert score.main([str(shop_bundle), "--k", "0"]) == 2
    assert replays.main([str(shop_bundle), "--store", url]) == 1
    assert "--lists.exploration_share" in capsys.readouterr().err


def test_who_only_sent_things_away_gets_what_everybody_likes_without_them(live: Shop) -> None:
    popular = ids(live.list_for(Wish(user=NEW, k=10)).ranked)
    live.record(Event(NEW, popular[2], "dismiss", NOW))
    found = live.list_for(Wish(user=NEW, k=9)).ranked
    assert found.start == "nothing"
    assert ids(found) == popular[:2] + popular[3:]
