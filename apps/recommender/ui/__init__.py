"""The page: lists that answer to every click, what they are made from, two models side by side, and figures."""

from pathlib import Path

import gradio as gr

from apps.recommender.app import SPEC
from apps.recommender.recommender import Recommender
from apps.recommender.shop import Shop
from apps.recommender.ui.compare_tab import build_compare_tab
from apps.recommender.ui.endpoints import add_endpoints
from apps.recommender.ui.history_tab import build_history_tab
from apps.recommender.ui.lists import Lists
from apps.recommender.ui.model_tab import measured_limits, render_model, render_plots
from apps.recommender.ui.rules_tab import build_rules_tab
from apps.recommender.ui.shop_tab import build_shop_tab, first_visit
from core.serving.predictor import Predictor
from core.serving.store import Store
from core.texts import Text
from core.ui.actions import AT_ONCE
from core.ui.frame import open_frame, show_html
from core.ui.translations import label

STYLE = Path(__file__).with_name("recommender.css")
RULES = Text("Rules", "规则")
SHOP, HISTORY = Text("For you", "为你推荐"), Text("History", "历史")
COMPARE, MODEL = Text("Compare", "对比"), Text("Model", "模型与评估")


def build_recommender_page(predictor: Predictor, store: Store) -> gr.Blocks:
    """The page of a bundle.

    Args:
        predictor: Of a bundle of this app.
        store: Keeps rules, and the events and lists of the endpoints.
    """
    return build_shop_page(Lists(Shop(Recommender(predictor), store, predictor.bundle.id)), predictor)


def build_shop_page(lists: Lists, predictor: Predictor) -> gr.Blocks:
    """The whole page.

    Args:
        lists: Makes the lists.
        predictor: Of their model.
    """
    limits = (*SPEC.limits, *measured_limits(predictor))
    with open_frame(SPEC.title, SPEC.summary, limits, style=STYLE) as page:
        visit, rule_changes = gr.State(first_visit(lists)), gr.State(0)
        with gr.Tabs():
            with gr.Tab(label(SHOP), id="shop") as shop:
                build_shop_tab(lists, visit, page, shop, rule_changes)
            with gr.Tab(label(RULES), id="rules") as rules:
                build_rules_tab(lists, visit, rules, rule_changes)
            with gr.Tab(label(HISTORY), id="history") as history:
                build_history_tab(lists, visit, history)
            with gr.Tab(label(COMPARE), id="compare") as compare:
                build_compare_tab(lists, predictor, visit, compare)
            with gr.Tab(label(MODEL), id="model") as model:
                figures = show_html(elem_id="model")
                plots = show_html(elem_id="plots")
        add_endpoints(lists.shop)
        # What was measured since the page was opened is there too; drawing takes a second.
        model.select(lambda: (render_model(predictor), render_plots(predictor)), None, [figures, plots], **AT_ONCE)
    return page
