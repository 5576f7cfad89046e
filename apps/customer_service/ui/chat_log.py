"""The chat as escaped HTML: bubbles, sources as links, "did you mean" and follow-ups as buttons, ratings."""

from collections.abc import Mapping, Sequence
from html import escape

from apps.customer_service.reply import Option, Reply, Source
from apps.customer_service.ui.chat import Line
from apps.customer_service.ui.chat_words import (
    AGAIN,
    AGENT,
    ASSISTANT,
    BY_MODEL,
    CLOSED,
    DISLIKE,
    EXAMPLES,
    FOLLOW_UPS,
    LIKE,
    OWN_WORDS,
    REASONS,
    SEND,
    SOURCES,
    THANKS,
    TYPING,
    WELCOME,
    WHY,
    YOU,
)
from apps.customer_service.ui.icons import AGENT_FACE, BOT_FACE, RETRY, THUMB_DOWN, THUMB_UP
from apps.customer_service.ui.links import link
from core.texts import LANGUAGES, Language
from core.ui import forms
from core.ui.inert import inert
from core.ui.translations import LOCALES, inline

NAMES = {"customer": YOU, "bot": ASSISTANT, "agent": AGENT}
FACES = {"bot": BOT_FACE, "agent": AGENT_FACE}
Examples = Mapping[Language, Sequence[str]]


def render_log(lines: Sequence[Line], examples: Examples) -> str:
    """The whole chat; an empty one greets and offers questions."""
    if not lines:
        return f'<div class="lines">{_welcome(examples)}</div>'
    last = len(lines) - 1
    shown = "".join(_line(number, line, is_last=number == last) for number, line in enumerate(lines))
    return f'<div class="lines" role="log" aria-live="polite">{shown}</div>'


def render_typing() -> str:
    """What is seen while the bot thinks."""
    dots = '<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>'
    return _bubble("bot", f'{dots}<span class="hidden-words">{inline(TYPING)}</span>')


def render_partial(text: str) -> str:
    """The answer as far as it is written."""
    return _bubble("bot", _said(text) + '<span class="cursor" aria-hidden="true"></span>')


def _line(number: int, line: Line, *, is_last: bool) -> str:
    if line.who == "note":
        return f'<p class="note">{inline(CLOSED)}</p>'
    content = f'<span class="hidden-words">{inline(NAMES[line.who])}</span>{_said(line.text)}'
    if line.reply is None:
        return _bubble(line.who, content)
    reply = line.reply
    content += _sources(reply.sources) + (f'<p class="fine">{inline(BY_MODEL)}</p>' if reply.llm == "written" else "")
    below = _options(reply.options, is_live=is_last) + (_follow_ups(reply) if is_last else "")
    return _bubble(line.who, content, below + _tools(number, line, is_last=is_last))


def _bubble(who: str, content: str, below: str = "") -> str:
    face = f'<span class="face" aria-hidden="true">{FACES[who]}</span>' if who in FACES else ""
    body = f'<div class="body"><div class="bubble">{content}</div>{below}</div>'
    return f'<article class="line {who}">{face}{body}</article>'


def _said(text: str) -> str:
    return f'<p class="said" dir="auto">{inert(text)}</p>'


def _sources(sources: Sequence[Source]) -> str:
    if not sources:
        return ""
    items = "".join(f"<li>{link(source.title, source.url)}</li>" for source in sources)
    return f'<div class="sources"><span class="fine">{inline(SOURCES)}</span><ol>{items}</ol></div>'


def _options(options: Sequence[Option], *, is_live: bool) -> str:
    """Buttons while they can be chosen; what was offered stays readable afterwards."""
    state = "" if is_live else " disabled"
    return _choices([_say_button(option.text, state) for option in options], "options")


def _follow_ups(reply: Reply) -> str:
    if not reply.follow_ups:
        return ""
    return f'<p class="fine">{inline(FOLLOW_UPS)}</p>' + _choices([_say_button(text) for text in reply.follow_ups])


def _say_button(text: str, state: str = "") -> str:
    shown = inert(text, 300)
    return f'<button type="button" class="choice" data-act="say" data-text="{shown}" dir="auto"{state}>{shown}</button>'


def _choices(buttons: Sequence[str], kind: str = "") -> str:
    return f'<div class="choices {kind}">{"".join(buttons)}</div>' if buttons else ""


def _tools(number: int, line: Line, *, is_last: bool) -> str:
    assert line.reply
    if not line.message_id or line.reply.kind in ("handoff", "refused", "small_talk"):
        return ""
    buttons = "".join(
        f'<button type="button" class="tool" data-act="{act}" data-line="{number}" aria-pressed="{pressed}">'
        f'{icon}<span class="hidden-words">{inline(name)}</span></button>'
        for act, icon, name, pressed in (
            ("like", THUMB_UP, LIKE, str(line.rating == "like").lower()),
            ("dislike", THUMB_DOWN, DISLIKE, str(line.rating in ("asking", "dislike")).lower()),
        )
    )
    if is_last:
        buttons += (
            f'<button type="button" class="tool" data-act="again">{RETRY}'
            f'<span class="hidden-words">{inline(AGAIN)}</span></button>'
        )
    asked = _reasons(number) if line.rating == "asking" else ""
    thanks = f'<span class="fine" role="status">{inline(THANKS)}</span>' if line.rating in ("like", "dislike") else ""
    return f'<div class="tools">{buttons}{thanks}</div>{asked}'


def _reasons(number: int) -> str:
    """Why it was disliked: one click, or own words."""
    chips = "".join(
        f'<button type="button" class="choice" data-act="reason" data-reason="{escape(key)}">{inline(name)}</button>'
        for key, name in REASONS.items()
    )
    hidden = f'<span class="hidden-words">{inline(OWN_WORDS)}</span>'
    entry = f'<input name="words" maxlength="500" autocomplete="off" dir="auto" {forms.placeholder(OWN_WORDS)}>'
    return (
        f'<form class="reasons" data-line="{number}" data-key="reason-{number}"><p class="fine">{inline(WHY)}</p>'
        f'<div class="choices">{chips}</div><div class="own"><label>{hidden}{entry}</label>'
        f'<button type="submit" class="small" data-act="reason">{inline(SEND)}</button></div></form>'
    )


def _welcome(examples: Examples) -> str:
    offered = "".join(
        f'<div lang="{LOCALES[language]}">{_choices([_say_button(text) for text in examples[language]])}</div>'
        for language in LANGUAGES
    )
    hint = f'<p class="fine">{inline(EXAMPLES)}</p>' if any(examples.values()) else ""
    return _bubble("bot", f'<p class="said">{inline(WELCOME)}</p>', hint + offered)
