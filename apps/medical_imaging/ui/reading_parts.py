"""The pieces of the tab for one image: its words, inputs, examples and notices."""

import base64
from html import escape
from typing import Any

import gradio as gr

from apps.medical_imaging.ui.label_words import choices
from apps.medical_imaging.ui.reading import Metadata, SampleImage, sample_images
from core.data.image_files import UnreadableImage
from core.errors import UserError
from core.tasks.image_schema import ImageSchema
from core.texts import Text
from core.ui.frame import show_html
from core.ui.translations import in_both, inline, label
from core.ui.widgets import notice

OTHER, UNKNOWN = "other", ""
OLDEST = 110
PICK_EXAMPLE = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-number]');
  if (button) trigger('click', {number: Number(button.dataset.number)});
});
"""
DROP = Text("Image or DICOM file: drop, click, or paste (Ctrl+V)", "图像或 DICOM 文件：拖放、点击或粘贴（Ctrl+V）")
EXAMPLES = Text("Or try a drawn example (no patient)", "或试用绘制的示例（非患者图像）")
EMPTY = Text("The answer appears here.", "结果将显示在此处。")
NOT_GIVEN = Text("not given", "未提供")
AGE, SEX, SITE = Text("Age (years)", "年龄（岁）"), Text("Sex", "性别"), Text("Site", "部位")
METADATA = Text("About the patient", "患者信息")
METADATA_USE = Text("If known. The model reads it and answers anew.", "如已知请填写，模型将据此重新作答。")
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
FORMATS_ZH = "支持 JPEG、PNG、WebP、TIFF、BMP、GIF、PPM、JPEG 2000 和 DICOM。"
REASONS_ZH = {
    "missing": "文件不存在。",
    "empty_file": "文件为空。",
    "not_an_image": "文件内容不是可识别的图像。",
    "truncated": "文件不完整：图像数据中途结束。",
    "corrupt": "文件已损坏。",
    "too_large": "图像像素数过多。",
    "wrong_mode": "不支持该像素格式。",
}
"""By the short code of `UnreadableImage`; English tells its sentence."""


def build_own_reading(schema: ImageSchema) -> tuple[gr.Dropdown, gr.Textbox, gr.Button]:
    """Label, comment and button of the reader."""
    words = schema.labels if OTHER in schema.labels else (*schema.labels, OTHER)
    show_html(f"<h2>{inline(OWN_READING)}</h2>")
    own = gr.Dropdown(choices=choices(words), value=None, label=label(OWN_LABEL), elem_id="own-label")
    comment = gr.Textbox(label=label(COMMENT), lines=2, max_lines=6, elem_id="comment")
    save = gr.Button(value=label(SAVE), variant="primary", elem_id="save")
    show_html(f'<p class="quiet">{inline(KEPT)}</p>')
    return own, comment, save


def build_metadata(schema: ImageSchema) -> list[gr.Dropdown]:
    """Age, sex and site; nothing where the model does not read them."""
    if not schema.uses_metadata:
        return []
    show_html(f'<h2>{inline(METADATA)}</h2><p class="quiet">{inline(METADATA_USE)}</p>')
    ages = [(str(age), str(age)) for age in range(OLDEST + 1)]
    sexes, sites = choices(schema.sexes), choices(schema.sites)
    with gr.Row():
        # Not a number field: an empty one sends 0, which would be an age.
        return [
            gr.Dropdown(
                choices=[(label(NOT_GIVEN), UNKNOWN), *found],
                value=UNKNOWN,
                label=label(name),
                min_width=110,
                elem_id=f"metadata-{name.en.split()[0].lower()}",
            )
            for name, found in ((AGE, ages), (SEX, sexes), (SITE, sites))
        ]


def read_metadata(values: tuple[Any, ...]) -> Metadata:
    """What the entries say."""
    if not values:
        return Metadata()
    age, sex, site = values
    return Metadata(float(age) if age else None, sex or None, site or None)


def render_empty() -> str:
    """What stands where the answer will be."""
    return f'<section class="card empty">{inline(EMPTY)}</section>'


def error_words(error: UserError) -> Text:
    """What is wrong with a file: English has the particulars, Chinese the kind."""
    kind = REASONS_ZH.get(error.reason) if isinstance(error, UnreadableImage) else None
    return Text(error.what, kind or error.what)


def render_error(error: UserError) -> str:
    """Why a file cannot be read."""
    english = [part for part in (error.what, error.allowed, error.fix) if part]
    boxes = {"en": english, "zh": [error_words(error).zh, FORMATS_ZH]}
    box = in_both(lambda language: notice("stop", UNREADABLE.in_language(language), boxes[language]))
    return f'<section class="card">{box}</section>'


def render_examples() -> str:
    """The drawn examples, each a button."""
    buttons = "".join(_example_button(number, example) for number, example in enumerate(sample_images()))
    return f'<p class="quiet">{inline(EXAMPLES)}</p><div class="examples">{buttons}</div>'


def _example_button(number: int, example: SampleImage) -> str:
    picture = base64.b64encode(example.png).decode()
    return (
        f'<button type="button" data-number="{number}"><img alt="" src="data:image/png;base64,{escape(picture)}">'
        f"<span>{inline(example.caption)}</span></button>"
    )
