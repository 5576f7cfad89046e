"""Pieces of the page: everything that comes from outside is escaped."""

import pytest

from core.texts import Text
from core.ui.widgets import Bar, Tile, bars, bullets, details, facts, join_words, notice, split_figure, table, tiles

NASTY = "<img src=x onerror=alert(1)>\"'&"


@pytest.mark.parametrize(
    "html",
    [
        notice("stop", NASTY, [NASTY]),
        bars([Bar(NASTY, 0.5, True, NASTY)]),
        facts([(NASTY, NASTY)]),
        tiles([Tile(NASTY, None)]),
        table([NASTY], [[NASTY]]),
        table([NASTY], [], empty=NASTY),
        bullets([NASTY]),
        details(NASTY, ""),
    ],
)
def test_foreign_words_are_escaped(html: str) -> None:
    assert "<img" not in html
    assert "&lt;img" in html


def test_bar_width_stays_in_its_track() -> None:
    html = bars([Bar("a", 1.5), Bar("b", -1.0), Bar("c", 0.001)])
    assert "width:100.0%" in html
    assert "width:0.0%" in html
    assert "&lt;0.01" in html


def test_undefined_figure_is_a_dash() -> None:
    assert split_figure({"value": None, "low": None, "high": None}) == ("–", "")
    assert split_figure({"value": 0.5, "low": 0.25, "high": 0.75}) == ("0.50", "0.25 – 0.75")


def test_words_are_joined_as_each_language_does() -> None:
    last = Text(" and ", "和")
    assert join_words(["a", "b", "c"], "en", last) == "a, b and c"
    assert join_words(["甲", "乙", "丙"], "zh", last) == "甲、乙和丙"
    assert join_words(["a"], "en", last) == "a"
