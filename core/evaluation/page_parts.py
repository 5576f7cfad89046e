"""The building blocks of report.html; every text is escaped here and nowhere else."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from core.evaluation.evaluation import Cell, Table
from core.evaluation.page_style import CSS
from core.evaluation.uncertainty import Estimate

ACRONYMS = ("auroc", "aurc", "ece", "f1", "iou", "mrr")
LONG_TABLE = 25
"""A table with more rows is folded."""


@dataclass(frozen=True)
class Picture:
    """A PNG and what to say under it."""

    png: bytes
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and the blocks under it, which are HTML already; empty sections are left out of the page."""

    title: str
    blocks: Sequence[str]

    @property
    def anchor(self) -> str:
        """Where the table of contents points to."""
        return "".join(character if character.isalnum() else "-" for character in self.title.lower())

    def __str__(self) -> str:
        return f'<section id="{self.anchor}"><h2>{escape(self.title)}</h2>{"".join(self.blocks)}</section>'


def page(title: str, head: Sequence[str], sections: Sequence[Section]) -> str:
    """A whole HTML document: the head's blocks, a table of contents, the sections that hold something."""
    filled = [section for section in sections if any(section.blocks)]
    links = "".join(f'<a href="#{section.anchor}">{escape(section.title)}</a>' for section in filled)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head><body><main>"
        f"<header><h1>{escape(title)}</h1>{''.join(head)}<nav>{links}</nav></header>"
        f"{''.join(map(str, filled))}</main></body></html>\n"
    )


def paragraph(text: str, style: str = "") -> str:
    """One paragraph, or nothing for no text."""
    return f'<p class="{style}">{escape(text)}</p>' if text else ""


def heading(text: str) -> str:
    """A small heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def facts(values: Mapping[str, str]) -> str:
    """Short facts side by side."""
    pairs = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in values.items())
    return f'<dl class="facts">{pairs}</dl>' if pairs else ""


def tile(name: str, estimate: Estimate, hint: str = "") -> str:
    """A headline figure with its interval, and where it lies between 0 and 1."""
    value, low, high = estimate
    has_interval = high > low
    between = f'<div class="range">95 %: {format_number(low)} to {format_number(high)}</div>' if has_interval else ""
    return (
        f'<div class="tile"><div class="name">{escape(name)}</div><div class="value">{format_number(value)}</div>'
        f"{_interval_bar(estimate)}{between}"
        f'<div class="hint">{escape(hint)}</div></div>'
    )


def tiles(blocks: Iterable[str]) -> str:
    """Tiles side by side."""
    joined = "".join(blocks)
    return f'<div class="tiles">{joined}</div>' if joined else ""


def table(content: Table) -> str:
    """A table that scrolls sideways on a phone; a long one is folded."""
    if not content.rows:
        return ""
    numeric = [_is_numeric(content.column(name)) for name in content.columns]
    styles = [' class="number"' if is_number else "" for is_number in numeric]
    header = "".join(
        f"<th{style}>{escape(words(name))}</th>" for name, style in zip(content.columns, styles, strict=True)
    )
    body = "".join(
        f"<tr>{''.join(f'<td{style}>{format_cell(cell)}</td>' for cell, style in zip(row, styles, strict=True))}</tr>"
        for row in content.rows
    )
    drawn = f'<div class="scroll"><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'
    return fold(f"{len(content.rows)} rows", drawn) if len(content.rows) > LONG_TABLE else drawn


def format_cell(cell: Cell) -> str:
    """One field as HTML; an interval stands small under its figure, an undefined figure is a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, Estimate):
        interval = (
            f"<small>{format_number(cell.low)} to {format_number(cell.high)}</small>" if cell.high > cell.low else ""
        )
        return format_number(cell.value) + interval
    return escape(cell) if isinstance(cell, str) else format_number(cell)


def format_number(value: float) -> str:
    """Whole numbers with separators, others with three decimals or, where that says nothing, three digits."""
    if not math.isfinite(value):
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if 0.001 <= abs(value) < 1000 or value == 0 else f"{value:.3g}"


def figures(pictures: Iterable[Picture], style: str = "plots") -> str:
    """Pictures side by side, inside the page itself."""
    drawn = "".join(
        f'<figure><img alt="{escape(picture.caption)}" src="{data_address(picture.png)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for picture in pictures
    )
    return f'<div class="{style}">{drawn}</div>' if drawn else ""


def data_address(png: bytes) -> str:
    """A picture as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def bullets(items: Sequence[str]) -> str:
    """A list, or nothing for no items."""
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>" if items else ""


def code(text: str) -> str:
    """Text as it is, in a fixed-width font."""
    return f"<pre>{escape(text)}</pre>" if text.strip() else ""


def fold(summary: str, block: str) -> str:
    """Something to open on demand."""
    return f"<details><summary>{escape(summary)}</summary>{block}</details>" if block else ""


def words(name: str) -> str:
    """A name in snake case as words, acronyms in capitals."""
    return " ".join(part.upper() if part in ACRONYMS else part for part in name.split("_"))


def _is_numeric(cells: Sequence[Cell]) -> bool:
    return any(cell is not None for cell in cells) and not any(isinstance(cell, str) for cell in cells)


def _interval_bar(estimate: Estimate) -> str:
    if not 0 <= estimate.low <= estimate.value <= estimate.high <= 1:
        return ""
    low, value, high = estimate.low * 100, estimate.value * 100, estimate.high * 100
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="4" width="100" height="2"/>'
        f'<rect class="span" x="{low:.2f}" y="2" width="{max(0.5, high - low):.2f}" height="6"/>'
        f'<rect class="mark" x="{min(99.2, max(0, value - 0.4)):.2f}" width="0.8" height="10"/></svg>'
    )
