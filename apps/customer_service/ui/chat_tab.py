"""The tab for customers: write, read the answer as it appears, follow its sources, choose, rate, ask for a person."""

import logging
import queue
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from apps.customer_service.bot_words import PERSON_OPTION
from apps.customer_service.desk import Desk
from apps.customer_service.ui import chat_words as words
from apps.customer_service.ui.chat import Chat, recall_chat
from apps.customer_service.ui.chat_log import Examples, render_log, render_partial, render_typing
from apps.customer_service.ui.icons import ARROW, BOT_FACE, BROOM, PERSON
from core.texts import LANGUAGES, Language
from core.ui import forms
from core.ui.actions import ACTIONS, AT_ONCE, HIDDEN
from core.ui.frame import show_html
from core.ui.inert import plain
from core.ui.language_switch import request_language
from core.ui.translations import inline

FOLDER = Path(__file__).parent
COMPOSER, SCROLL = ((FOLDER / name).read_text(encoding="utf-8") for name in ("composer.js", "scroll.js"))
STATE_S = 24 * 3600
"""A chat is forgotten by the page so long after its last message, in seconds."""
POLL_S = 2.0
CHATS_AT_ONCE = 32
"""Fewer than the threads of the server, so that the team's tabs get some."""
NUM_PIECES, PIECE_S = 8, 0.03
MAX_MESSAGE = 100_000
MAX_REASON = 500
NUM_EXAMPLES = 4
KEPT_AS, MAX_ID = "suite-customer-service-chat", 64
NO_CHAT = "none"
"""Gradio writes no empty value over one that a browser keeps."""
SAME_AFTER_RESTART = "the reader's own browser"
"""Gradio writes what it keeps in a browser in cipher; it is the reader's own, so the key need not be hidden."""
Outputs = tuple[Any, ...]
UNCHANGED: Outputs = (gr.skip(),) * 6
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChatTab:
    """What the events of the tab do; each gives log, line being written, bar, chat, clock and the id to be kept.

    Args:
        desk: Replies, and keeps what was said.
    """

    desk: Desk

    def act(self, chat: Chat | None, kept: Any, event: gr.EventData, request: gr.Request) -> Iterator[Outputs]:
        """A message, or a click on something in the chat."""
        language = request_language(request.headers)
        chat = chat or self._recall(kept, language) or Chat(language)
        wish = str(getattr(event, "act", ""))
        if wish == "clear":
            chat = Chat(chat.language)
        elif wish in ("like", "dislike", "reason"):
            self._rate(chat, wish, event)
        elif text := self._message(chat, wish, event):
            yield from self._converse(chat, text)
        yield self._shown(chat)

    def load(self, chat: Chat | None, kept: Any, request: gr.Request) -> Outputs:
        """The chat that this browser had, after a reload or on another visit."""
        chat = chat or self._recall(kept, request_language(request.headers))
        return self._shown(chat) if chat else UNCHANGED

    def poll(self, chat: Chat | None, kept: Any, request: gr.Request) -> Outputs:
        """What a person has answered since; the whole chat if the server was started anew meanwhile."""
        if chat is None:
            return self.load(chat, kept, request)
        return self._shown(chat) if chat.look(self.desk) else UNCHANGED

    def examples(self) -> Examples:
        """Questions to begin with, of different kinds, from the knowledge base as it is now."""
        chosen: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
        for entry in self.desk.assistant.knowledge.entries()[:2000]:
            if entry.question and len(entry.question) <= 80:
                for language in [entry.language] if entry.language in chosen else LANGUAGES:
                    chosen[language].setdefault(entry.category, entry.question)
        return {language: list(chosen[language].values())[:NUM_EXAMPLES] for language in LANGUAGES}

    def fresh(self) -> str:
        """The log of a chat in which nothing was said."""
        return render_log((), self.examples())

    def _recall(self, kept: Any, language: Language) -> Chat | None:
        return recall_chat(self.desk, kept, language) if isinstance(kept, str) and len(kept) <= MAX_ID else None

    def _message(self, chat: Chat, wish: str, event: gr.EventData) -> str:
        """The message that a click stands for; empty = none."""
        if wish == "person":
            return PERSON_OPTION.in_language(chat.session.language)
        if wish == "again":
            return chat.take_back()
        text = str(getattr(event, "text", ""))[:MAX_MESSAGE] if wish == "say" else ""
        return text if text.strip() else ""

    def _converse(self, chat: Chat, text: str) -> Iterator[Outputs]:
        """The customer's line, then the answer in pieces as it is written."""
        chat.say(text)
        yield render_log(chat.lines, {}), render_typing(), render_bar(chat), chat, *UNCHANGED[:2]
        pieces: queue.Queue[str | None] = queue.Queue()
        with ThreadPoolExecutor(1) as pool:
            turn = pool.submit(chat.answer, self.desk, text, pieces.put)
            turn.add_done_callback(lambda _: pieces.put(None))
            is_streamed = False
            while (piece := pieces.get()) is not None:
                is_streamed = True
                yield _written(piece)
        if error := turn.exception():
            LOG.error("A message was not answered: %s", type(error).__name__, exc_info=error)
            chat.fail()
            return
        found = turn.result()
        if not is_streamed and found.reply.reason != "handed_over":
            yield from _played(found.reply.text)
        chat.show(found)

    def _rate(self, chat: Chat, wish: str, event: gr.EventData) -> None:
        line = str(getattr(event, "line", ""))
        number = int(line) if line.isdecimal() and len(line) < 6 else -1
        if wish == "reason":
            reason = str(getattr(event, "reason", "") or getattr(event, "words", ""))
            chat.rate(self.desk, number, "dislike", plain(reason, MAX_REASON))
        else:
            chat.rate(self.desk, number, "like" if wish == "like" else "asking")

    def _shown(self, chat: Chat) -> Outputs:
        log = render_log(chat.lines, {} if chat.lines else self.examples())
        return log, "", render_bar(chat), chat, gr.Timer(active=chat.is_waiting), chat.conversation_id or NO_CHAT


