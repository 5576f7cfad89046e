"""The tab with the list: for whom, how it is to be, and cards that answer to every click."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from apps.recommender.ui.grid import render_grid
from apps.recommender.ui.lists import Lists, is_deed
from apps.recommender.ui.tune_panel import read_tune, render_tune
from apps.recommender.ui.visit import Deed, Visit
from apps.recommender.ui.who_panel import MAX_QUERY, render_who
from apps.recommender.wish import MAX_INTERESTS, Filters
from core.ui import forms
from core.ui.actions import ACTIONS, AT_ONCE, CLICK
from core.ui.frame import show_html

GRID = Path(__file__).with_name("grid.js").read_text(encoding="utf-8")
FOLD = "if (innerWidth < 900) element.querySelector('details').open = false;"
"""On a narrow page the settings are folded, so that the list is in sight."""
Outputs = tuple[Any, ...]


@dataclass(frozen=True)
class ShopTab:
    """What the events of the tab do; each gives the panels, the list and the visit.

    Args:
        lists: Makes the lists.
    """

    lists: Lists

    def load(self) -> Outputs:
        """The page as it is first seen."""
        return self._all(first_visit(self.lists))

    def look(self, visit: Visit, changes: int, known_changes: int) -> Outputs:
        """The tab is opened again: the list is made anew if rules were changed meanwhile. Gives the changes too."""
        if changes == known_changes:
            return (gr.skip(),) * 5
        return (*self._all(visit, is_retuned=False, is_same_person=True), changes)

    def choose(self, visit: Visit, event: gr.EventData) -> Outputs:
        """For whom; or what is being searched for among users or items."""
        wish = forms.typed(event, "act")
        if wish in ("seek", "first"):
            visit = replace(visit, query=forms.typed(event, "query")[:MAX_QUERY])
        if wish == "seek":
            return render_who(visit, self.lists), gr.skip(), gr.skip(), visit
        return self._all(self._chosen(visit, wish, event), is_retuned=False)

    def tune(self, visit: Visit, event: gr.EventData) -> Outputs:
        """A slider or a filter was moved."""
        if forms.typed(event, "act") == "reset":
            fresh = replace(visit, filters=Filters(), diversity=0.0, novelty=0.0, form=visit.form + 1)
            return self._all(fresh)
        return self._all(read_tune(visit, self.lists.shelf, event), is_retuned=False, is_same_person=True)

    def act(self, visit: Visit, event: gr.EventData) -> Outputs:
        """A click on a card, or on something that was done before."""
        wish, item_id = forms.typed(event, "act"), forms.typed(event, "item")
        is_known = self.lists.shelf.catalogue.row_of(item_id) is not None
        if is_deed(wish) and is_known:
            visit = visit.did(Deed(item_id, wish, int(time.time())))
        elif wish == "undo":
            visit = visit.undid(item_id)
        elif wish == "over":
            visit = replace(visit, deeds=())
        elif wish == "alike" and is_known:
            return self._all(visit.turned_to("item", item_id=item_id), is_retuned=False)
        return self._all(visit, is_retuned=False, is_same_person=True)

    def _chosen(self, visit: Visit, wish: str, event: gr.EventData) -> Visit:
        if wish == "mode":
            mode = forms.typed(event, "mode")
            if mode == "item":
                return visit.turned_to("item", item_id=next(iter(visit.shown), ""))
            first = first_visit(self.lists)
            return visit.turned_to(first.mode, user=first.user) if mode == "user" else visit.turned_to("new")
        if wish == "interests":
            return replace(visit, interests=forms.typed(event, "interests")[:MAX_INTERESTS])
        user, item_id = forms.typed(event, "user"), forms.typed(event, "item")
        if wish == "first":
            user = next(iter(self.lists.find_users(visit.query)), "") if visit.mode == "user" else ""
            rows = self.lists.find_items(visit.query) if visit.mode == "item" else ()
            item_id = self.lists.shelf.catalogue.ids[rows[0]] if rows else ""
        if user in self.lists.recommender.histories:
            return replace(visit.turned_to("user", user=user), query=visit.query, form=visit.form)
        if self.lists.shelf.catalogue.row_of(item_id) is not None:
            return replace(visit.turned_to("item", item_id=item_id), query=visit.query, form=visit.form)
        return visit

    def _all(self, visit: Visit, *, is_retuned: bool = True, is_same_person: bool = False) -> Outputs:
        """Panels, list, visit; changes are told where the list is for the same person as before."""
        shown = self.lists.make(visit if is_same_person else replace(visit, shown=()))
        who = gr.skip() if is_same_person else render_who(shown.visit, self.lists)
        tune = render_tune(shown.visit, self.lists.shelf) if is_retuned else gr.skip()
        return who, tune, render_grid(shown, self.lists), shown.visit


def first_visit(lists: Lists) -> Visit:
    """What a page begins with: a known user, if there is one."""
    users = lists.example_users
    return Visit(mode="user", user=users[0]) if users else Visit(mode="new")


def build_shop_tab(lists: Lists, visit: gr.State, page: gr.Blocks, tab: gr.Tab, changes: gr.State) -> None:
    """Components and events of the tab.

    Args:
        lists: Makes the lists.
        visit: Of this browser tab.
        page: Shows the first list when it is loaded.
        tab: That it stands in.
        changes: How often rules were changed.
    """
    events, known_changes = ShopTab(lists), gr.State(0)
    with gr.Row(equal_height=False, elem_classes=["shop"]):
        with gr.Column(min_width=0):
            who = show_html(js_on_load=ACTIONS, elem_id="who")
            tune = show_html(render_tune(first_visit(lists), lists.shelf), js_on_load=ACTIONS + FOLD, elem_id="tune")
        grid = show_html(js_on_load=ACTIONS + GRID, elem_id="grid")
    outputs = [who, tune, grid, visit]
    page.load(events.load, None, outputs, **AT_ONCE)
    who.click(events.choose, visit, outputs, **CLICK)
    tune.click(events.tune, visit, outputs, **CLICK)
    grid.click(events.act, visit, outputs, **CLICK)
    tab.select(events.look, [visit, changes, known_changes], [*outputs, known_changes], **AT_ONCE)
