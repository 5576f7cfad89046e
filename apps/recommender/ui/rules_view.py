"""The parts of the tab with the rules as escaped HTML: what one can be about, which hold, what was changed."""

from collections.abc import Sequence

from apps.recommender.ui import rules_words, words
from apps.recommender.ui.item_words import title_of
from apps.recommender.ui.lists import Lists
from apps.recommender.ui.rows import choice_row, item_choice, ranked_row
from apps.recommender.ui.shelf import Shelf
from apps.recommender.wish import Ranked
from core.serving.audit import Audited
from core.serving.rules import Rule
from core.texts import Text
from core.ui import forms
from core.ui.inert import inert, plain
from core.ui.translations import inline

MAX_FOUND = 6
EACH = "\0each"
"""Stands for all categories, which no category is called."""


def render_about(kind: str, item_id: str, category: str, query: str, lists: Lists) -> str:
    """What a rule is about, and what else it can be about."""
    shelf, catalogue = lists.shelf, lists.shelf.catalogue
    wanted = query.casefold()
    entries = []
    if kind == "cap":
        entries.append(_category("each", rules_words.EACH_CATEGORY, None, is_chosen=category == EACH))
    if kind != "pin":
        for place, name in enumerate(catalogue.category_codes[0]):
            shown = shelf.categories.get(name, Text(name, name))
            if name and (wanted in shown.en.casefold() or wanted in shown.zh):
                entries.append(_category(str(place), shown, rules_words.CATEGORY, is_chosen=category == name))
    entries = entries[: 2 * MAX_FOUND]
    if kind != "cap":
        entries.extend(item_choice(row, shelf, None, chosen_id=item_id) for row in lists.find_items(query))
    chosen = _what(item_id, category, shelf) if item_id or category else None
    head = words.filled(rules_words.CHOSEN, what=chosen) if chosen else rules_words.CHOOSE
    found = "".join(entries) or f'<p class="fine">{inline(words.NOTHING_FOUND)}</p>'
    return f'<section class="card"><h2 dir="auto">{inline(head)}</h2><div class="found several">{found}</div></section>'


def _category(place: str, name: Text, note: Text | None, *, is_chosen: bool) -> str:
    shown = f'<span dir="auto">{inline(name)}</span>'
    return choice_row("category", "place", place, shown, note, is_chosen=is_chosen)


def _what(item_id: str, category: str, shelf: Shelf) -> Text:
    """What a rule is about, in words."""
    if category or not item_id:
        if category in ("", EACH):
            return rules_words.EACH_CATEGORY
        return shelf.categories.get(category, Text(*[plain(category, 80)] * 2))
    row = shelf.catalogue.row_of(item_id)
    if row is not None:
        return title_of(shelf.catalogue, row)
    name = plain(item_id, 80)
    return Text(f"{name} ({rules_words.GONE.en})", f"{name}（{rules_words.GONE.zh}）")


def _number(kind: str, value: float) -> Text | None:
    gaps = {"pin": rules_words.AT, "cap": rules_words.UP_TO, "boost": rules_words.BY}
    return words.filled(gaps[kind], n=f"{value:+g}" if kind == "boost" else f"{value:g}") if kind in gaps else None


def _tags(kind: str, value: float) -> str:
    number = _number(kind, value)
    name = rules_words.KINDS[kind]  # type: ignore[index]
    return forms.tag(name, "stop" if kind == "block" else "good") + (forms.tag(number) if number else "")


def render_in_force(rules: Sequence[Rule], shelf: Shelf) -> str:
    """Rules that hold, each with a button to take it back."""
    rows = "".join(
        f'<li><span class="named"><strong dir="auto">{inline(_what(rule.item_id, rule.category, shelf))}</strong>'
        f"</span>"
        f'<span class="tags">{_tags(rule.kind, rule.value)}</span>'
        f"{forms.button('back', rules_words.TAKE_BACK, 'quietly', rule=rule.id)}</li>"
        for rule in rules
    )
    body = f'<ul class="past">{rows}</ul>' if rows else f'<p class="fine">{inline(rules_words.NONE)}</p>'
    return f'<section class="card in-force"><h2>{inline(rules_words.IN_FORCE)}</h2>{body}</section>'


def render_changes(audit: Sequence[Audited], shelf: Shelf) -> str:
    """What was changed, by whom and why, the newest first."""
    rows = "".join(_change(row, shelf) for row in audit)
    body = f'<ul class="past">{rows}</ul>' if rows else f'<p class="fine">{inline(rules_words.NO_CHANGE)}</p>'
    return f'<section class="card audit"><h2>{inline(rules_words.AUDIT)}</h2>{body}</section>'


def _change(row: Audited, shelf: Shelf) -> str:
    about = row.details
    what = _what(str(about.get("item_id", "")), str(about.get("category", "")), shelf)
    when = row.created[:16].replace("T", " ")
    action = rules_words.ACTIONS.get(row.action, Text(row.action, row.action))
    return (
        f'<li><span class="named"><strong dir="auto">{inline(what)}</strong>'
        f'<span class="fine" dir="auto">{inert(row.who, 80)}: {inert(row.why, 200)}</span></span>'
        f'<span class="tags">{forms.tag(action)}{_tags(str(about["kind"]), float(about.get("value", 0)))}</span>'
        f'<time class="fine">{inert(when)}</time></li>'
    )


def render_column(name: Text, items: Sequence[Ranked], others: dict[str, int], gone: Text, shelf: Shelf) -> str:
    """One of two lists side by side; what stands elsewhere in the other is marked."""
    rows = []
    for item in items:
        other = others.get(item.item_id)
        note = forms.tag(gone, "warn") if other is None else ""
        rows.append(ranked_row(item, shelf, None, note, is_marked=other != item.rank))
    return f'<section><h3>{inline(name)}</h3><ol class="ranked">{"".join(rows)}</ol></section>'
