"""A list beside what was chosen of it: the layout and the events that several tabs share."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from core.ui.actions import ACTIONS, AT_ONCE, CLICK
from core.ui.frame import show_html

Event = Callable[..., Any]


def build_split(
    act: Event, shown: Event, view: gr.State, list_id: str, chosen_id: str, tabs: Sequence[gr.Tab]
) -> list[gr.components.Component]:
    """Both places side by side; gives what these events write: list, chosen, view.

    Args:
        act: Does what was clicked in either place.
        shown: Reads both anew.
        view: What is shown now.
        list_id: Of the list's element.
        chosen_id: Of the other's.
        tabs: Read anew when one of them is opened.
    """
    with gr.Row(equal_height=False, elem_classes=["split"]):
        listed = show_html(js_on_load=ACTIONS, elem_id=list_id)
        chosen = show_html(js_on_load=ACTIONS, elem_id=chosen_id)
    outputs = [listed, chosen, view]
    gr.on([listed.click, chosen.click], act, view, outputs, **CLICK)
    for tab in tabs:
        tab.select(shown, view, outputs, **AT_ONCE)
    return outputs
