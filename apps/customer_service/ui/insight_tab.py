"""The tab that shows what the model thought of the last message, or of one that the team tries; and corrects it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from apps.customer_service.desk import APP, Desk
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from apps.customer_service.ui.chat import Chat
from apps.customer_service.ui.insight_view import render_insight
from core.texts import Text
from core.ui import forms
from core.ui.actions import ACTIONS, AT_ONCE, CLICK
from core.ui.frame import show_html

TRY, TRIED = Text("Try a message; it is not stored", "试一条消息（不会存储）"), Text("Try", "试试")
NOTHING = Text(
    "Write in the chat, or try a message here: what the model thought of it is shown.",
    "在对话中发消息，或在此试一条消息，这里会显示模型的判断。",
)
RIGHT = Text("The right intent; empty = none of them", "正确的意图；留空表示都不是")
KEEP = Text("Keep as an example", "存为训练样本")
KEPT = Text("Kept: the next training learns it.", "已保存，下次训练时会学习。")
MAX_TRIED = 5000


@dataclass(frozen=True)
class Looked:
    """A message and what the bot made of it."""

    text: str
    reply: Reply


@dataclass(frozen=True)
class InsightTab:
    """What the events of the tab do.

    Args:
        desk: Knows the assistant and keeps examples.
    """

    desk: Desk

    def act(self, looked: Looked | None, event: gr.EventData) -> tuple[Any, ...]:
        """Tries a message, or keeps a correction."""
        if forms.typed(event, "act") == "try":
            text = forms.typed(event, "text")[:MAX_TRIED]
            if not text:
                return gr.skip(), gr.skip()
            reply = self.desk.assistant.dialogue.reply(Session(), text)[0]
            return self._shown(Looked(text, reply))
        if looked is None:
            return gr.skip(), gr.skip()
        self.desk.conversations.add_example(APP, looked.text, forms.typed(event, "label"), "insight")
        return self._shown(looked, forms.told("good", KEPT))

    def last(self, chat: Chat | None) -> tuple[Any, ...]:
        """The last message of this browser tab's chat."""
        line = chat.last_reply if chat else None
        if chat is None or line is None or line.reply is None:
            return self._shown(None)
        position = chat.lines.index(line)
        asked = next((one.text for one in reversed(chat.lines[:position]) if one.who == "customer"), "")
        return self._shown(Looked(asked, line.reply))

    def _shown(self, looked: Looked | None, message: str = "") -> tuple[Any, ...]:
        attempt = forms.field("text", TRY, limit=MAX_TRIED) + forms.button("try", TRIED, is_default=True)
        head = f'<form class="find" data-key="try">{attempt}</form>'
        if looked is None:
            return f'<div class="entries">{head}{forms.empty(NOTHING)}</div>', None
        dialogue = self.desk.assistant.dialogue
        shown = render_insight(looked.text, looked.reply, dialogue.words)
        correction = self._correction(looked, dialogue.known_intents, message)
        return f'<div class="entries">{head}{shown}{correction}</div>', looked

    def _correction(self, looked: Looked, intents: Sequence[str], message: str) -> str:
        entry = forms.field("label", RIGHT, limit=200, choices="intents-insight")
        keep = forms.button("keep", KEEP, "quietly", is_default=True)
        key = abs(hash(looked.text))
        return (
            f'<section class="card"><div role="status">{message}</div><form class="find" data-key="keep:{key}">'
            f"{entry}{keep}</form>{forms.suggestions('intents-insight', intents)}</section>"
        )


def build_insight_tab(desk: Desk, chat: gr.State, tabs: Sequence[gr.Tab]) -> None:
    """Components and events of the tab.

    Args:
        desk: Knows the assistant and keeps examples.
        chat: The chat of this browser tab.
        tabs: Read anew when one of them is opened.
    """
    events = InsightTab(desk)
    looked = gr.State(None)
    shown = show_html(events.last(None)[0], js_on_load=ACTIONS, elem_id="insight")
    shown.click(events.act, looked, [shown, looked], **CLICK)
    for tab in tabs:
        tab.select(events.last, chat, [shown, looked], **AT_ONCE)
