"""The frame of every page: look, heading, language switch, a notice that cannot be closed, and the limits."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from core.texts import Text
from core.ui.translations import QUERY, in_both, inline
from core.ui.widgets import bullets

FOLDER = Path(__file__).parent
STYLES, JAVASCRIPT = (FOLDER / "page.css", FOLDER / "forms.css"), FOLDER / "page.js"
FONTS = (
    "system-ui", "-apple-system", "Segoe UI", "Roboto", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei",
    "Noto Sans CJK SC", "Noto Sans SC", "Helvetica Neue", "Arial", "sans-serif",
)  # fmt: skip
"""Fonts that machines have already, Chinese ones included: nothing is loaded from elsewhere."""
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Consolas", "Noto Sans Mono CJK SC", "monospace")
DELETE_UPLOADS_S = (600, 3600)
"""How often uploads are looked through, and the age at which they are deleted, in seconds."""

LIMITS = Text("Known limits", "已知局限")
LANGUAGE = Text("Language", "语言")
FOOTER = Text(
    "Everything stays on the machine that serves this page: nothing is sent elsewhere.",
    "所有数据仅保留在提供本页面的机器上，不会发送到其他地方。",
)


def build_theme() -> gr.themes.ThemeClass:
    """One accent colour on calm greys; both modes meet WCAG AA."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.cyan,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=list(FONTS),
        font_mono=list(MONO_FONTS),
    )
    both: dict[str, str] = {}
    for name, light, dark in (
        ("body_background_fill", "#f5f7f8", "#10171b"),
        ("body_text_color", "#16262d", "#e4ecef"),
        ("body_text_color_subdued", "#4f626b", "#a3b4bc"),
        ("block_background_fill", "#ffffff", "#182228"),
        ("block_label_background_fill", "#ffffff", "#182228"),
        ("block_label_text_color", "#3d5059", "#b8c7ce"),
        ("block_title_text_color", "#3d5059", "#b8c7ce"),
        ("block_info_text_color", "#4f626b", "#a3b4bc"),
        ("border_color_primary", "#d5dee2", "#2d3b43"),
        ("block_border_color", "#d5dee2", "#2d3b43"),
        ("input_background_fill", "#ffffff", "#121a1f"),
        ("input_border_color", "#7b8f98", "#6d828c"),
        ("input_placeholder_color", "#5c7079", "#93a6af"),
        ("button_primary_background_fill", "#0b6477", "#5cc4d6"),
        ("button_primary_background_fill_hover", "#084f5e", "#84d5e3"),
        ("button_primary_text_color", "#ffffff", "#06191e"),
        ("button_secondary_background_fill", "#e6eef1", "#25333b"),
        ("button_secondary_background_fill_hover", "#d6e2e7", "#30414a"),
        ("button_secondary_text_color", "#16262d", "#e4ecef"),
        ("color_accent_soft", "#e2f1f4", "#173740"),
        ("loader_color", "#0b6477", "#5cc4d6"),
        ("slider_color", "#0b6477", "#5cc4d6"),
        ("link_text_color", "#0b6477", "#5cc4d6"),
    ):
        both |= {name: light, f"{name}_dark": dark}
    settings: dict[str, Any] = {
        **both,
        "color_accent": "#0b6477",
        "block_shadow": "none",
        "block_border_width": "1px",
        "input_border_width": "1px",
    }
    return theme.set(**settings)


@contextmanager
def open_frame(
    title: Text,
    summary: Text,
    limits: Sequence[Text],
    *,
    notice: Text | None = None,
    footer: Text = FOOTER,
    style: Path | None = None,
) -> Iterator[gr.Blocks]:
    """A page to fill: what is built inside stands between heading and limits.

    Args:
        title: The heading.
        summary: One sentence below it.
        limits: What it must not be used for.
        notice: What stays in sight on top and cannot be closed; None = nothing.
        footer: Where data goes.
        style: The app's own style sheet, beside the one of all pages.
    """
    with gr.Blocks(title=title.en, analytics_enabled=False, fill_width=True, delete_cache=DELETE_UPLOADS_S) as page:
        if style:
            show_html(f"<style>{style.read_text(encoding='utf-8')}</style>", elem_id="page-style")
        if notice:
            show_html(render_notice(notice), elem_id="page-notice")
        show_html(render_header(title, summary), elem_id="page-header")
        yield page
        show_html(render_limits(limits, footer), elem_id="page-limits")


def show_html(value: str = "", **settings: Any) -> gr.HTML:
    """A place for our own HTML, styled by our own sheet alone; `settings` are those of `gr.HTML`."""
    return gr.HTML(value, apply_default_css=False, **settings)


def render_notice(notice: Text) -> str:
    """What must not be overlooked, on top of the page wherever it is scrolled to."""
    return f'<div role="note"><span class="mark" aria-hidden="true">!</span>{inline(notice)}</div>'


def render_header(title: Text, summary: Text) -> str:
    """Heading, sentence, and the switch of languages."""
    links = "".join(
        f'<a href="?{QUERY}={language}" lang="{language}" hreflang="{language}" data-language="{language}">{name}</a>'
        for language, name in (("en", "English"), ("zh", "中文"))
    )
    hidden = f'<span class="hidden-words">{inline(LANGUAGE)}</span>'
    names = f'data-title-en="{escape(title.en)}" data-title-zh="{escape(title.zh)}"'
    return (
        f"<header><div {names}><h1>{inline(title)}</h1><p>{inline(summary)}</p></div>"
        f'<nav class="languages">{hidden}{links}</nav></header>'
    )


def render_limits(limits: Sequence[Text], footer: Text) -> str:
    """The limits and where data goes."""
    listed = in_both(lambda language: bullets(limit.in_language(language) for limit in limits))
    return f"<footer><h2>{inline(LIMITS)}</h2>{listed}<p>{inline(footer)}</p></footer>"


def page_head() -> str:
    """What a page needs in its head: the script for paste, opacity and title."""
    return f"<script>{JAVASCRIPT.read_text(encoding='utf-8')}</script>"
