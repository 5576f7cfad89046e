"""The page: lists that answer to every click and slider, and how good the model was measured to be."""

from pathlib import Path

import gradio as gr

from apps.recommender.app import SPEC
from apps.recommender.recommender import Recommender
from apps.recommender.ui.list_tab import build_list_tab
from apps.recommender.ui.model_tab import render_model
from core.serving.predictor import Predictor
from core.serving.store import Store
from core.texts import Text
from core.ui.evaluation_view import render_plots
from core.ui.frame import open_frame, show_html
from core.ui.translations import label

STYLE = Path(__file__).with_name("recommender.css")
LIST, MODEL = Text("For you", "为你推荐"), Text("Model", "模型与评估")
PLOTS = {"training": Text("Training", "训练过程")}


def build_recommender_page(predictor: Predictor, store: Store) -> gr.Blocks:
    """The page of a bundle.

    Args:
        predictor: Of a bundle of this app.
        store: Unused by this page: what visitors do on it is forgotten with their visit.
    """
    del store
    recommender = Recommender(predictor)
    with open_frame(SPEC.title, SPEC.summary, SPEC.limits, style=STYLE) as page, gr.Tabs():
        with gr.Tab(label(LIST), id="list"):
            build_list_tab(recommender, page)
        with gr.Tab(label(MODEL), id="model"):
            show_html(render_model(predictor), elem_id="model")
            show_html(render_plots(predictor, PLOTS), elem_id="plots")
    return page
