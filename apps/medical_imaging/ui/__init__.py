"""The page for readers of skin images; one module a tab."""

from pathlib import Path
from typing import Any

import gradio as gr

from apps.medical_imaging.app import SPEC
from apps.medical_imaging.ui.batch_tab import build_batch_tab
from apps.medical_imaging.ui.evaluation_tab import measured_limits, render_model, render_plots
from apps.medical_imaging.ui.reading import Metadata, Reader
from apps.medical_imaging.ui.reading_tab import build_reading_tab
from apps.medical_imaging.ui.readings_tab import render_readings
from core.errors import UserError
from core.serving.predictor import Predictor
from core.serving.store import Store
from core.texts import Text
from core.ui.frame import open_frame, show_html
from core.ui.translations import label

ONE = Text("One image", "单张判读")
SEVERAL = Text("Several", "批量判读")
READINGS = Text("Readings", "判读记录")
MODEL = Text("Model", "模型与评估")
NOTICE = Text(
    "For research and teaching only. Not a medical device. Must not guide the care of a patient.",
    "仅供科研与教学使用。非医疗器械，不得用于指导患者诊疗。",
)


def build_lesion_page(predictor: Predictor, store: Store) -> gr.Blocks:
    """The whole page.

    Args:
        predictor: Of a bundle of this app.
        store: Keeps what readers say.
    """
    reader = Reader(predictor)
    hidden: dict[str, Any] = {"api_visibility": "private"}
    limits = (*SPEC.limits, *measured_limits(predictor))
    with open_frame(SPEC.title, SPEC.summary, limits, notice=NOTICE) as page:
        with gr.Tabs():
            with gr.Tab(label(ONE), id="one"):
                build_reading_tab(reader, store)
            with gr.Tab(label(SEVERAL), id="several"):
                build_batch_tab(reader)
            with gr.Tab(label(READINGS), id="readings") as readings_tab:
                readings = show_html(elem_id="readings")
            with gr.Tab(label(MODEL), id="model") as model_tab:
                show_html(render_model(predictor), elem_id="model")
                plots = show_html("", elem_id="plots")
        # Read anew whenever someone looks, so that what was just saved is there.
        readings_tab.select(lambda: render_readings(store, SPEC.name), None, readings, **hidden)
        # Drawing takes a second: not before someone looks.
        model_tab.select(lambda: render_plots(predictor), None, plots, **hidden)
        _add_endpoint(reader)
    return page


def _add_endpoint(reader: Reader) -> None:
    """`/predict` for programs: a file in, the answer as JSON out."""
    file = gr.File(visible=False)
    answer = gr.JSON(visible=False)

    def predict(path: str) -> dict[str, Any]:
        try:
            return reader.read(Path(path), Metadata()).answer.to_json()
        except UserError as error:
            return {"error": str(error)}

    gr.Button(visible=False).click(predict, file, answer, api_name="predict")
