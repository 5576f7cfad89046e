"""Fields, buttons and lists of a page's own forms as escaped HTML in both languages."""

from collections.abc import Iterable, Sequence
from html import escape

import gradio as gr

from core.errors import UserError
from core.texts import Text
from core.ui.inert import inert
from core.ui.translations import in_both, inline
from core.ui.widgets import Tone, notice


def field(name: str, words: Text, value: str = "", *, rows: int = 0, limit: int = 20_000, choices: str = "") -> str:
    """One entry with its label.

    Args:
        name: Under which the server gets it.
        words: The label.
        value: What stands in it.
        rows: Lines of a text area; 0 = a single line.
        limit: Most characters.
        choices: Id of a list that is suggested.
    """
    listed = f' list="{escape(choices)}"' if choices else ""
    if rows:
        # A line break after the tag is not part of the text, so that a text may begin with one.
        entry = f'<textarea name="{name}" rows="{rows}" maxlength="{limit}" dir="auto">\n{_whole(value)}</textarea>'
    else:
        entry = (
            f'<input name="{name}" value="{_whole(value)}" maxlength="{limit}" dir="auto" autocomplete="off"{listed}>'
        )
    return f'<label class="field"><span>{inline(words)}</span>{entry}</label>'


def choice(name: str, words: Text, options: Sequence[tuple[str, Text]], chosen: str) -> str:
    """One of several, with its label."""
    shown = "".join(
        f'<label><input type="radio" name="{name}" value="{escape(value)}"{" checked" if value == chosen else ""}>'
        f"<span>{inline(text)}</span></label>"
        for value, text in options
    )
    return f'<fieldset class="field one-of"><legend>{inline(words)}</legend><div>{shown}</div></fieldset>'


def suggestions(list_id: str, words: Iterable[str]) -> str:
    """A list that fields suggest from."""
    options = "".join(f"<option>{inert(word, 200)}</option>" for word in words)
    return f'<datalist id="{escape(list_id)}">{options}</datalist>'


def button(act: str, words: Text, kind: str = "", *, is_default: bool = False, **data: str | int) -> str:
    """A button that tells the server what it stands for.

    Args:
        act: What to do.
        words: On the button.
        kind: quietly, alarm; empty = the main one.
        is_default: Enter in a field of its form presses it.
        data: What else the server is told.
    """
    told = "".join(f' data-{key}="{escape(str(value))}"' for key, value in data.items())
    role = "submit" if is_default else "button"
    return f'<button type="{role}" class="small {kind}" data-act="{act}"{told}>{inline(words)}</button>'


def buttons(*shown: str) -> str:
    """Buttons in a row."""
    return f'<div class="buttons">{"".join(shown)}</div>'


def placeholder(text: Text) -> str:
    """Attributes for an entry, whose placeholder the page's script sets in its language."""
    return f'data-placeholder-en="{escape(text.en)}" data-placeholder-zh="{escape(text.zh)}"'


def typed(event: gr.EventData, name: str) -> str:
    """What an event says under a name: a field of its form, or data of the button."""
    return str(getattr(event, name, "")).encode("utf-8", "replace").decode().strip()


def told(tone: Tone, title: Text, lines: Sequence[Text] = ()) -> str:
    """A notice in both languages."""
    return in_both(
        lambda language: notice(tone, title.in_language(language), [line.in_language(language) for line in lines])
    )


def refused(error: UserError) -> str:
    """Why something was not done, where the page could not know it before; errors are written in English alone."""
    lines = [Text(part, part) for part in (error.allowed, error.fix) if part]
    return told("warn", Text(error.what, f"未能完成：{error.what}"), lines)


def tag(words: Text, tone: str = "") -> str:
    """A short word in a frame."""
    return f'<span class="tag {tone}">{inline(words)}</span>'


def plain_tag(words: str) -> str:
    """A short word of the team's own in a frame."""
    return f'<span class="tag" dir="auto">{inert(words, 80)}</span>'


def empty(words: Text) -> str:
    """What stands where nothing is."""
    return f'<div class="card empty">{inline(words)}</div>'


def _whole(value: str) -> str:
    return inert(value, 1_000_000)