def build_chat_tab(desk: Desk, chat: gr.State, page: gr.Blocks) -> None:
    """Components and events of the tab.

    Args:
        desk: Replies, and keeps what was said.
        chat: The chat of this browser tab.
        page: Shows the chat again when it is loaded.
    """
    tab = ChatTab(desk)
    with gr.Column(elem_id="chat"):
        bar = show_html(render_bar(None), js_on_load=ACTIONS, elem_id="chat-bar")
        with gr.Column(elem_id="chat-scroll"):
            log = show_html(tab.fresh(), js_on_load=ACTIONS + SCROLL, elem_id="chat-log")
            live = show_html(elem_id="chat-live")
        composer = show_html(render_composer(), js_on_load=ACTIONS + COMPOSER, elem_id="composer")
    clock = gr.Timer(POLL_S, active=False)
    # Only the id, which nobody can guess, stays in the browser.
    kept = gr.BrowserState("", storage_key=KEPT_AS, secret=SAME_AFTER_RESTART)
    outputs = [log, live, bar, chat, clock, kept]
    page.load(tab.load, [chat, kept], outputs, **AT_ONCE)
    gr.on(
        [bar.click, log.click, composer.click],
        tab.act,
        [chat, kept],
        outputs,
        trigger_mode="multiple",
        concurrency_limit=CHATS_AT_ONCE,
        **HIDDEN,
    )
    clock.tick(tab.poll, [chat, kept], outputs, **AT_ONCE)


def render_bar(chat: Chat | None) -> str:
    """Who answers, and what is always at hand: a person, a new chat."""
    is_waiting = chat is not None and chat.is_waiting
    status = words.WAITING_STATUS if is_waiting else words.STATUS
    buttons = "".join(
        f'<button type="button" class="pill {act}" data-act="{act}">{icon}<span>{inline(name)}</span></button>'
        for act, icon, name in (("person", PERSON, words.PERSON), ("clear", BROOM, words.CLEAR))
    )
    face = f'<span class="face" aria-hidden="true">{BOT_FACE}</span>'
    named = (
        f'<div class="named"><strong>{inline(words.NAME)}</strong><span class="status">{inline(status)}</span></div>'
    )
    return f'<div class="bar {"waiting" if is_waiting else ""}">{face}{named}<div class="at-hand">{buttons}</div></div>'


def render_composer() -> str:
    """The entry for a message."""
    entry = (
        f'<label><span class="hidden-words">{inline(words.WRITE)}</span><textarea name="text" rows="1" dir="auto" '
        f'maxlength="{MAX_MESSAGE}" {forms.placeholder(words.WRITE)}></textarea></label>'
    )
    send = (
        f'<button type="submit" class="send" data-act="say">{ARROW}'
        f'<span class="hidden-words">{inline(words.SEND)}</span></button>'
    )
    return f'<form class="composer">{entry}{send}</form><p class="fine">{inline(words.MASKED)}</p>'


def _written(text: str) -> Outputs:
    """The answer as far as it is written; nothing else changes."""
    return gr.skip(), render_partial(text), *UNCHANGED[2:]


def _played(text: str) -> Iterator[Outputs]:
    """An answer that came whole, shown in pieces."""
    size = max(1, -(-len(text) // NUM_PIECES))
    for end in range(size, len(text), size):
        yield _written(text[:end])
        time.sleep(PIECE_S)
