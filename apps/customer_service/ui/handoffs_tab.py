"""The tab for agents: who waits for a person, what was said, what the model thought; answer into the chat, close."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from apps.customer_service.desk import APP, Desk
from apps.customer_service.recall import CLOSED
from apps.customer_service.ui.chat_words import AGENT, ASSISTANT
from apps.customer_service.ui.label_words import LANGUAGE_NAMES, intent_word, reason_words
from apps.customer_service.ui.split import build_split
from core.errors import UserError
from core.serving.handoffs import Handoff
from core.serving.messages import Message
from core.texts import Language, Text
from core.ui import forms
from core.ui.actions import AT_ONCE
from core.ui.inert import inert
from core.ui.translations import in_both, inline
from core.ui.widgets import Bar, bars, heading

LISTED, SHOWN_INTENTS, SHOWN_MESSAGES = 50, 5, 200
POLL_S = 3.0
CUSTOMER = Text("Customer:", "客户：")
NAMES = {"customer": CUSTOMER, "bot": ASSISTANT, "agent": AGENT}
STATES = {
    "open": (Text("waiting", "等待中"), "warn"),
    "answered": (Text("answered", "已回复"), "good"),
    "closed": (Text("closed", "已关闭"), ""),
}
WRITES = Text("new message", "有新消息")
NOBODY = Text("Nobody waits for a person.", "当前没有等待人工的客户。")
CHOOSE = Text("Choose a conversation.", "请选择一个对话。")
REASON, INTENTS = Text("Reason", "转接原因"), Text("What the model thought", "模型的判断")
SAID = Text("What was said", "对话记录")
ANSWER, NAME = (
    Text("Your answer; the customer sees it at once", "您的回复（客户会立即看到）"),
    Text("Your name", "您的姓名"),
)
SEND, CLOSE = Text("Send", "发送"), Text("Close and give back to the assistant", "关闭并交回智能客服")
SENT = Text("Sent.", "已发送。")
NO_WORDS = Text("Write the answer first.", "请先填写回复。")
GONE = Text("A colleague has closed this conversation.", "该对话已被其他同事关闭。")
DONE = Text("Closed: the assistant answers again.", "已关闭，由智能客服继续服务。")


@dataclass(frozen=True)
class View:
    """What one agent's browser tab looks at.

    Args:
        handoff_id: The one in sight; 0 = the one that has waited longest.
        form: Changes when an answer was sent, so that the form forgets it.
        agent: The agent's name, as typed last.
        message: What came of the last click, as HTML.
        shown: What is on the page, so that the clock sends only news.
    """

    handoff_id: int = 0
    form: int = 0
    agent: str = ""
    message: str = ""
    shown: int = 0


@dataclass(frozen=True)
class HandoffsTab:
    """What the events of the tab do; each gives list, conversation and view.

    Args:
        desk: Has the handoffs.
    """

    desk: Desk

    def act(self, view: View, event: gr.EventData) -> tuple[Any, ...]:
        """A click: choose, answer, close."""
        wish, view = forms.typed(event, "act"), replace(view, message="")
        chosen = forms.typed(event, "handoff")
        number = int(chosen) if chosen.isdecimal() and len(chosen) < 12 else 0
        if wish == "choose":
            view = replace(view, handoff_id=number)
        elif wish in ("answer", "close") and number:
            view = self._settle(replace(view, handoff_id=number, agent=forms.typed(event, "agent")[:80]), wish, event)
        return self.shown(view)

    def shown(self, view: View) -> tuple[Any, ...]:
        """List, conversation and view."""
        waiting = self._waiting()
        said = {one.id: self.desk.conversations.messages(one.conversation_id) for one in waiting}
        chosen = next((one for one in waiting if one.id == view.handoff_id), None)
        if chosen is None and waiting:
            chosen = waiting[0]
            view = replace(view, handoff_id=chosen.id)
        listed = "".join(_row(one, said[one.id], is_chosen=one is chosen) for one in waiting)
        left = f'<div class="entries">{listed or forms.empty(NOBODY)}</div>'
        right = self._conversation(chosen, said[chosen.id], view) if chosen else _aside(view)
        return left, right, replace(view, shown=hash((left, right)))

    def poll(self, view: View) -> tuple[Any, ...]:
        """The same if there is news, else nothing."""
        left, right, new = self.shown(view)
        return (left, right, new) if new.shown != view.shown else (gr.skip(),) * 3

    def _waiting(self) -> list[Handoff]:
        """Those that are not closed; who has waited longest without any answer comes first."""
        handoffs = self.desk.conversations
        opened = [*handoffs.handoffs(APP, "open", LISTED)][::-1]
        return [*opened, *handoffs.handoffs(APP, "answered", LISTED)]

    def _settle(self, view: View, wish: str, event: gr.EventData) -> View:
        conversations = self.desk.conversations
        one = next((one for one in self._waiting() if one.id == view.handoff_id), None)
        if one is None:
            return replace(view, message=forms.told("warn", GONE))
        if wish == "answer" and not forms.typed(event, "text"):
            return replace(view, message=forms.told("warn", NO_WORDS))
        try:
            if wish == "answer":
                conversations.answer_handoff(one.id, forms.typed(event, "text"), view.agent)
                return replace(view, form=view.form + 1, message=forms.told("good", SENT))
            conversations.close_handoff(one.id)
            self.desk.give_back(one.conversation_id, one.language)
            return replace(view, handoff_id=0, message=forms.told("good", DONE))
        except UserError as error:
            return replace(view, message=forms.refused(error))

    def _conversation(self, one: Handoff, messages: Sequence[Message], view: View) -> str:
        words = self.desk.assistant.dialogue.words

        def ranking(language: Language) -> str:
            rows = [Bar(intent_word(label, words, language), share) for label, share in one.ranking[:SHOWN_INTENTS]]
            return heading(INTENTS.in_language(language)) + bars(rows) if rows else ""

        said = "".join(_said(message) for message in messages[-SHOWN_MESSAGES:])
        answer = forms.field("text", ANSWER, rows=3, limit=5000)
        acts = forms.buttons(forms.button("answer", SEND), forms.button("close", CLOSE, "quietly"))
        name = forms.field("agent", NAME, view.agent, limit=80)
        return (
            f'<div class="entries"><div role="status">{view.message}</div><section class="card">'
            f'<div class="tags">{_tags(one, messages)}</div><p class="quiet">{inline(REASON)}: '
            f"{inline(reason_words(one.reason))}</p>{in_both(ranking)}</section>"
            f'<section class="card"><h2>{inline(SAID)}</h2><div class="said-by" tabindex="0">{said}</div>'
            f'<form data-key="{one.id}:{view.form}" data-handoff="{one.id}">{answer}{name}{acts}</form></section></div>'
        )


def build_handoffs_tab(desk: Desk, tabs: Sequence[gr.Tab]) -> None:
    """Components and events of the tab.

    Args:
        desk: Has the handoffs.
        tabs: Read anew when one of them is opened, and from then on every few seconds.
    """
    events = HandoffsTab(desk)
    view = gr.State(View())
    clock = gr.Timer(POLL_S, active=False)
    outputs = build_split(events.act, events.shown, view, "handoff-list", "handoff", tabs)
    tabs[-1].select(lambda: gr.Timer(active=True), None, clock, **AT_ONCE)
    clock.tick(events.poll, view, outputs, **AT_ONCE)


def _row(one: Handoff, messages: Sequence[Message], *, is_chosen: bool) -> str:
    last = next((message.text for message in reversed(messages) if message.role == "customer"), "")
    return (
        f'<button type="button" class="entry" data-act="choose" data-shows="handoff" data-handoff="{one.id}" '
        f'aria-pressed="{str(is_chosen).lower()}"><strong dir="auto">{inert(last, 160)}</strong>'
        f'<span class="fine">{inline(reason_words(one.reason))}</span>'
        f'<span class="tags">{_tags(one, messages)}</span></button>'
    )


def _tags(one: Handoff, messages: Sequence[Message]) -> str:
    state, tone = STATES.get(one.status, (Text(one.status, one.status), ""))
    shown = forms.tag(state, tone)
    if one.status == "answered" and messages and messages[-1].role == "customer":
        shown += forms.tag(WRITES, "warn")
    language = LANGUAGE_NAMES.get(one.language)
    return shown + (forms.tag(language) if language else "") + forms.plain_tag(_time(one.created))


def _said(message: Message) -> str:
    if CLOSED in message.details:
        return f'<p class="note" dir="auto">{inert(message.text)}</p>'
    name = NAMES.get(message.role, CUSTOMER)
    agent = str(message.details.get("agent", "")) if message.role == "agent" else ""
    who = f"{inline(name)} {inert(agent, 80)}" if agent else inline(name)
    return f'<div class="turn {message.role}"><b>{who}</b><p class="said" dir="auto">{inert(message.text)}</p></div>'


def _aside(view: View) -> str:
    return f'<div class="entries"><div role="status">{view.message}</div>{forms.empty(CHOOSE)}</div>'


def _time(written: str) -> str:
    return f"{written[:16].replace('T', ' ')} UTC"
