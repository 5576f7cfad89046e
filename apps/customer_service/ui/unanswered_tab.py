"""The tab with what had no answer, grouped by meaning: one click makes it an entry, or examples, or nothing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from apps.customer_service.desk import APP, Desk
from apps.customer_service.ui.knowledge_tab import NO_ANSWER
from apps.customer_service.ui.label_words import intent_words
from apps.customer_service.ui.links import BAD_LINK, is_link
from core.errors import UserError
from core.retrieval.clusters import Cluster, cluster_questions
from core.retrieval.entry import Entry
from core.serving.questions import Outcome, Unanswered
from core.texts import Text
from core.ui import forms
from core.ui.actions import ACTIONS, AT_ONCE, CLICK
from core.ui.frame import show_html
from core.ui.inert import inert
from core.ui.translations import inline

MAX_QUESTIONS, MAX_CLUSTERS, SHOWN_TEXTS = 500, 20, 8
NOTHING = Text("Every question had an answer.", "没有未解答的问题。")
ASKED = Text("Asked {n} times", "共 {n} 次提问")
ASKED_ONCE = Text("Asked once", "1 次提问")
MORE = Text("and {n} more", "另有 {n} 条")
LIKELIEST = Text("Likeliest intent:", "最可能的意图：")
QUESTION, ANSWER = Text("Question of the entry", "条目的问题"), Text("Answer", "答案")
LINK = Text("Link (http or https), may be empty", "链接（可留空）")
ADD = Text("Add as an entry", "添加为条目")
INTENT = Text("Intent, known or new", "意图（已有或新建）")
KEEP = Text("Keep as examples", "存为训练样本")
OUTSIDE = Text("None of our matters", "不属于业务范围")
DISMISS = Text("Dismiss", "忽略")
ADDED = Text("Added. It answers from now on.", "已添加，立即生效。")
KEPT = Text("Kept as examples: the next training learns them.", "已存为样本，下次训练时会学习。")
DISMISSED = Text("Dismissed.", "已忽略。")
NO_INTENT = Text("Name the intent first.", "请先填写意图。")
LEARNT = Text("Labelled examples that wait for the next training", "等待下次训练的样本数")


@dataclass(frozen=True)
class Group:
    """Questions that ask the same; ids are those of the store."""

    questions: tuple[Unanswered, ...]
    typical: Unanswered

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(number for question in self.questions for number in question.ids)


@dataclass(frozen=True)
class UnansweredTab:
    """What the events of the tab do.

    Args:
        desk: Has the queue, the entries and the examples.
    """

    desk: Desk

    def act(self, event: gr.EventData) -> str:
        """A click on one of the groups."""
        ids = {int(part) for part in forms.typed(event, "ids").split(",") if part.isdecimal() and len(part) < 12}
        wish, message = forms.typed(event, "act"), ""
        group = next((group for group in self.groups() if ids and ids <= set(group.ids)), None)
        if group is not None:
            try:
                message = self._settle(group, wish, event)
            except UserError as error:
                message = forms.refused(error)
        return self.shown(message)

    def shown(self, message: str = "") -> str:
        """The groups, the largest first."""
        groups = self.groups()
        intents = forms.suggestions("intents-unanswered", self.desk.assistant.dialogue.known_intents)
        cards = "".join(self._card(group) for group in groups[:MAX_CLUSTERS])
        examples = len(self.desk.conversations.examples(APP))
        learnt = f'<p class="quiet">{inline(LEARNT)}: {examples:,}</p>' if examples else ""
        body = cards or forms.empty(NOTHING)
        return f'<div class="entries"><div role="status">{message}</div>{intents}{body}{learnt}</div>'

    def groups(self) -> list[Group]:
        """The open questions by meaning."""
        questions = self.desk.conversations.unanswered(APP, MAX_QUESTIONS)
        found = cluster_questions([q.text for q in questions], self.desk.assistant.knowledge.encoder)
        groups = [_group(cluster, questions) for cluster in found]
        return sorted(groups, key=lambda group: -len(group.ids))

    def _settle(self, group: Group, wish: str, event: gr.EventData) -> str:
        if wish == "entry":
            return self._add_entry(group, event)
        if wish in ("examples", "outside"):
            label = forms.typed(event, "label") if wish == "examples" else ""
            if wish == "examples" and not label:
                return forms.told("warn", NO_INTENT)
            for question in group.questions:
                self.desk.conversations.add_example(APP, question.text, label, "unanswered")
            return self._resolve(group, "example", label, KEPT)
        return self._resolve(group, "dismissed", "", DISMISSED) if wish == "dismiss" else ""

    def _add_entry(self, group: Group, event: gr.EventData) -> str:
        answer, url = forms.typed(event, "answer"), forms.typed(event, "url")
        if not answer:
            return forms.told("warn", NO_ANSWER)
        if not is_link(url):
            return forms.told("warn", BAD_LINK)
        question = forms.typed(event, "question") or group.typical.text
        entry = Entry(
            entry_id=f"entry-{secrets.token_hex(4)}",
            question=question,
            answer=answer,
            url=url,
            language=group.typical.language if group.typical.language in ("en", "zh") else "",
            known_queries=tuple(dict.fromkeys(one.text for one in group.questions if one.text != question)),
        )
        doubts = self.desk.assistant.knowledge.put(entry)
        shown = self._resolve(group, "entry", entry.entry_id, ADDED)
        return shown + (forms.told("warn", ADDED, doubts) if doubts else "")

    def _resolve(self, group: Group, outcome: Outcome, value: str, done: Text) -> str:
        self.desk.conversations.resolve_unanswered(group.ids, outcome, value)
        return forms.told("good", done)

    def _card(self, group: Group) -> str:
        ids = ",".join(map(str, group.ids))
        count = ASKED_ONCE if len(group.ids) == 1 else _counted(ASKED, len(group.ids))
        others = [one for one in group.questions if one is not group.typical]
        texts = "".join(f'<li dir="auto">{inert(one.text, 300)}</li>' for one in others[:SHOWN_TEXTS])
        listed = f'<ul class="asked">{texts}</ul>' if texts else ""
        hidden = len(others) - SHOWN_TEXTS
        more = f'<p class="fine">{inline(_counted(MORE, hidden))}</p>' if hidden > 0 else ""
        entry = (
            forms.field("question", QUESTION, group.typical.text, limit=2000)
            + forms.field("answer", ANSWER, rows=2)
            + forms.field("url", LINK, limit=2000)
            + forms.buttons(forms.button("entry", ADD))
        )
        label = forms.field("label", INTENT, limit=200, choices="intents-unanswered")
        labelling = forms.buttons(
            forms.button("examples", KEEP, "quietly"),
            forms.button("outside", OUTSIDE, "quietly"),
            forms.button("dismiss", DISMISS, "quietly"),
        )
        return (
            f'<section class="card"><h2 dir="auto">{inert(group.typical.text, 200)}</h2>'
            f'<div class="tags">{forms.tag(count)}{self._likeliest(group)}</div>{listed}{more}'
            f'<form data-key="{ids}" data-ids="{ids}">{entry}<div class="pair">{label}{labelling}</div></form>'
            "</section>"
        )

    def _likeliest(self, group: Group) -> str:
        if not group.typical.ranking:
            return ""
        label, share = group.typical.ranking[0]
        words = intent_words(label, self.desk.assistant.dialogue.words)
        return forms.tag(Text(*(f"{head} {word} {share:.2f}" for head, word in zip(LIKELIEST, words, strict=True))))


def build_unanswered_tab(desk: Desk, tabs: Sequence[gr.Tab]) -> None:
    """Components and events of the tab.

    Args:
        desk: Has the queue, the entries and the examples.
        tabs: Read anew when one of them is opened.
    """
    events = UnansweredTab(desk)
    shown = show_html(js_on_load=ACTIONS, elem_id="unanswered")
    shown.click(events.act, None, shown, **CLICK)
    for tab in tabs:
        tab.select(events.shown, None, shown, **AT_ONCE)


def _group(cluster: Cluster, questions: Any) -> Group:
    return Group(tuple(questions[index] for index in cluster.indices), questions[cluster.medoid])


def _counted(words: Text, count: int) -> Text:
    return Text(words.en.format(n=f"{count:,}"), words.zh.format(n=f"{count:,}"))
