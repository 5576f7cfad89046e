"""The tab for one image: drop it, see the answer, say one's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from apps.medical_imaging.ui import reading_parts as parts
from apps.medical_imaging.ui.reading import Metadata, Reader, Reading, sample_images
from core.errors import UserError
from core.serving.store import Store
from core.texts import Text
from core.ui.frame import show_html
from core.ui.translations import in_both, label
from core.ui.widgets import notice

STATE_S = 3600
"""An image is forgotten so long after it was read, in seconds."""
HIDDEN: dict[str, Any] = {"api_visibility": "private"}


@dataclass(frozen=True)
class ReadingTab:
    """What the events of the tab read and change; each method gives the values of `outputs`.

    Args:
        reader: Answers.
        store: Keeps what readers say.
        num_metadata: Entries about the patient.
    """

    reader: Reader
    store: Store
    num_metadata: int

    def read_file(self, path: str | None) -> tuple[Any, ...]:
        """A new file, of whose patient nothing is known yet; None clears the tab."""
        if path is None:
            return self._blank(parts.render_empty())
        try:
            return self._fresh(self.reader.read(Path(path), Metadata()))
        except UserError as error:
            return self._blank(parts.render_error(error))

    def read_example(self, event: gr.EventData) -> tuple[Any, ...]:
        """A drawn example; the file that was chosen before is let go."""
        example = sample_images()[int(event.number) % len(sample_images())]
        return (*self._fresh(self.reader.read_content(example.name, example.png, Metadata())), None)

    def read_again(self, found: Reading | None, *values: Any) -> tuple[Any, ...]:
        """The same image with what was entered about the patient: viewer, answer, reading."""
        wanted = parts.read_metadata(values)
        if found is None or found.metadata == wanted:
            return gr.skip(), gr.skip(), gr.skip()
        again = self.reader.read_again(found, wanted)
        return (*self.reader.render(again), again)

    def keep(self, found: Reading | None, word: str | None, comment: str) -> tuple[Any, ...]:
        """Saves the reader's word: confirmation, label, comment."""
        if found is None or not word:
            missing = parts.NO_IMAGE if found is None else parts.NO_LABEL
            return in_both(lambda language: notice("warn", missing.in_language(language))), gr.skip(), gr.skip()
        try:
            number = self.store.add(self.reader.feedback(found, word, comment or ""))
        except UserError as error:
            told = error.what, [error.allowed, error.fix]
            return in_both(lambda _: notice("stop", *told)), gr.skip(), gr.skip()
        done = Text(f"Saved as reading number {number}.", f"已保存，编号 {number}。")
        return in_both(lambda language: notice("good", done.in_language(language))), None, ""

    def _fresh(self, found: Reading) -> tuple[Any, ...]:
        return (*self.reader.render(found), found, *self._panels(visible=True))

    def _blank(self, answer: str) -> tuple[Any, ...]:
        return "", answer, None, *self._panels(visible=False)

    def _panels(self, *, visible: bool) -> tuple[Any, ...]:
        """Own reading and metadata, emptied: what was entered belongs to another image."""
        shown = (gr.Column(visible=visible), gr.Column(visible=visible and self.num_metadata > 0))
        return (*shown, "", None, "", *[parts.UNKNOWN] * self.num_metadata)


def build_reading_tab(reader: Reader, store: Store) -> None:
    """Components and events of the tab.

    Args:
        reader: Answers.
        store: Keeps what readers say.
    """
    reading = gr.State(None, time_to_live=STATE_S)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            file = gr.File(label=label(parts.DROP), elem_id="drop", elem_classes=["drop-zone"], height=156)
            viewer = show_html(elem_id="viewer")
            with gr.Column(visible=False, elem_id="panel-metadata") as patient:
                metadata = parts.build_metadata(reader.schema)
            samples = show_html(parts.render_examples(), js_on_load=parts.PICK_EXAMPLE, elem_id="examples")
        with gr.Column(scale=6, min_width=320):
            answer = show_html(parts.render_empty(), elem_id="answer")
            with gr.Column(visible=False, elem_id="panel-own") as form:
                own, comment, save = parts.build_own_reading(reader.schema)
            saved = show_html(elem_id="saved")
    tab = ReadingTab(reader, store, len(metadata))
    outputs = [viewer, answer, reading, form, patient, saved, own, comment, *metadata]
    file.upload(tab.read_file, file, outputs, **HIDDEN)
    file.clear(lambda: tab.read_file(None), None, outputs, **HIDDEN)
    samples.click(tab.read_example, None, [*outputs, file], **HIDDEN)
    for entry in metadata:
        entry.input(
            tab.read_again,
            [reading, *metadata],
            [viewer, answer, reading],
            trigger_mode="always_last",
            show_progress="hidden",
            **HIDDEN,
        )
    save.click(tab.keep, [reading, own, comment], [saved, own, comment], **HIDDEN)
