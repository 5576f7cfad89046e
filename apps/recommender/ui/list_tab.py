"""The tab with the list: whom for, what may stand in it, and a grid that answers to every click."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from apps.recommender.recommender import Recommender
from apps.recommender.ui.cards import render_events, render_list, title_of
from apps.recommender.wish import Filters, Seen, Wish
from core.errors import UserError
from core.texts import Text
from core.ui.actions import ACTIONS, AT_ONCE, CLICK
from core.ui.forms import refused, typed
from core.ui.frame import show_html
from core.ui.translations import label

WHO = Text("A known visitor", "已知访客")
INTERESTS = Text("Or interests, in words", "或用文字描述兴趣")
ITEM = Text("Or start from an item", "或从一件商品出发")
CATEGORIES = Text("Only these categories", "仅限以下类别")
LEAST, MOST = Text("Price from", "最低价格"), Text("Price to", "最高价格")
IN_STOCK = Text("In stock only", "仅看有货")
DIVERSITY, NOVELTY = Text("Diversity", "多样性"), Text("Novelty", "新颖度")
FORGET = Text("Start anew", "重新开始")
OFFERED = 2000
"""Visitors and items that the two lists offer, at most; ids can be typed all the same."""
SHOWN = 12


@dataclass(frozen=True)
class Visit:
    """What one browser tab has done so far.

    Args:
        events: Items that were liked here, oldest first.
        dismissed: Ids of items that were sent away.
        shown: Ids of the list in sight.
    """

    events: tuple[Seen, ...] = ()
    dismissed: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListTab:
    """What the events of the tab do; each gives the grid, the events and the visit.

    Args:
        recommender: Makes the lists.
    """

    recommender: Recommender

    def changed(self, visit: Visit, *values: Any) -> tuple[Any, ...]:
        """A control was changed."""
        return self._shown(visit, self._wish(visit, *values))

    def act(
        self,
        visit: Visit,
        user: str | None,
        interests: str | None,
        item: str | None,
        categories: list[str] | None,
        least: float | None,
        most: float | None,
        in_stock: bool,
        diversity: float,
        novelty: float,
        event: gr.EventData,
    ) -> tuple[Any, ...]:
        """A card's button: liked, sent away, or to start from."""
        wanted, item_id = typed(event, "act"), typed(event, "item")
        if wanted == "like":
            visit = replace(visit, events=(*visit.events, Seen(item_id)))
        elif wanted == "dismiss":
            visit = replace(visit, dismissed=(*visit.dismissed, item_id))
        elif wanted == "more":
            item = item_id
        wish = self._wish(visit, user, interests, item, categories, least, most, in_stock, diversity, novelty)
        return (*self._shown(visit, wish), item)

    def forget(self) -> tuple[Any, ...]:
        """A visit without events and choices."""
        visit = Visit()
        grid, events, visit = self._shown(visit, Wish(k=SHOWN))
        return grid, events, visit, None, "", None, [], None, None, False, 0, 0

    def _wish(
        self,
        visit: Visit,
        user: str | None,
        interests: str | None,
        item: str | None,
        categories: list[str] | None,
        least: float | None,
        most: float | None,
        in_stock: bool,
        diversity: float,
        novelty: float,
    ) -> Wish:
        return Wish(
            user=user or "",
            history=visit.events,
            interests=interests or "",
            item=item or "",
            without=visit.dismissed,
            k=SHOWN,
            # An empty field is told as 0.
            filters=Filters(tuple(categories or ()), least or None, most or None, bool(in_stock)),
            diversity=diversity,
            novelty=novelty,
        )

    def _shown(self, visit: Visit, wish: Wish) -> tuple[Any, ...]:
        catalogue = self.recommender.store.items.catalogue
        try:
            found = self.recommender.recommend(wish)
        except UserError as error:
            return refused(error), gr.skip(), visit
        grid = f'<div class="entries">{render_list(found, catalogue, visit.shown)}</div>'
        known = self.recommender.histories.get(wish.user, ())
        events = f'<div class="entries">{render_events((*known, *visit.events), catalogue)}</div>'
        return grid, events, replace(visit, shown=tuple(item.item_id for item in found.items))


def build_list_tab(recommender: Recommender, page: gr.Blocks) -> None:
    """Components and events of the tab."""
    tab, visit = ListTab(recommender), gr.State(Visit())
    catalogue = recommender.store.items.catalogue
    items = [
        (f"{title_of(catalogue, row, 'en')} ({catalogue.ids[row]})", catalogue.ids[row])
        for row in range(min(OFFERED, len(catalogue)))
    ]
    with gr.Row(equal_height=False, elem_classes=["shop"]):
        with gr.Column(scale=1, min_width=260, elem_id="panel-wish"):
            user = gr.Dropdown(
                list(recommender.histories)[:OFFERED], value=None, label=label(WHO), allow_custom_value=True
            )
            interests = gr.Textbox(label=label(INTERESTS), max_length=500)
            item = gr.Dropdown(items, value=None, label=label(ITEM), allow_custom_value=True)
            categories = gr.Dropdown(_categories(recommender), multiselect=True, label=label(CATEGORIES))
            with gr.Row():
                least, most = (
                    gr.Number(None, label=label(LEAST), minimum=0),
                    gr.Number(None, label=label(MOST), minimum=0),
                )
            in_stock = gr.Checkbox(False, label=label(IN_STOCK))
            diversity = gr.Slider(0, 1, 0, step=0.05, label=label(DIVERSITY))
            novelty = gr.Slider(0, 1, 0, step=0.05, label=label(NOVELTY))
            forget = gr.Button(label(FORGET))
            events = show_html(elem_id="events")
        with gr.Column(scale=4, min_width=320):
            grid = show_html(js_on_load=ACTIONS, elem_id="grid")
    controls = [user, interests, item, categories, least, most, in_stock, diversity, novelty]
    outputs = [grid, events, visit]
    page.load(tab.changed, [visit, *controls], outputs, **AT_ONCE)
    triggers = [
        interests.submit,
        interests.blur,
        *(control.input for control in (user, item, categories, least, most, in_stock, diversity, novelty)),
    ]
    gr.on(triggers, tab.changed, [visit, *controls], outputs, **{**AT_ONCE, "trigger_mode": "always_last"})
    grid.click(tab.act, [visit, *controls], [*outputs, item], **CLICK)
    forget.click(tab.forget, None, [*outputs, *controls], **CLICK)


def _categories(recommender: Recommender) -> list[tuple[str, str]]:
    catalogue = recommender.store.items.catalogue
    chinese = catalogue.more.get("category_zh", ("",) * len(catalogue))
    names = dict(zip(catalogue.categories, chinese, strict=True))
    return [(f"{name} {names[name]}".strip(), name) for name in sorted(names) if name]
