"""Lists of a real, small model: what they are made from, what may stand in them, and why."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from apps.recommender.answer import build_recommender_answers, read_wish
from apps.recommender.app import SPEC
from apps.recommender.item_index import INDEX, write_index
from apps.recommender.list_config import ListConfig
from apps.recommender.recommender import Recommender
from apps.recommender.ui.model_tab import MODELS, render_model
from apps.recommender.wish import Filters, RankedList, Seen, Wish
from core.errors import UsageError, UserError
from core.export.bundle import ASSETS
from core.serving.predictor import load_predictor
from core.ui.evaluation_view import read_evaluation, read_table


@pytest.fixture(scope="module")
def recommender(shop_bundle: Path) -> Recommender:
    return Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1)


TEAPOT = {
    "title": "Glass teapot for two",
    "tags": "tea|pot|brewing|茶|茶壶",
    "description": "A teapot that pours without a drip.",
}


def ids(found: RankedList) -> list[str]:
    return [item.item_id for item in found.items]


def test_known_user_sees_nothing_again_and_scores_fall(recommender: Recommender) -> None:
    user = "visitor-003"
    found = recommender.recommend(Wish(user=user, k=50))
    seen = {event.item_id for event in recommender.histories[user]}
    assert found.start == "known"
    assert len(set(ids(found))) == 50
    assert not seen & set(ids(found))
    scores = [item.score for item in found.items]
    assert scores == sorted(scores, reverse=True)


def test_reason_names_the_event_without_which_the_score_falls_the_furthest(recommender: Recommender) -> None:
    history = (Seen("teapot-glass", "purchase"), Seen("tent-light", "purchase"), Seen("novel-pocket", "purchase"))
    found = recommender.recommend(Wish(history=history, k=5))
    for item in found.items:
        without = {}
        for left_out in history:
            rest = tuple(event for event in history if event != left_out)
            arrays = recommender.arrays_of(list(rest))
            user = recommender.session.run(arrays)["user"][0]
            without[left_out.item_id] = float(recommender.store.items.targets[item.row] @ user)
        furthest = min(without, key=lambda name: without[name])
        if item.reason.kind == "because":
            # What is left out stands for no event at all, also for the ages and places of the others.
            assert without[item.reason.item_id] == pytest.approx(without[furthest], rel=0.05, abs=0.05)


def test_words_of_a_script_without_blanks_are_told_as_runs_of_the_text(recommender: Recommender) -> None:
    found = recommender.recommend(Wish(history=(Seen("teapot-glass"),), k=20)).items
    catalogue = recommender.store.items.catalogue
    chinese = [(item, word) for item in found for word in item.reason.words if "\u4e00" <= word[0] <= "\u9fff"]
    assert sum(len(word) > 1 for _, word in chinese) > len(chinese) / 2
    for item, word in chinese:
        assert any(word in text for text in catalogue.text_of(item.row).values())


def test_nothing_known_gives_what_most_people_like(recommender: Recommender) -> None:
    found = recommender.recommend(Wish(k=5))
    likings = recommender.store.items.likings
    assert found.start == "nothing"
    assert [likings[item.row] for item in found.items] == sorted(likings, reverse=True)[:5]


@pytest.mark.parametrize("words", ["something for tea lovers", "给喜欢喝茶的人"])
def test_interests_find_items_in_both_languages(words: str, recommender: Recommender) -> None:
    found = recommender.recommend(Wish(interests=words, k=8))
    assert found.start == "interests"
    catalogue = recommender.store.items.catalogue
    assert sum(catalogue.categories[item.row] == "tea & coffee" for item in found.items) >= 5


@pytest.mark.parametrize("words", ["", "   ", "xqzt", "\N{SLIGHTLY SMILING FACE}", "a" * 5000, "‏مرحبا"])
def test_any_words_give_a_list(words: str, recommender: Recommender) -> None:
    assert len(recommender.recommend(Wish(interests=words, k=3)).items) == 3


def test_filters_hold_for_every_item_however_narrow(recommender: Recommender) -> None:
    catalogue = recommender.store.items.catalogue
    filters = Filters(("garden",), min_price=20, max_price=30, in_stock_only=True)
    found = recommender.recommend(Wish(history=(Seen("teapot-glass"),), k=100, filters=filters))
    assert found.items
    for item in found.items:
        assert catalogue.categories[item.row] == "garden"
        assert 20 <= catalogue.prices[item.row] <= 30
        assert catalogue.in_stock[item.row]
    impossible = Filters(("garden",), min_price=10_000)
    assert recommender.recommend(Wish(user="visitor-003", filters=impossible)).items == ()


def test_items_sent_away_do_not_stand_in_the_list(recommender: Recommender) -> None:
    wish = Wish(user="visitor-005", k=10)
    first = ids(recommender.recommend(wish))[:4]
    again = recommender.recommend(Wish(user="visitor-005", k=10, without=tuple(first)))
    assert not set(first) & set(ids(again))


def test_diversity_spreads_a_list_and_tells_its_cost(recommender: Recommender) -> None:
    plain = recommender.recommend(Wish(user="visitor-003", k=10))
    spread = recommender.recommend(Wish(user="visitor-003", k=10, diversity=0.8))
    targets = recommender.store.items.targets[:, :-1]

    def alike(found: RankedList) -> float:
        rows = targets[[item.row for item in found.items]]
        normed = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return float((normed @ normed.T).mean())

    assert alike(spread) < alike(plain)
    assert plain.diversity_cost == 0
    assert 0 < spread.diversity_cost < 1


def test_novelty_leads_away_from_what_everybody_likes(recommender: Recommender) -> None:
    likings = recommender.store.items.likings
    plain = recommender.recommend(Wish(user="visitor-003", k=10))
    novel = recommender.recommend(Wish(user="visitor-003", k=10, novelty=1.0))
    assert sum(likings[item.row] for item in novel.items) < sum(likings[item.row] for item in plain.items)


def test_new_item_is_found_at_once_and_can_stand_in_a_history(shop_bundle: Path) -> None:
    recommender = Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1)
    recommender.store.put([("teapot-new", TEAPOT), ("nothing-at-all", {})])
    found = recommender.recommend(Wish(interests="teapot", k=12))
    assert "teapot-new" in ids(found)
    assert next(item for item in found.items if item.item_id == "teapot-new").is_new
    assert len(recommender.recommend(Wish(history=(Seen("teapot-new"),), k=5)).items) == 5
    assert len(recommender.recommend(Wish(history=(Seen("nothing-at-all"),), k=5)).items) == 5


def test_new_item_gets_the_place_that_is_kept_for_it_where_its_texts_speak_for_it(shop_bundle: Path) -> None:
    recommender = Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1)
    tea, lights = ((Seen("teapot-glass"), Seen("green_tea-organic")), (Seen("tent-light"), Seen("camp_stove-trail")))
    before = {liked: ids(recommender.recommend(Wish(history=liked, k=10))) for liked in (tea, lights)}
    recommender.store.put([("teapot-new", TEAPOT)])
    found = ids(recommender.recommend(Wish(history=tea, k=10)))
    assert "teapot-new" in found[: ListConfig().new_item_place]
    assert [item for item in found if item != "teapot-new"] == before[tea][:9]
    assert ids(recommender.recommend(Wish(history=lights, k=10))) == before[lights]


def test_other_facts_of_items_count_at_once(shop_bundle: Path) -> None:
    recommender = Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1)
    wish = Wish(user="visitor-003", k=5, filters=Filters(in_stock_only=True))
    first, second = ids(recommender.recommend(wish))[:2]
    recommender.store.put([(first, {"in_stock": False}), ("nothing-at-all", {})])
    assert ids(recommender.recommend(wish))[0] == second
    alike = Wish(item="nothing-at-all", k=5)
    blank = ids(recommender.recommend(alike))
    recommender.store.put([("nothing-at-all", TEAPOT), (first, {"in_stock": True})])
    assert ids(recommender.recommend(wish))[0] == first
    assert ids(recommender.recommend(alike)) != blank


def test_histories_of_any_length_are_served(recommender: Recommender) -> None:
    catalogue = recommender.store.items.catalogue
    for length in (1, 2, 10_000):
        history = tuple(Seen(catalogue.ids[place % 40], "click", place) for place in range(length))
        found = recommender.recommend(Wish(history=history, k=5))
        assert len(found.items) == 5
        assert not {event.item_id for event in history} & set(ids(found))


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish(user="nobody"), "no user"),
        (Wish(history=(Seen("no-such-item"),)), "no item"),
        (Wish(item="no-such-item"), "no item"),
        (Wish(history=(Seen("teapot-glass", "licked"),)), "kind of event"),
        (Wish(k=0), "list of 0"),
    ],
)
def test_what_is_not_known_is_refused_clearly(wish: Wish, told: str, recommender: Recommender) -> None:
    with pytest.raises(UserError, match=told):
        recommender.recommend(wish)


def test_lists_are_served_while_items_are_added(shop_bundle: Path) -> None:
    recommender = Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(20):
                assert len(recommender.recommend(Wish(user="visitor-003", k=10)).items) == 10
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(10):
        recommender.store.put([(f"new-{number}", {"title": f"Lamp {number}"})])
    for thread in threads:
        thread.join()
    assert not errors
    assert len(recommender.store.items.catalogue) == 458


def test_index_of_other_items_is_refused(shop_bundle: Path, tmp_path: Path) -> None:
    predictor = load_predictor(shop_bundle, SPEC, threads=1)
    folder = tmp_path / "bundle"
    shutil.copytree(predictor.bundle.path, folder)
    shutil.rmtree(folder / ASSETS / INDEX)
    others = np.random.default_rng(0).standard_normal(Recommender(predictor).store.items.targets.shape)
    write_index(folder / ASSETS, others.astype(np.float32), others[:0])
    # The checksums of the bundle would tell first; the index is looked at all the same.
    predictor.bundle = type(predictor.bundle)(folder, predictor.bundle.manifest)
    with pytest.raises(UserError, match="not of the items"):
        Recommender(predictor)


def test_questions_of_the_command_line_are_read(shop_bundle: Path) -> None:
    assert read_wish("interests=rock & roll&k=3") == Wish(interests="rock & roll", k=3)
    assert read_wish("history=a, b,&k=2").history == (Seen("a"), Seen("b"))
    for wrong in ("colour=red", "tea", "k=many&user=x"):
        with pytest.raises(UsageError):
            read_wish(wrong)
    answer = build_recommender_answers(load_predictor(shop_bundle, SPEC, threads=1))("item=teapot-glass&k=2")
    assert answer["start"] == "item"
    assert [item["rank"] for item in answer["items"]] == [1, 2]
    assert all(item["title"] for item in answer["items"])


def test_what_was_measured_of_new_items_is_told_in_both_languages(shop_bundle: Path) -> None:
    predictor = load_predictor(shop_bundle, SPEC, threads=1)
    rows = read_table(read_evaluation(predictor, "new items"), "new_items")
    assert len(rows) == 7
    shown = render_model(predictor)
    for row in rows:
        assert MODELS[row["ranked"]].en in shown
        assert MODELS[row["ranked"]].zh in shown
        assert MODELS[row["ranked"]].zh != row["ranked"]
    of = {row["ranked"]: row["ndcg@10"]["value"] for row in rows}
    assert of["among all items, with a place for one"] > of["among all items, by text alone"]
    assert of["other items, in lists with it"] <= of["other items, in lists without that place"]
