"""The tab with the shop's rules: what one would change is shown before it is set, and every change is kept."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from apps.recommender.ui import rules_words
from apps.recommender.ui.lists import Lists
from apps.recommender.ui.rules_view import EACH, render_about, render_changes, render_column, render_in_force
from apps.recommender.ui.visit import Visit
from apps.recommender.ui.who_panel import MAX_QUERY
from core.errors import UserError
from core.serving.audit import MAX_WORDS
from core.serving.rules import LIMITS, RULE_KINDS, Rule, RuleKind
from core.texts import Text
from core.ui import forms
from core.ui.actions import ACTIONS, AT_ONCE, CLICK
from core.ui.frame import show_html
from core.ui.translations import inline

MAX_AUDIT = 50
Outputs = tuple[Any, ...]


@dataclass(frozen=True)
class Draft:
    """A rule that is being thought of.

    Args:
        kind: What is to happen.
        item_id: What it is about; or
        category: All items of one category, or `EACH` for a cap of each.
        value: As typed.
        query: What is searched for.
        who: Makes the change.
        why: In their own words.
        num_changes: How often rules were changed in this browser tab.
    """

    kind: RuleKind = "pin"
    item_id: str = ""
    category: str = ""
    value: str = "1"
    query: str = ""
    who: str = ""
    why: str = ""
    num_changes: int = 0

    def rule(self) -> Rule | None:
        """The rule; None = it is not said yet what it is about.

        Raises:
            UserError: It is unclear, or its number is out of bounds.
        """
        category = "" if self.category == EACH else self.category
        if not self.item_id and not self.category:
            return None
        if self.kind not in LIMITS:
            return Rule(self.kind, self.item_id, category)
        try:
            value = float(self.value.replace(",", "."))
        except ValueError:
            raise UserError(rules_words.NO_NUMBER.en) from None
        return Rule(self.kind, self.item_id, category, value)


@dataclass(frozen=True)
class RulesTab:
    """What the events of the tab do; see `_shown` for what each gives.

    Args:
        lists: Makes the lists of the preview.
    """

    lists: Lists

    def look(self, visit: Visit, draft: Draft) -> Outputs:
        """The tab is opened."""
        return self._shown(visit, draft)

    def write(self, visit: Visit, draft: Draft, event: gr.EventData) -> Outputs:
        """Something was typed, or the rule is to be set."""
        kind = forms.typed(event, "kind")
        draft = replace(
            draft,
            kind=kind if kind in RULE_KINDS else draft.kind,
            value=forms.typed(event, "value")[:20],
            query=forms.typed(event, "query")[:MAX_QUERY],
            who=forms.typed(event, "who")[:MAX_WORDS],
            why=forms.typed(event, "why")[:MAX_WORDS],
        )
        if forms.typed(event, "act") != "set":
            return self._shown(visit, draft)
        try:
            rule = draft.rule()
            if rule is None:
                return self._shown(visit, draft, forms.told("warn", rules_words.CHOOSE))
            if missing := _missing(draft):
                return self._shown(visit, draft, forms.told("warn", missing))
            self.lists.shop.set_rule(rule, draft.who, draft.why)
        except UserError as error:
            return self._shown(visit, draft, forms.refused(error))
        draft = replace(draft, item_id="", category="", num_changes=draft.num_changes + 1)
        return self._shown(visit, draft, forms.told("good", rules_words.IS_SET))

    def choose(self, visit: Visit, draft: Draft, event: gr.EventData) -> Outputs:
        """What the rule is about was chosen, or one in force is taken back."""
        wish, number = forms.typed(event, "act"), forms.typed(event, "rule")
        if wish == "item":
            draft = replace(draft, item_id=forms.typed(event, "item"), category="")
        elif wish == "category":
            places = list(self.lists.shelf.catalogue.category_codes[0])
            place = forms.typed(event, "place")
            chosen = EACH if place == "each" else places[int(place)] if place.isdecimal() else ""
            draft = replace(draft, item_id="", category=chosen)
        elif wish == "back" and number.isdecimal():
            if missing := _missing(draft):
                return self._shown(visit, draft, forms.told("warn", missing))
            try:
                self.lists.shop.take_back_rule(int(number), draft.who, draft.why)
            except UserError as error:
                return self._shown(visit, draft, forms.refused(error))
            draft = replace(draft, num_changes=draft.num_changes + 1)
            return self._shown(visit, draft, forms.told("good", rules_words.IS_BACK))
        return self._shown(visit, draft)

    def _shown(self, visit: Visit, draft: Draft, notice: str = "") -> Outputs:
        """The panel, what is being thought of, and how often rules were changed."""
        return self._panel(visit, draft, notice), draft, draft.num_changes

    def _panel(self, visit: Visit, draft: Draft, notice: str) -> str:
        try:
            in_force, audit = self.lists.shop.rules_and_changes(MAX_AUDIT)
        except UserError as error:
            return f'<div class="entries">{forms.refused(error)}</div>'
        shelf = self.lists.shelf
        about = render_about(draft.kind, draft.item_id, draft.category, draft.query, self.lists)
        return (
            f'<div class="entries"><div role="status">{notice}</div>{about}{self._preview(visit, draft)}'
            f"{render_in_force(in_force, shelf)}{render_changes(audit, shelf)}</div>"
        )

    def _preview(self, visit: Visit, draft: Draft) -> str:
        try:
            rule = draft.rule()
            if rule is None:
                return ""
            before, after = self.lists.trial(visit, rule)
        except UserError as error:
            return forms.refused(error)
        places = ({item.item_id: item.rank for item in found.items} for found in (before, after))
        before_places, after_places = places
        same = "" if before_places != after_places else f'<p class="fine">{inline(rules_words.SAME)}</p>'
        shelf = self.lists.shelf
        return (
            f'<section class="card preview"><h2>{inline(rules_words.PREVIEW)}</h2>{same}<div class="pair-of-lists">'
            f"{render_column(rules_words.NOW, before.items, after_places, rules_words.LEAVES, shelf)}"
            f"{render_column(rules_words.THEN, after.items, before_places, rules_words.COMES, shelf)}</div></section>"
        )


def _missing(draft: Draft) -> Text | None:
    """What must be filled in before anything is changed; None = nothing."""
    return None if draft.who and draft.why else rules_words.NO_WHO


def build_rules_tab(lists: Lists, visit: gr.State, tab: gr.Tab, changes: gr.State) -> None:
    """Components and events of the tab.

    Args:
        lists: Makes the lists of the preview.
        visit: Of this browser tab.
        tab: That it stands in.
        changes: How often rules were changed, for other tabs.
    """
    events, draft = RulesTab(lists), gr.State(Draft())
    with gr.Row(equal_height=False, elem_classes=["shop"]):
        with gr.Column(min_width=0):
            form = show_html(_form(), js_on_load=ACTIONS, elem_id="rule")
        panel = show_html(js_on_load=ACTIONS, elem_id="rules")
    outputs = [panel, draft, changes]
    tab.select(events.look, [visit, draft], outputs, **AT_ONCE)
    form.click(events.write, [visit, draft], outputs, **CLICK)
    panel.click(events.choose, [visit, draft], outputs, **CLICK)


def _form() -> str:
    fresh = Draft()
    kinds = forms.choice("kind", rules_words.KIND, list(rules_words.KINDS.items()), fresh.kind)
    meanings = "".join(
        f'<p class="fine meaning {kind}">{inline(text)}</p>' for kind, text in rules_words.MEANINGS.items()
    )
    return (
        f'<div class="entries"><section class="card"><h2>{inline(rules_words.NEW_RULE)}</h2>'
        f'<form class="enter rule" data-live="draft" data-key="rule">{kinds}{meanings}'
        f'<div class="number">{forms.field("value", rules_words.VALUES, fresh.value, limit=20)}</div>'
        f"{forms.field('query', rules_words.ABOUT, limit=MAX_QUERY)}"
        f"{forms.field('who', rules_words.WHO, limit=MAX_WORDS)}{forms.field('why', rules_words.WHY, limit=MAX_WORDS)}"
        f'<p class="fine">{inline(rules_words.KEPT)}</p>'
        f"{forms.buttons(forms.button('set', rules_words.SET, is_default=True))}</form></section></div>"
    )
