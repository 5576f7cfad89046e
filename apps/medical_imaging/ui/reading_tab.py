"""The tab for one image: drop it, see the answer, say one's own."""

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from apps.medical_imaging.ui.label_words import choices, name_word
from apps.medical_imaging.ui.reading import Metadata, Reader, Reading, SampleImage, sample_images
from core.data.image_files import IMAGE_SUFFIXES
from core.errors import UserError
from core.serving.store import Store
from core.texts import Text
from core.ui.translations import in_both, inline, label, language_of
from core.ui.widgets import notice

OTHER = "other"
PICK_EXAMPLE = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-number]');
  if (button) trigger('click', {number: Number(button.dataset.number)});
});
"""
DROP = Text(
    "Image or DICOM file: drop it here, click to choose, or paste (Ctrl+V)",
    "图像或 DICOM 文件：拖放到此处、点击选择或粘贴（Ctrl+V）",
)
EXAMPLES = Text("Or try a drawn example (no patient)", "或试用绘制的示例（非患者图像）")
EMPTY = Text("The answer appears here.", "结果将显示在此处。")
AGE, SEX, SITE = Text("Age (years)", "年龄（岁）"), Text("Sex", "性别"), Text("Site", "部位")
METADATA = Text("About the patient, if known: the model uses it", "患者信息（如已知）：模型会使用")
OWN_READING = Text("Your own reading", "您的判读")
OWN_LABEL, COMMENT = Text("Your label", "您的标签"), Text("Comment", "备注")
SAVE = Text("Save my reading", "保存判读")
KEPT = Text(
    "Kept on the server of this page: the answer, your label and comment, the file name, age, sex and site as entered, "
    "and the image as PNG without the file's metadata. Leave names of patients out of comments and file names.",
    "将保存在本页面的服务器上：模型结果、您的标签与备注、文件名、所填年龄、性别和部位，"
    "以及不含文件元数据的 PNG 图像。请勿在备注和文件名中包含患者姓名。",
)
NO_LABEL = Text("Choose your label first.", "请先选择您的标签。")
NO_IMAGE = Text("Give an image first.", "请先提供图像。")
UNREADABLE = Text("This file cannot be read", "无法读取此文件")
UNREADABLE_ZH = "请提供 JPEG、PNG、WebP、TIFF、BMP、GIF、PPM、JPEG 2000 或 DICOM 格式的完整图像。原始说明："


def build_reading_tab(
    page: gr.Blocks, reader: Reader, store: Store, refresh: Callable[[], str], readings: gr.HTML
) -> None:
    """Components and events of the tab.

    Args:
        page: What is being built.
        reader: Answers.
        store: Keeps what readers say.
        refresh: Renders the stored readings anew.
        readings: Where they are shown.
    """
    reading = gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            file = gr.File(
                label=label(DROP),
                file_types=sorted(IMAGE_SUFFIXES),
                elem_id="drop",
                elem_classes=["drop-zone"],
                height=190,
            )
            samples = gr.HTML(_render_examples(), js_on_load=PICK_EXAMPLE, elem_id="examples")
            viewer = gr.HTML("", elem_id="viewer")
            metadata = _metadata_inputs(reader)
        with gr.Column(scale=6, min_width=320):
            answer = gr.HTML(_empty(), elem_id="answer")
            with gr.Group(visible=False, elem_id="own-reading") as form:
                own, comment, save = _own_reading()
            saved = gr.HTML("", elem_id="saved")
    shown = [viewer, answer, reading, form, saved]

    def show(found: Reading) -> tuple[Any, ...]:
        return (*reader.render(found), found, gr.Group(visible=True), "")

    def read_file(path: str | None, *values: Any) -> tuple[Any, ...]:
        if path is None:
            return "", _empty(), None, gr.Group(visible=False), ""
        try:
            return show(reader.read(Path(path), _metadata(values)))
        except UserError as error:
            return "", render_error(error), None, gr.Group(visible=False), ""

    def read_example(event: gr.EventData) -> tuple[Any, ...]:
        example = sample_images()[int(event.number) % len(sample_images())]
        # Nothing is known of a drawn example, and what was entered belongs to another image.
        blank = [None for _ in metadata]
        return (*show(reader.read_content(example.name, example.png, Metadata())), None, *blank)

    def read_again(found: Reading | None, *values: Any) -> tuple[Any, ...]:
        wanted = _metadata(values)
        if found is None or found.metadata == wanted:
            return tuple(gr.skip() for _ in shown)
        return show(reader.read_again(found, wanted))

    def keep(found: Reading | None, word: str | None, text: str) -> tuple[Any, ...]:
        return _keep(reader, store, found, word, text)

    def localise(request: gr.Request) -> Any:
        return _localised(reader, request)

    hidden: dict[str, Any] = {"api_visibility": "private"}
    file.upload(read_file, [file, *metadata], shown, **hidden)
    file.clear(read_file, [file, *metadata], shown, **hidden)
    samples.click(read_example, None, [*shown, file, *metadata], **hidden)
    for entry in metadata:
        entry.change(
            read_again, [reading, *metadata], shown, trigger_mode="always_last", show_progress="hidden", **hidden
        )
    save.click(keep, [reading, own, comment], [saved, own, comment], **hidden).then(refresh, None, readings, **hidden)
    page.load(localise, None, [own, *metadata[1:]], show_progress="hidden", **hidden)


def render_error(error: UserError) -> str:
    """Why a file cannot be read."""
    return in_both(
        lambda language: (
            '<section class="card">'
            + notice(
                "stop",
                UNREADABLE.in_language(language),
                [part for part in (error.what, error.allowed, error.fix) if part]
                if language == "en"
                else [f"{UNREADABLE_ZH}{error.what}"],
            )
            + "</section>"
        )
    )


def _keep(reader: Reader, store: Store, found: Reading | None, word: str | None, text: str) -> tuple[Any, ...]:
    if found is None or not word:
        missing = NO_IMAGE if found is None else NO_LABEL
        return in_both(lambda language: notice("warn", missing.in_language(language))), gr.skip(), gr.skip()
    try:
        number = store.add(reader.feedback(found, word, text or ""))
    except UserError as error:
        told = error.what, [error.allowed, error.fix]
        return in_both(lambda _: notice("stop", *told)), gr.skip(), gr.skip()
    done = Text(f"Saved as reading number {number}.", f"已保存，编号 {number}。")
    return in_both(lambda language: notice("good", done.in_language(language))), None, ""


def _own_reading() -> tuple[gr.Dropdown, gr.Textbox, gr.Button]:
    gr.HTML(f"<h2>{inline(OWN_READING)}</h2>", padding=True)
    own = gr.Dropdown(choices=[], value=None, label=label(OWN_LABEL), elem_id="own-label")
    comment = gr.Textbox(label=label(COMMENT), lines=2, max_lines=6, elem_id="comment")
    save = gr.Button(value=label(SAVE), variant="primary", elem_id="save")
    gr.HTML(f'<p class="quiet">{inline(KEPT)}</p>', padding=True)
    return own, comment, save


def _metadata_inputs(reader: Reader) -> list[Any]:
    if not reader.schema.uses_metadata:
        return []
    with gr.Group(elem_id="metadata"):
        gr.HTML(f'<p class="quiet">{inline(METADATA)}</p>', padding=True)
        with gr.Row():
            age = gr.Number(label=label(AGE), value=None, minimum=0, maximum=120, precision=0, min_width=110)
            sex = gr.Dropdown(choices=[], value=None, label=label(SEX), min_width=110)
            site = gr.Dropdown(choices=[], value=None, label=label(SITE), min_width=140)
    return [age, sex, site]


def _metadata(values: tuple[Any, ...]) -> Metadata:
    if not values:
        return Metadata()
    age, sex, site = values
    return Metadata(age, sex or None, site or None)


def _localised(reader: Reader, request: gr.Request) -> Any:
    """Choices of the dropdowns in the language of the page."""
    language, schema = language_of(request), reader.schema
    words = schema.labels if OTHER in schema.labels else (*schema.labels, OTHER)
    updates = [gr.Dropdown(choices=choices(words, language))]
    if schema.uses_metadata:
        unknown = [(Text("unknown", "未知").in_language(language), "")]
        updates += [gr.Dropdown(choices=unknown + choices(found, language)) for found in (schema.sexes, schema.sites)]
    return updates if len(updates) > 1 else updates[0]


def _empty() -> str:
    return f'<section class="card empty">{inline(EMPTY)}</section>'


def _render_examples() -> str:
    buttons = "".join(_example_button(number, example) for number, example in enumerate(sample_images()))
    return f'<p class="quiet">{inline(EXAMPLES)}</p><div class="examples">{buttons}</div>'


def _example_button(number: int, example: SampleImage) -> str:
    caption = example.caption or Text(name_word(example.label, "en"), name_word(example.label, "zh"))
    picture = base64.b64encode(example.png).decode()
    return (
        f'<button type="button" data-number="{number}"><img alt="" src="data:image/png;base64,{escape(picture)}">'
        f"<span>{inline(caption)}</span></button>"
    )
