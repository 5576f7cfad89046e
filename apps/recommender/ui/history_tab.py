"""The tab with the history: what a list is made from, the newest first."""

from collections.abc import Sequence
from datetime import UTC, datetime

import gradio as gr

from apps.recommender.ui import words
from apps.recommender.ui.item_words import category_name, title_of
from apps.recommender.ui.lists import Lists
from apps.recommender.ui.looks import render_tile
from apps.recommender.ui.shelf import Shelf
from apps.recommender.ui.visit import Visit
from apps.recommender.wish import Seen
from core.texts import Text
from core.ui import forms
from core.ui.actions import AT_ONCE
from core.ui.frame import show_html
from core.ui.inert import inert, plain
from core.ui.translations import inline

MAX_SHOWN = 100
OF_USER = Text("What user {who} did", "用户 {who} 的历史行为")
OF_VISITOR = Text("What the visitor did on this page", "访客在本页的行为")
NOTHING = Text(
    "Nothing yet: like or view a card, or choose a known user.", "暂无记录：请点击商品卡片，或选择一位已知用户。"
)
USED = Text(
    "{n} events in the log; the model looks at the newest {most}.", "日志中共 {n} 条行为；模型参考最近的 {most} 条。"
)
CAPPED = Text("The newest {n} are shown.", "仅显示最近 {n} 条。")
HERE, LOG = Text("On this page", "本次访问"), Text("In the log", "日志记录")
DISLIKED = Text("did not like it", "不喜欢")


def render_history(visit: Visit, lists: Lists) -> str:
    """Deeds on the page, then events of the log."""
    shelf, events = lists.shelf, lists.history(visit)
    title = words.filled(OF_USER, who=plain(visit.user, 60)) if visit.mode == "user" else OF_VISITOR
    most = lists.recommender.task.schema.max_history
    used = f'<p class="quiet">{inline(words.filled(USED, n=f"{len(events):,}", most=most))}</p>' if events else ""
    deeds = "".join(_row(deed.item_id, words.DEEDS[deed.what], deed.time, shelf) for deed in visit.deeds[::-1])
    logged = "".join(_logged(events[::-1][:MAX_SHOWN], shelf))
    capped = f'<p class="fine">{inline(words.filled(CAPPED, n=MAX_SHOWN))}</p>' if len(events) > MAX_SHOWN else ""
    body = _section(HERE, deeds) + _section(LOG, logged) + capped
    return (
        f'<div class="entries"><div><h2 dir="auto">{inline(title)}</h2>{used}</div>'
        f"{body if deeds or logged else forms.empty(NOTHING)}</div>"
    )


def build_history_tab(lists: Lists, visit: gr.State, tab: gr.Tab) -> None:
    """Read anew whenever someone looks.

    Args:
        lists: Knows the log.
        visit: Of this browser tab.
        tab: That it stands in.
    """
    shown = show_html(elem_id="history")
    tab.select(lambda now: render_history(now, lists), visit, shown, **AT_ONCE)


def _logged(events: Sequence[Seen], shelf: Shelf) -> list[str]:
    rows = []
    for event in events:
        kind = words.KINDS.get(event.kind, Text(event.kind, event.kind))
        rows.append(_row(event.item_id, kind, event.time, shelf, is_disliked=event.value is not None))
    return rows


def _row(item_id: str, what: Text, time: int | None, shelf: Shelf, *, is_disliked: bool = False) -> str:
    row = shelf.catalogue.row_of(item_id)
    if row is None:
        return ""
    catalogue = shelf.catalogue
    when = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M") if time is not None else ""
    tags = forms.tag(what) + (forms.tag(DISLIKED, "stop") if is_disliked else "")
    return (
        f'<li>{render_tile(shelf.look(row), item_id)}<span class="named"><strong dir="auto">'
        f'{inline(title_of(catalogue, row))}</strong><span class="fine" dir="auto">'
        f'{inline(category_name(catalogue, row))}</span></span><span class="tags">{tags}</span>'
        f'<time class="fine">{inert(when)}</time></li>'
    )


def _section(title: Text, rows: str) -> str:
    return f'<section class="card"><h3>{inline(title)}</h3><ul class="past">{rows}</ul></section>' if rows else ""
