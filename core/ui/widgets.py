"""Small pieces of the page as pure functions that give escaped HTML in one language."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Literal, NamedTuple

from core.texts import Language, Text

Tone = Literal["plain", "good", "warn", "alarm", "stop"]
MARKS: dict[Tone, str] = {"plain": "", "good": "✓", "warn": "?", "alarm": "!", "stop": "×"}
"""A tone is never told by colour alone."""
NO_VALUE = "–"


class Bar(NamedTuple):
    """One probability: what of, how much, and whether it stands out."""

    name: str
    share: float
    is_marked: bool = False
    note: str = ""


class Tile(NamedTuple):
    """One headline figure with its interval."""

    name: str
    figure: Mapping[str, Any] | None


class Range(NamedTuple):
    """One figure with its interval, to be drawn beside others; low and high None = it has none."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    is_marked: bool = False


def notice(tone: Tone, title: str, lines: Iterable[str] = ()) -> str:
    """A framed statement: a title and, below it, one paragraph a line."""
    mark = f'<span class="mark" aria-hidden="true">{MARKS[tone]}</span>' if MARKS[tone] else ""
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="notice {tone}">{mark}<div><strong>{escape(title)}</strong>{body}</div></div>'


def bars(rows: Sequence[Bar]) -> str:
    """Probabilities as bars, in the order given; the number stands beside each."""
    items = []
    for row in rows:
        note = f'<span class="mark" title="{escape(row.note)}">!</span>' if row.note else ""
        note += f'<span class="hidden-words">{escape(row.note)}</span>' if row.note else ""
        items.append(
            f'<li class="{"marked" if row.is_marked else ""}"><span class="name">{escape(row.name)}{note}</span>'
            f'<span class="track" aria-hidden="true"><span style="width:{_percent(row.share)}"></span></span>'
            f'<span class="number">{_share(row.share)}</span></li>'
        )
    return f'<ol class="bars">{"".join(items)}</ol>'


def ranges(rows: Sequence[Range]) -> str:
    """Figures on one axis from 0: a dot for each value, a bar for its interval; the number stands beside it."""
    end = max((max(row.value, row.high or 0.0) for row in rows), default=0.0) or 1.0
    items = []
    for row in rows:
        low, high = (row.value if edge is None else edge for edge in (row.low, row.high))
        spread = f"left:{_percent(low / end)};width:{_percent((high - low) / end)}"
        between = f"{low:.3f} – {high:.3f}" if row.low is not None and row.high is not None else ""
        items.append(
            f'<li class="{"marked" if row.is_marked else ""}"><span class="name">{escape(row.name)}</span>'
            f'<span class="axis" aria-hidden="true"><span class="spread" style="{spread}"></span>'
            f'<span class="dot" style="left:{_percent(row.value / end)}"></span></span>'
            f'<span class="number">{row.value:.3f}<small>{between}</small></span></li>'
        )
    return f'<ol class="ranges">{"".join(items)}</ol>'


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Named facts in two columns: name, sentence."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f'<dl class="facts">{items}</dl>'


def tiles(rows: Sequence[Tile], *, digits: int = 2) -> str:
    """Headline figures side by side, with so many digits after the point."""
    items = []
    for name, figure in rows:
        value, spread = split_figure(figure, digits)
        items.append(
            f'<div class="tile"><span class="name">{escape(name)}</span><span class="value">{value}</span>'
            f'<span class="spread">{spread}</span></div>'
        )
    return f'<div class="tiles">{"".join(items)}</div>'


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str = "", digits: int = 2) -> str:
    """A table that scrolls sideways where it is too wide; every cell is escaped.

    Args:
        columns: Headings.
        rows: One cell a column: a word, a number, or a figure with its interval.
        empty: What stands in the place of no rows.
        digits: After the point.
    """
    if not rows:
        return f'<p class="quiet">{escape(empty)}</p>'
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(_cell(cell, digits) for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def bullets(lines: Iterable[str]) -> str:
    """A list of sentences."""
    return f'<ul class="plainlist">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def details(summary: str, content: str) -> str:
    """Content that is hidden until asked for; `content` is HTML already."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def heading(words: str) -> str:
    """The title of a section."""
    return f"<h3>{escape(words)}</h3>"


def split_figure(figure: Mapping[str, Any] | None, digits: int = 2) -> tuple[str, str]:
    """A figure and its interval, if it has one, as words; a dash where it is not defined."""
    if not figure or figure.get("value") is None:
        return NO_VALUE, ""
    low, high = figure.get("low"), figure.get("high")
    is_wide = low is not None and high is not None and low < high
    return f"{figure['value']:.{digits}f}", f"{low:.{digits}f} – {high:.{digits}f}" if is_wide else ""


def join_words(words: Sequence[str], language: Language, last: Text) -> str:
    """`a, b and c`, `a、b和c`.

    Args:
        words: At least one.
        language: Of the words.
        last: What stands before the last word, with its spaces.
    """
    if len(words) == 1:
        return words[0]
    comma = ", " if language == "en" else "、"
    return f"{comma.join(words[:-1])}{last.in_language(language)}{words[-1]}"


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, Mapping):
        shown, spread = split_figure(value, digits)
        return f'<td class="figure">{shown}<small>{spread}</small></td>'
    if isinstance(value, float):
        return f'<td class="figure">{value:.{digits}f}</td>'
    if isinstance(value, int):
        return f'<td class="figure">{value:,}</td>'
    return f"<td>{escape(NO_VALUE if value is None else str(value))}</td>"


def _share(share: float) -> str:
    return "&lt;0.01" if 0 < share < 0.005 else f"{share:.2f}"


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.1f}%"
