"""The picture of an item that has none: a quiet tile in the colour of its category, drawn by code."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from apps.recommender.ui.icons import category_icon
from core.texts import Text

GOLDEN_ANGLE, FIRST_HUE = 137.508, 196
"""Hues a golden angle apart differ from each other however many there are."""


@dataclass(frozen=True)
class Look:
    """How a category is drawn.

    Args:
        hue: In degrees.
        icon: SVG.
    """

    hue: int
    icon: str


def make_looks(groups: Mapping[str, Text]) -> dict[str, Look]:
    """A look for each group of items."""
    return {
        name: Look(round(FIRST_HUE + number * GOLDEN_ANGLE) % 360, category_icon(f"{name} {words.en} {words.zh}"))
        for number, (name, words) in enumerate(groups.items())
    }


NO_LOOK = Look(FIRST_HUE, category_icon(""))
"""Of items of which nothing is known."""


def render_tile(look: Look, item_id: str) -> str:
    """Soft shapes, which differ from item to item, and the drawing of the category."""
    bits = hashlib.sha1(item_id.encode("utf-8", "replace"), usedforsecurity=False).digest()
    place = [byte / 255 for byte in bits]
    size = 46 + 36 * place[2]
    shapes = (
        f'<circle class="near" cx="{40 + 240 * place[0]:.0f}" cy="{90 + 60 * place[1]:.0f}" r="{size:.0f}"/>'
        f'<circle class="far" cx="{320 * place[3]:.0f}" cy="{10 + 40 * place[4]:.0f}" r="{26 + 40 * place[5]:.0f}"/>'
        f'<path class="far" d="M-10 {96 + 30 * place[6]:.0f} Q {80 + 60 * place[7]:.0f} {60 + 50 * place[8]:.0f} '
        f'330 {100 + 30 * place[9]:.0f} V 150 H -10 Z"/>'
    )
    drawn = f'<svg viewBox="0 0 320 132" preserveAspectRatio="xMidYMid slice" aria-hidden="true">{shapes}</svg>'
    return f'<div class="tile-art" style="--hue:{look.hue}">{drawn}<span class="symbol">{look.icon}</span></div>'
