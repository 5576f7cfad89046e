"""The tab with two lists for the same visit side by side: this model's, and another run's or what most people like."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from apps.recommender.app import SPEC
from apps.recommender.shop import Now
from apps.recommender.ui import words
from apps.recommender.ui.item_words import category_name
from apps.recommender.ui.lists import Lists
from apps.recommender.ui.model_tab import POPULARITY, read_comparison
from apps.recommender.ui.rivals import Run, as_known_to, find_runs, open_run, popular_list
from apps.recommender.ui.rows import ranked_row
from apps.recommender.ui.shelf import Shelf, shelf_of
from apps.recommender.ui.visit import Visit
from apps.recommender.wish import Ranked
from core.errors import UserError
from core.serving.predictor import Predictor
from core.texts import Text
from core.ui import forms
from core.ui.actions import ACTIONS, AT_ONCE, CLICK
from core.ui.evaluation_view import read_evaluation
from core.ui.frame import show_html
from core.ui.inert import plain
from core.ui.translations import inline
from core.ui.widgets import split_figure

POPULAR = "popular"
LENGTH = 10
THIS = Text("This model", "本模型")
WHAT_IS_LIKED = Text("What most people like", "热门商品")
AGAINST = Text("Compare with", "对比对象")
FOR_USER = Text("The same list for user {who}, made by two models.", "同一位用户 {who}，两个模型的列表。")
FOR_VISITOR = Text(
    "The same list for this visitor, made by two models; the visit is the one of the first tab.",
    "同一位访客，两个模型的列表；访问内容取自第一个标签页。",
)
IN_BOTH = Text("{n} of {k} in both lists", "两个列表共有 {n} / {k} 件")
BOTH = Text("in both", "共有")
PLACE = Text("place {n} there", "对方第 {n}")
NDCG = Text("nDCG@10 on its test users: {figure}", "测试用户上的 nDCG@10：{figure}")
NOT_MEASURED = Text("not measured", "未测量")
NO_RUNS = Text(
    "Another run in the same folder as this one could be chosen here.", "与本次训练同一目录下的其他训练也可在此选择。"
)


@dataclass(frozen=True)
class CompareTab:
    """What the events of the tab do.

    Args:
        lists: Of this model.
        predictor: Of this model.
    """

    lists: Lists
    predictor: Predictor

    def choose(self, visit: Visit, event: gr.EventData) -> tuple[Any, ...]:
        """Another rival was chosen."""
        return self.shown(visit, forms.typed(event, "rival"))

    def shown(self, visit: Visit, rival: str) -> tuple[Any, ...]:
        """Both lists, and the rival."""
        runs = find_runs(self.predictor.bundle.path, SPEC.name)
        run = next((run for run in runs if run.name == rival), None)
        names = {POPULAR: WHAT_IS_LIKED} | {one.name: Text(*[plain(one.name, 60)] * 2) for one in runs}
        now = self.lists.now(visit, LENGTH)
        try:
            ours = self.lists.recommender.recommend(now.wish, now.rules).items
            theirs, shelf, figure = self._rival(now, run)
        except UserError as error:
            body = forms.refused(error)
        else:
            body = self._both(ours, theirs, shelf, names[run.name if run else POPULAR], figure)
        about = words.filled(FOR_USER, who=plain(visit.user, 60)) if visit.mode == "user" else FOR_VISITOR
        head = f'<p class="quiet">{inline(about)}</p>{_choices(names, run.name if run else POPULAR)}'
        none = "" if runs else f'<p class="fine">{inline(NO_RUNS)}</p>'
        return f'<div class="entries">{head}{none}{body}</div>', run.name if run else POPULAR

    def _rival(self, now: Now, run: Run | None) -> tuple[Sequence[Ranked], Shelf, Text]:
        if run is None:
            return (
                popular_list(self.lists.recommender, now.wish, now.rules).items,
                self.lists.shelf,
                _popular_figure(self.predictor),
            )
        other, predictor = open_run(run)
        wish = as_known_to(other, now.wish)
        return other.recommend(wish, now.rules).items, shelf_of(other.store.items.catalogue), _figure(predictor)

    def _both(self, ours: Sequence[Ranked], theirs: Sequence[Ranked], shelf: Shelf, name: Text, figure: Text) -> str:
        our_places = {item.item_id: item.rank for item in ours}
        their_places = {item.item_id: item.rank for item in theirs}
        shared = len(our_places.keys() & their_places.keys())
        count = words.filled(IN_BOTH, n=shared, k=max(len(ours), len(theirs)))
        left = _column(THIS, _figure(self.predictor), ours, self.lists.shelf, their_places)
        right = _column(name, figure, theirs, shelf, our_places)
        return f'<p class="count">{inline(count)}</p><div class="pair-of-lists">{left}{right}</div>'


def build_compare_tab(lists: Lists, predictor: Predictor, visit: gr.State, tab: gr.Tab) -> None:
    """Components and events of the tab.

    Args:
        lists: Of this model.
        predictor: Of this model.
        visit: Of this browser tab.
        tab: That it stands in; both lists are made anew when it is opened.
    """
    events, rival = CompareTab(lists, predictor), gr.State(POPULAR)
    shown = show_html(js_on_load=ACTIONS, elem_id="compare")
    shown.click(events.choose, visit, [shown, rival], **CLICK)
    tab.select(events.shown, [visit, rival], [shown, rival], **AT_ONCE)


def _choices(names: dict[str, Text], chosen: str) -> str:
    buttons = "".join(
        f'<button type="button" class="small {"" if name == chosen else "quietly"}" data-act="rival" '
        f'data-rival="{escape(name)}" aria-pressed="{str(name == chosen).lower()}">{inline(shown)}</button>'
        for name, shown in names.items()
    )
    return f'<div class="buttons" role="group"><span class="fine">{inline(AGAINST)}</span>{buttons}</div>'


def _column(name: Text, figure: Text, items: Sequence[Ranked], shelf: Shelf, others: dict[str, int]) -> str:
    rows = "".join(_row(item, shelf, others.get(item.item_id)) for item in items)
    return (
        f'<section class="card"><h2 dir="auto">{inline(name)}</h2><p class="fine">{inline(figure)}</p>'
        f'<ol class="ranked">{rows}</ol></section>'
    )


def _row(item: Ranked, shelf: Shelf, other: int | None) -> str:
    place = forms.tag(words.filled(PLACE, n=other), "good") if other else ""
    return ranked_row(item, shelf, category_name(shelf.catalogue, item.row), place, is_marked=bool(other))


def _figure(predictor: Predictor) -> Text:
    """How good a model was measured to be."""
    return _as_words(read_evaluation(predictor).get("metrics", {}).get("ndcg@10"))


def _popular_figure(predictor: Predictor) -> Text:
    """The same of what most people like, if it was measured beside this model."""
    rows = read_comparison(predictor)
    return _as_words(next((row["ndcg@10"] for row in rows if row["model"] == POPULARITY), None))


def _as_words(figure: Any) -> Text:
    if not figure or figure.get("value") is None:
        return words.filled(NDCG, figure=NOT_MEASURED)
    value, spread = split_figure(figure, 3)
    return words.filled(NDCG, figure=f"{value} ({spread})" if spread else value)
