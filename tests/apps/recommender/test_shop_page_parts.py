"""The parts of the page as HTML, without a browser: everything escaped, both languages, what was done and undone."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.recommender.histories import Histories, write_histories
from apps.recommender.shop import Shop
from apps.recommender.ui.grid import render_grid
from apps.recommender.ui.history_tab import render_history
from apps.recommender.ui.icons import DRAWINGS, DRAWN, category_icon
from apps.recommender.ui.item_words import description_of, highlight, price_words, title_of, words_for
from apps.recommender.ui.lists import Lists
from apps.recommender.ui.shelf import shelf_of
from apps.recommender.ui.tune_panel import read_tune, render_tune
from apps.recommender.ui.visit import Deed, Visit
from apps.recommender.ui.who_panel import render_who
from apps.recommender.wish import Filters, Ranked, RankedList, Reason, Wish
from core.data.catalogue import Catalogue, make_catalogue
from core.data.event_log import EventLog
from core.errors import UserError
from core.serving.rules import Rule
from core.serving.store import Store

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
IDS = ("a", "b", NASTY, "d", "e")


def nasty_items() -> Catalogue:
    return make_catalogue(
        {
            "item_id": IDS,
            "title": [NASTY, "Teapot", NASTY, "", "Cup"],
            "description": [NASTY] * 5,
            "tags": [f"{NASTY}|tea"] * 5,
            "category": [NASTY, "tea & coffee", NASTY, "", "tea & coffee"],
            "price": [1.0, 2.5, np.nan, 1234.5, 4.0],
            "in_stock": [True, True, False, True, True],
        },
        {"title_zh": [NASTY, "茶壶", NASTY, "", "杯子"], "category_zh": [NASTY, "茶与咖啡", NASTY, "", "茶与咖啡"]},
    )


def histories_of(kinds: Sequence[str]) -> Histories:
    """Of one who touched the first item in each way, and of zoe, who touched the second in the first of these."""
    size = len(kinds) + 1
    log = EventLog(
        users=(NASTY, "zoe"),
        kinds=tuple(kinds),
        user_E=np.array([0] * len(kinds) + [1], np.int32),
        row_E=np.array([0] * len(kinds) + [1], np.int32),
        time_E=np.full(size, 1_700_000_000),
        kind_E=np.array([*range(len(kinds)), 0], np.int8),
        weight_E=np.ones(size, np.float32),
    )
    with TemporaryDirectory() as folder:
        write_histories(log, IDS, Path(folder) / "histories.parquet")
        return Histories(Path(folder) / "histories.parquet")


class FixedRecommender:
    """Gives the items in their order, without what was seen or sent away; notes what it was asked."""

    def __init__(self, kinds: Sequence[str] = ("click", "rating")) -> None:
        items = SimpleNamespace(catalogue=nasty_items(), likings=np.array([5, 4, 3, 2, 1]))
        self.store = SimpleNamespace(items=items)
        self.histories = histories_of(kinds)
        self.task = SimpleNamespace(schema=SimpleNamespace(max_history=50, kinds=(*kinds, "dismiss")))
        self.asked: list[Wish] = []
        self.trained = "2026-01-01T00:00:00+00:00"

    def recommend(self, wish: Wish, rules: Sequence[Rule] = ()) -> RankedList:
        del rules
        self.asked.append(wish)
        gone = {*wish.without, *(seen.item_id for seen in wish.history)}
        kept = [row for row, item_id in enumerate(IDS) if item_id not in gone][: wish.k]
        reasons = (Reason("because", "a", (NASTY, "tea")), Reason("words", "", ("茶", "tea")), Reason("popular"))
        ranked = [Ranked(IDS[row], row, n, 0.5, reasons[n % 3], row == 4) for n, row in enumerate(kept, 1)]
        return RankedList(tuple(ranked), "known" if wish.user else "events" if wish.history else "nothing", 0.0321)


def make_lists(**settings: Any) -> tuple[Lists, FixedRecommender]:
    recommender = FixedRecommender(**settings)
    return Lists(Shop(cast(Any, recommender), Store("sqlite://"))), recommender


def told(**data: str) -> gr.EventData:
    return gr.EventData(None, data)


def test_no_part_of_the_page_is_markup_of_the_data() -> None:
    lists, _ = make_lists()
    visit = Visit("user", user=NASTY, query="", interests=NASTY).did(Deed("a", "view", 0)).did(Deed("b", "like", 0))
    shown = lists.make(visit)
    nobody = lists.make(Visit("new", interests=NASTY))
    for html in (
        render_grid(shown, lists),
        render_grid(nobody, lists),
        render_history(visit, lists),
        render_tune(visit, lists.shelf),
        *(render_who(Visit(mode, user=NASTY, interests=NASTY), lists) for mode in ("user", "new", "item")),
    ):
        assert "<script" not in html
        assert "<img" not in html
        assert "onerror=alert(2)&gt;" in html or "onerror" not in html


def test_titles_are_in_the_language_of_the_page_and_fall_back() -> None:
    items = nasty_items()
    assert title_of(items, 1) == ("Teapot", "茶壶")
    assert title_of(items, 3) == ("d", "d")
    assert description_of(make_catalogue({"item_id": ["a"], "tags": ["Drama|Noir"]}), 0) == ("Drama · Noir",) * 2
    assert [price_words(price) for price in items.prices] == ["1.00", "2.50", "", "1,234.50", "4.00"]


def test_words_are_marked_whole_and_without_markup() -> None:
    assert highlight("Tea for a steady hand", ["tea"]) == "<mark>Tea</mark> for a steady hand"
    assert highlight("一把茶壶", ["茶"]) == "一把<mark>茶</mark>壶"
    assert highlight("a <b> c", ["<b>"]).count("<b>") == 0
    assert words_for(["茶", "tea"], chinese=True) == ["茶"]
    assert words_for(["tea"], chinese=True) == ["tea"]


def test_a_long_text_is_cut_around_the_first_marked_word() -> None:
    shown = highlight(f"{'far ' * 200}needle {'on ' * 200}", ["needle"], 100)
    assert "<mark>needle</mark>" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")


@given(st.text(max_size=80), st.lists(st.text(max_size=8), max_size=4))
def test_highlight_never_lets_markup_through_and_keeps_the_text(text: str, words: list[str]) -> None:
    import html

    shown = highlight(text, words)
    assert html.unescape(shown.replace("<mark>", "").replace("</mark>", "")) == text
    assert "<" not in shown.replace("<mark>", "").replace("</mark>", "")


def test_changes_are_told_for_the_same_person_alone() -> None:
    lists, _ = make_lists()
    first = lists.make(Visit("new"))
    assert first.moves == {}
    second = lists.make(first.visit.did(Deed("a", "like", 0)), k=4)
    assert second.moves == {"b": 1, NASTY: 1, "d": 1, "e": 1}
    third = lists.make(second.visit.undid("a"), k=4)
    assert third.moves == {"a": None, "b": -1, NASTY: -1, "d": -1}
    assert 'class="item fresh"' in render_grid(third, lists)
    assert lists.make(third.visit.turned_to("new")).moves == {}


def test_deeds_become_events_of_kinds_that_the_model_has_met() -> None:
    lists, recommender = make_lists()
    visit = Visit("new").did(Deed("a", "view", 0)).did(Deed("b", "like", 0)).did(Deed("d", "dismiss", 0))
    lists.make(visit)
    wish = recommender.asked[-1]
    assert [(seen.item_id, seen.kind) for seen in wish.history] == [("a", "click"), ("b", "rating"), ("d", "dismiss")]
    assert wish.without == ("d",)
    lists, recommender = make_lists(kinds=("purchase",))
    lists.make(visit)
    assert [(seen.item_id, seen.kind) for seen in recommender.asked[-1].history] == [
        ("a", ""),
        ("b", ""),
        ("d", "dismiss"),
    ]


def test_a_second_deed_to_an_item_takes_the_place_of_the_first() -> None:
    visit = Visit().did(Deed("a", "view", 1)).did(Deed("b", "view", 2)).did(Deed("a", "dismiss", 3))
    assert [(deed.item_id, deed.what) for deed in visit.deeds] == [("b", "view"), ("a", "dismiss")]
    assert visit.turned_to("user", user="zoe").deeds == ()


def test_what_is_refused_is_told_in_the_place_of_the_list() -> None:
    lists, recommender = make_lists()

    def refuse(wish: Wish, rules: Sequence[Rule]) -> RankedList:
        raise UserError(f"There is no user {NASTY}.", "Another.", "Choose one.")

    recommender.recommend = refuse  # type: ignore[method-assign]
    html = render_grid(lists.make(Visit("user", user="gone")), lists)
    assert "There is no user" in html
    assert "<script" not in html


def test_sliders_and_filters_are_read_whatever_is_sent() -> None:
    shelf = shelf_of(nasty_items())
    number = list(shelf.categories).index("tea & coffee")
    event = told(**{f"c{number}": "on", "from": "1,5", "to": "x", "in_stock": "on", "diversity": "7", "novelty": "nan"})
    visit = read_tune(Visit(), shelf, event)
    assert visit.filters == Filters(("tea & coffee",), 1.5, None, True)
    assert (visit.diversity, visit.novelty) == (1.0, 0.0)


def test_what_the_data_lacks_is_not_offered() -> None:
    bare = shelf_of(make_catalogue({"item_id": ["a", "b"], "title": ["A", "B"], "tags": ["Drama|Noir", "Comedy"]}))
    html = render_tune(Visit(), bare)
    for name in ("c0", "from", "in_stock"):
        assert f'name="{name}"' not in html
    assert 'name="diversity"' in html
    assert bare.look(0) != bare.look(1)


def test_users_and_items_are_found_by_part_of_their_names() -> None:
    lists, _ = make_lists()
    assert lists.find_users("ZO") == ["zoe"]
    assert lists.find_users("nobody") == []
    assert [IDS[row] for row in lists.find_items("壶")] == ["b"]
    assert [IDS[row] for row in lists.find_items("cup")] == ["e"]


@pytest.mark.parametrize(("category", "drawing"), [("Tea & coffee", "cup"), ("Sci-Fi", "rocket"), ("zzz", "bag")])
def test_a_category_has_the_drawing_that_its_words_ask_for(category: str, drawing: str) -> None:
    assert DRAWINGS[drawing] in category_icon(category)
    assert {name for _, name in DRAWN} <= set(DRAWINGS)
