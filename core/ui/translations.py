"""Two languages on one page: labels that the browser chooses, and content that holds both and shows one.

Labels of Gradio's components are translated by Gradio in the browser. Everything else is HTML that holds both
languages; the page's style sheet shows the one that the page is in, so no request has to tell its language.
"""

import hashlib
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from core.texts import LANGUAGES, Language, Text

LOCALES: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
"""What Gradio calls our languages."""
COOKIE = "suite_language"
QUERY = "lang"

_labels: dict[str, Text] = {}


def label(text: Text) -> Any:
    """A text for a label, button or placeholder of a Gradio component, shown in the page's language."""
    key = f"suite_{hashlib.sha1(text.en.encode(), usedforsecurity=False).hexdigest()[:12]}"
    _labels[key] = text
    return gr.I18n()(key)


def build_i18n() -> gr.I18n:
    """The translations of every label made so far."""
    return gr.I18n(
        **{
            locale: {key: text.in_language(language) for key, text in _labels.items()}
            for language, locale in LOCALES.items()
        }
    )


def in_both(render: Callable[[Language], str]) -> str:
    """HTML in both languages, of which the page shows one.

    Args:
        render: Gives escaped HTML in one language.
    """
    return "".join(f'<div lang="{LOCALES[language]}">{render(language)}</div>' for language in LANGUAGES)


def inline(text: Text) -> str:
    """Words in both languages inside a line, escaped."""
    return "".join(
        f'<span lang="{LOCALES[language]}">{escape(text.in_language(language))}</span>' for language in LANGUAGES
    )


def choose_language(query: str | None, cookie: str | None, accepted: str) -> Language:
    """The language of a page: as asked by its address, as asked before, else the browser's.

    Args:
        query: `lang` of the address.
        cookie: What the switch left.
        accepted: The Accept-Language header, most wanted first.
    """
    for wish in (query, cookie):
        for language in LANGUAGES:
            if wish and wish.lower().startswith(language):
                return language
    return "zh" if accepted.strip().lower().startswith("zh") else "en"
