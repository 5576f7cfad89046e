"""The panel that says how the list is to be: sliders and filters, read as they are moved."""

import math
from dataclasses import replace

import gradio as gr

from apps.recommender.ui import words
from apps.recommender.ui.shelf import Shelf
from apps.recommender.ui.visit import Visit
from apps.recommender.wish import Filters
from core.texts import Text
from core.ui import forms
from core.ui.translations import inline

STEPS = 20


def render_tune(visit: Visit, shelf: Shelf) -> str:
    """The panel, as escaped HTML; what the data has no column for is not offered."""
    filters = visit.filters
    sliders = _slider("diversity", words.DIVERSITY, words.BEST, words.VARIED, visit.diversity)
    sliders += _slider("novelty", words.NOVELTY, words.FAMILIAR, words.UNUSUAL, visit.novelty)
    parts = [sliders]
    if len(shelf.categories) > 1:
        chips = "".join(
            f'<label><input type="checkbox" name="c{number}"{" checked" if name in filters.categories else ""}>'
            f'<span dir="auto">{inline(shown)}</span></label>'
            for number, (name, shown) in enumerate(shelf.categories.items())
        )
        parts.append(
            f'<fieldset class="field chips"><legend>{inline(words.CATEGORIES)}</legend><div>{chips}</div></fieldset>'
        )
    if shelf.prices:
        low, high = (f"{price:.2f}" for price in shelf.prices)
        parts.append(
            f'<div class="prices">{_price("from", words.PRICE_FROM, low)}{_price("to", words.PRICE_TO, high)}</div>'
        )
    if shelf.has_sold_out:
        checked = " checked" if filters.in_stock_only else ""
        parts.append(
            f'<label class="tick"><input type="checkbox" name="in_stock"{checked}>'
            f"<span>{inline(words.IN_STOCK)}</span></label>"
        )
    reset = forms.buttons(forms.button("reset", words.RESET, "quietly"))
    return (
        f'<div class="entries"><details class="card" open><summary>{inline(words.TUNE)}</summary>'
        f'<form data-live="tune" data-key="tune:{visit.form}">{"".join(parts)}{reset}</form></details></div>'
    )


def read_tune(visit: Visit, shelf: Shelf, event: gr.EventData) -> Visit:
    """The visit with the sliders and filters as the form has them."""
    names = list(shelf.categories)
    chosen = tuple(name for number, name in enumerate(names) if forms.typed(event, f"c{number}"))
    filters = Filters(
        categories=chosen,
        min_price=_number(forms.typed(event, "from")),
        max_price=_number(forms.typed(event, "to")),
        in_stock_only=bool(forms.typed(event, "in_stock")),
    )
    diversity, novelty = (_number(forms.typed(event, name)) or 0.0 for name in ("diversity", "novelty"))
    return replace(visit, filters=filters, diversity=min(diversity, 1.0), novelty=min(novelty, 1.0))


def _slider(name: str, title: Text, least: Text, most: Text, value: float) -> str:
    return (
        f'<label class="field slide"><span>{inline(title)}</span><input type="range" name="{name}" min="0" max="1" '
        f'step="{1 / STEPS}" value="{value:g}"><span class="ends fine"><span>{inline(least)}</span>'
        f"<span>{inline(most)}</span></span></label>"
    )


def _price(name: str, title: Text, example: str) -> str:
    return (
        f'<label class="field"><span>{inline(title)}</span><input name="{name}" inputmode="decimal" maxlength="12" '
        f'autocomplete="off" placeholder="{example}"></label>'
    )


def _number(text: str) -> float | None:
    """A number of at least 0 as people write it, with a comma too; None = there is none."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
