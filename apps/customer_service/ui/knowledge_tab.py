"""The tab with the knowledge base: find, add, change and delete entries; what is changed answers at once."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from apps.customer_service.ui.label_words import LANGUAGE_NAMES
from apps.customer_service.ui.links import BAD_LINK, is_link
from apps.customer_service.ui.split import build_split
from core.errors import UserError
from core.retrieval.entry import Entry
from core.retrieval.knowledge_base import KnowledgeBase
from core.texts import Text
from core.ui import forms
from core.ui.inert import inert
from core.ui.translations import inline

PAGE = 8
MAX_FOUND = 80
FIND, SEARCH, NEW = Text("Find an entry", "查找条目"), Text("Search", "搜索"), Text("New entry", "新增条目")
PREVIOUS, NEXT = Text("Previous", "上一页"), Text("Next", "下一页")
CHANGE, ADD = Text("Change the entry", "修改条目"), Text("Add an entry", "新增条目")
SAVE, DELETE, RESTORE = Text("Save", "保存"), Text("Delete", "删除"), Text("Put it back", "恢复")
QUESTION, ANSWER, LINK = (
    Text("Question", "问题"),
    Text("Answer", "答案"),
    Text("Link (http or https)", "链接（http 或 https）"),
)
CATEGORY, INTENT, LANGUAGE = Text("Category", "分类"), Text("Intent", "意图"), Text("Language", "语言")
KNOWN = Text("Questions that it also answers, one a line", "它也能回答的其他问法，每行一个")
SAVED, DELETED = (
    Text("Saved. It answers from now on.", "已保存，立即生效。"),
    Text("Deleted. It answers no more.", "已删除，立即生效。"),
)
RESTORED = Text("It is back.", "已恢复。")
NO_ANSWER = Text("Write the answer first.", "请先填写答案。")
NOTHING = Text("No entry.", "没有条目。")
DAMAGED = Text("Part of the changes could not be read", "部分变更记录无法读取")
SLOTS = Text(
    "An answer may hold {order_number}, {date}, {amount} and {product}: filled from what the customer has told.",
    "答案中可使用 {order_number}、{date}、{amount}、{product}，将用客户提供的信息填写。",
)


@dataclass(frozen=True)
class View:
    """What one browser tab looks at.

    Args:
        query: What was searched for.
        page: From 0.
        entry_id: The entry in the form; empty = a new one.
        form: Changes when the form shall forget what was typed.
        removed: What was deleted last, to be put back.
        message: What came of the last click, as HTML.
    """

    query: str = ""
    page: int = 0
    entry_id: str = ""
    form: int = 0
    removed: Entry | None = None
    message: str = ""


@dataclass(frozen=True)
class KnowledgeTab:
    """What the events of the tab do; each gives list, form and view.

    Args:
        knowledge: The entries.
    """

    knowledge: KnowledgeBase

    def act(self, view: View, event: gr.EventData) -> tuple[Any, ...]:
        """A click in the tab."""
        wish, view = str(getattr(event, "act", "")), replace(view, message="")
        if wish == "find":
            view = replace(view, query=forms.typed(event, "query"), page=0)
        elif wish in ("previous", "next"):
            view = replace(view, page=max(0, view.page + (1 if wish == "next" else -1)))
        elif wish in ("edit", "new"):
            view = replace(view, entry_id=forms.typed(event, "entry"), form=view.form + (wish == "new"))
        elif wish in ("save", "delete", "restore"):
            view = self._change(view, wish, event)
        return self.shown(view)

    def shown(self, view: View) -> tuple[Any, ...]:
        """List, form and view."""
        entry = self.knowledge.get(view.entry_id) if view.entry_id else None
        return self._list(view), _render_form(entry, view), view

    def _change(self, view: View, wish: str, event: gr.EventData) -> View:
        try:
            if wish == "delete":
                old = self.knowledge.get(view.entry_id)
                self.knowledge.remove(view.entry_id)
                undo = forms.buttons(forms.button("restore", RESTORE, "quietly"))
                view = replace(view, entry_id="", removed=old, message=forms.told("good", DELETED) + undo)
            elif wish == "restore" and view.removed:
                self.knowledge.put(view.removed)
                entry_id = view.removed.entry_id
                view = replace(view, entry_id=entry_id, removed=None, message=forms.told("good", RESTORED))
            elif wish == "save":
                if refusal := _refusal(event):
                    return replace(view, message=forms.told("warn", refusal))
                entry = _read_entry(event, self.knowledge.get(view.entry_id) if view.entry_id else None)
                doubts = self.knowledge.put(entry)
                message = forms.told("warn" if doubts else "good", SAVED, doubts)
                view = replace(view, entry_id=entry.entry_id, message=message)
        except UserError as error:
            return replace(view, message=forms.refused(error))
        return replace(view, form=view.form + 1)

    def _list(self, view: View) -> str:
        found, total = self._found(view.query, view.page * PAGE)
        find = forms.field("query", FIND, view.query, limit=300) + forms.button("find", SEARCH, is_default=True)
        rows = "".join(_row(entry, is_chosen=entry.entry_id == view.entry_id) for entry in found)
        problems = self.knowledge.problems
        damaged = forms.told("warn", DAMAGED, problems) if problems else ""
        first, last = view.page * PAGE + 1, view.page * PAGE + len(found)
        count = Text(f"{first}–{last} of {total:,}", f"第 {first}–{last} 条，共 {total:,} 条") if found else NOTHING
        pages = (forms.button("previous", PREVIOUS, "quietly") if view.page else "") + (
            forms.button("next", NEXT, "quietly") if last < total and found else ""
        )
        return (
            f'<div class="entries">{damaged}<form class="find" data-key="find">{find}</form>'
            f"{forms.buttons(forms.button('new', NEW, 'quietly'), f'<span class=fine>{inline(count)}</span>')}"
            f"{rows}{forms.buttons(pages)}</div>"
        )

    def _found(self, query: str, start: int) -> tuple[Sequence[Entry], int]:
        """A page of the entries that match, the likeliest first; the latest changes first where nothing is asked."""
        if query.strip():
            exact = self.knowledge.get(query.strip())
            found = [candidate.entry for candidate in self.knowledge.search(query, MAX_FOUND)]
            found = [exact, *(entry for entry in found if entry != exact)] if exact else found
        else:
            found = self.knowledge.entries()[::-1]
        return found[start : start + PAGE], len(found)


def build_knowledge_tab(knowledge: KnowledgeBase, tabs: Sequence[gr.Tab]) -> None:
    """Components and events of the tab.

    Args:
        knowledge: The entries.
        tabs: Read anew when one of them is opened.
    """
    events = KnowledgeTab(knowledge)
    view = gr.State(View())
    build_split(events.act, events.shown, view, "knowledge-list", "knowledge-form", tabs)


def _row(entry: Entry, *, is_chosen: bool) -> str:
    tags = "".join(forms.plain_tag(word) for word in (entry.entry_id, entry.language, entry.intent) if word)
    title = f'<strong dir="auto">{inert(entry.question or entry.answer, 200)}</strong>'
    return (
        f'<button type="button" class="entry" data-act="edit" data-shows="knowledge-form" '
        f'data-entry="{inert(entry.entry_id, 500)}" aria-pressed="{str(is_chosen).lower()}">{title}'
        f'<span class="said" dir="auto">{inert(entry.answer, 240)}</span><span class="tags">{tags}</span></button>'
    )


def _render_form(entry: Entry | None, view: View) -> str:
    shown = entry or Entry(entry_id="new", answer="-")
    answer = entry.answer if entry else ""
    first = (
        forms.field("question", QUESTION, shown.question, rows=2)
        + forms.field("answer", ANSWER, answer, rows=6)
        + f'<p class="fine">{inline(SLOTS)}</p>'
    )
    languages = list(LANGUAGE_NAMES.items())
    pair = (
        forms.field("intent", INTENT, shown.intent, limit=200)
        + forms.field("category", CATEGORY, shown.category, limit=200)
        + forms.choice("language", LANGUAGE, languages, shown.language)
    )
    more = forms.field("url", LINK, shown.url, limit=2000) + f'<div class="pair">{pair}</div>'
    more += forms.field("known", KNOWN, "\n".join(shown.known_queries), rows=2)
    acts = forms.buttons(
        forms.button("save", SAVE, is_default=True), forms.button("delete", DELETE, "alarm") if entry else ""
    )
    title = f"<h2>{inline(CHANGE if entry else ADD)}</h2>"
    tags = forms.plain_tag(entry.entry_id) if entry else ""
    return (
        f'<div class="entries card">{title}<div class="tags">{tags}</div>'
        f'<div role="status">{view.message}</div>'
        f'<form data-key="{inert(view.entry_id, 500)}:{view.form}">{first}{more}{acts}</form></div>'
    )


def _refusal(event: gr.EventData) -> Text | None:
    """Why what was typed is no entry; None = it is one."""
    if not forms.typed(event, "answer"):
        return NO_ANSWER
    return None if is_link(forms.typed(event, "url")) else BAD_LINK


def _read_entry(event: gr.EventData, old: Entry | None) -> Entry:
    """The entry that was typed."""
    language = forms.typed(event, "language")
    return Entry(
        entry_id=old.entry_id if old else f"entry-{secrets.token_hex(4)}",
        question=forms.typed(event, "question"),
        answer=forms.typed(event, "answer"),
        url=forms.typed(event, "url"),
        category=forms.typed(event, "category"),
        intent=forms.typed(event, "intent"),
        language=language if language in LANGUAGE_NAMES else "",
        source=old.source if old else "",
        known_queries=tuple(line.strip() for line in forms.typed(event, "known").splitlines() if line.strip()),
    )
