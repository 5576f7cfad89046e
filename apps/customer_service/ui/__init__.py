"""The page: a chat for customers, and the team's tabs behind it; one module a tab.

Who may open the team's tabs is not decided here: whoever reaches the page reaches them. Put a proxy that asks for a
login before the page, or serve customers from a program that calls `/chat`.
"""

from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr

from apps.customer_service.app import SPEC
from apps.customer_service.assistant import Assistant, build_assistant
from apps.customer_service.desk import Desk
from apps.customer_service.ui.chat_tab import build_chat_tab
from apps.customer_service.ui.endpoints import add_endpoints
from apps.customer_service.ui.handoffs_tab import build_handoffs_tab
from apps.customer_service.ui.insight_tab import build_insight_tab
from apps.customer_service.ui.knowledge_tab import build_knowledge_tab
from apps.customer_service.ui.model_tab import measured_limits, render_model, render_plots
from apps.customer_service.ui.ratings_tab import render_ratings
from apps.customer_service.ui.unanswered_tab import build_unanswered_tab
from core.data.personal_data import mask_personal_data
from core.serving.conversations import Conversations
from core.serving.predictor import Predictor
from core.serving.store import Store
from core.texts import Text
from core.ui.actions import AT_ONCE
from core.ui.frame import FOOTER, open_frame, show_html
from core.ui.translations import label

STYLE = Path(__file__).with_name("support.css")
CHAT, TEAM = Text("Chat", "对话"), Text("Team", "团队")
INSIGHT, KNOWLEDGE = Text("Insight", "模型判断"), Text("Knowledge", "知识库")
UNANSWERED, HANDOFFS = Text("Unanswered", "未解答"), Text("Handoffs", "人工接待")
RATINGS, MODEL = Text("Ratings", "评价"), Text("Model", "模型与评估")


def open_support_page(predictor: Predictor, store: Store) -> gr.Blocks:
    """The page of a bundle.

    Args:
        predictor: Of a bundle of this app.
        store: Keeps conversations, masked; changes of the knowledge lie in a folder beside its file.
    """
    conversations = Conversations(store, lambda text: mask_personal_data(text).text)
    return build_support_page(build_assistant(predictor, changes_folder(store)), conversations)


def build_support_page(assistant: Assistant, conversations: Conversations) -> gr.Blocks:
    """The whole page.

    Args:
        assistant: Understands, searches, replies.
        conversations: Keeps what was said, masked.
    """
    desk = Desk(assistant, conversations)
    limits = (*SPEC.limits, *measured_limits(assistant.predictor))
    with open_frame(SPEC.title, SPEC.summary, limits, footer=_footer(assistant), style=STYLE) as page:
        chat = gr.State(None)
        with gr.Tabs():
            with gr.Tab(label(CHAT), id="chat"):
                build_chat_tab(desk, chat, page)
            with gr.Tab(label(TEAM), id="team") as team, gr.Tabs():
                _build_team_tabs(desk, chat, team)
        add_endpoints(desk)
    return page


def changes_folder(store: Store) -> Path | None:
    """Where changes of the knowledge are kept; None = in memory, as the store is."""
    url = store.engine.url
    if url.get_backend_name() != "sqlite":
        return Path("runs") / SPEC.name / "knowledge"
    return Path(url.database).with_suffix(".knowledge") if url.database and url.database != ":memory:" else None


def _build_team_tabs(desk: Desk, chat: gr.State, team: gr.Tab) -> None:
    with gr.Tab(label(INSIGHT), id="insight") as insight:
        build_insight_tab(desk, chat, [team, insight])
    with gr.Tab(label(KNOWLEDGE), id="knowledge") as knowledge:
        build_knowledge_tab(desk.assistant.knowledge, [knowledge])
    with gr.Tab(label(UNANSWERED), id="unanswered") as unanswered:
        build_unanswered_tab(desk, [team, unanswered])
    with gr.Tab(label(HANDOFFS), id="handoffs") as handoffs:
        build_handoffs_tab(desk, [handoffs])
    with gr.Tab(label(RATINGS), id="ratings") as ratings:
        rated = show_html(elem_id="ratings")
    with gr.Tab(label(MODEL), id="model") as model:
        show_html(render_model(desk.assistant), elem_id="model")
        plots = show_html(elem_id="plots")
    for tab in (team, ratings):
        tab.select(lambda: render_ratings(desk.conversations), None, rated, **AT_ONCE)
    # Drawing takes a second: not before someone looks.
    model.select(lambda: render_plots(desk.assistant.predictor), None, plots, **AT_ONCE)


def _footer(assistant: Assistant) -> Text:
    """Where data goes: nowhere, unless a language model on another machine words the answers."""
    endpoint = assistant.dialogue.config.llm.endpoint
    host = urlsplit(endpoint).hostname or endpoint
    if not endpoint or host in ("localhost", "127.0.0.1", "::1"):
        return FOOTER
    return Text(
        f"Questions and the passages found are sent to the language model at {host}; nothing else leaves the machine "
        "that serves this page.",
        f"问题与检索到的条目会发送到 {host} 的语言模型；其余数据仅保留在提供本页面的机器上。",
    )
