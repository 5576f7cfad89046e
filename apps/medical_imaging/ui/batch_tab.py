"""The tab for several files: one row each, none of which can stop the others, and a table to download."""

import csv
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from apps.medical_imaging.ui.label_words import name_word
from apps.medical_imaging.ui.reading import Metadata, Reader, Reading
from apps.medical_imaging.ui.reading_parts import error_words
from apps.medical_imaging.ui.readings_tab import DECISIONS
from core.errors import UserError
from core.texts import Language, Text
from core.ui.frame import show_html
from core.ui.translations import in_both, inline, label
from core.ui.widgets import table

FILES = Text(
    "Images or DICOM files: drop several here, click to choose, or paste",
    "图像或 DICOM 文件：拖放多个文件、点击选择或粘贴",
)
FOLDER = Text("Choose a folder", "选择文件夹")
START = Text("Read all", "全部判读")
DOWNLOAD = Text("Download the table (CSV)", "下载表格（CSV）")
NOTE = Text(
    "Read without age, sex and site. Nothing is saved among the readings.",
    "判读时不使用年龄、性别和部位。结果不会存入判读记录。",
)
NOTHING = Text("Choose files first.", "请先选择文件。")
COLUMNS = (
    Text("File", "文件"),
    Text("Decision", "结论"),
    Text("Type", "类型"),
    Text("Probability", "概率"),
    Text("Possible types", "可能的类型"),
    Text("Alarm", "警报"),
    Text("Lesion", "病灶"),
    Text("Area", "面积"),
    Text("Reason or error", "原因或错误"),
)
YES, NO = Text("yes", "是"), Text("no", "否")
ERROR = Text("error", "错误")
UNEXPECTED = Text("The file cannot be read.", "无法读取该文件。")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """One file in the table to download; what is not known is None."""

    file: str
    decision: str | None = None
    label: str | None = None
    probability: float | None = None
    prediction_set: str | None = None
    alarm: bool | None = None
    alarm_probability: float | None = None
    presence: bool | None = None
    area: float | None = None
    reason: str | None = None
    reason_zh: str | None = None
    error: str | None = None
    error_zh: str | None = None


def build_batch_tab(reader: Reader) -> None:
    """Components and events of the tab."""
    show_html(f'<p class="quiet">{inline(NOTE)}</p>')
    files = gr.File(
        label=label(FILES), file_count="multiple", elem_id="batch-files", elem_classes=["drop-zone"], height=150
    )
    with gr.Row():
        folder = gr.UploadButton(label=label(FOLDER), file_count="directory", elem_id="batch-folder")
        start = gr.Button(value=label(START), variant="primary", elem_id="batch-start")
    progress = show_html("", elem_id="batch-progress")
    result = show_html("", elem_id="batch-table")
    download = gr.DownloadButton(label=label(DOWNLOAD), visible=False, elem_id="batch-download")

    def read_all(paths: list[str] | None) -> Iterator[tuple[Any, ...]]:
        if not paths:
            yield f'<p class="quiet">{inline(NOTHING)}</p>', "", gr.DownloadButton(visible=False)
            return
        rows: list[Row] = []
        for path in paths:
            yield render_progress(len(rows), len(paths)), gr.skip(), gr.DownloadButton(visible=False)
            rows.append(read_row(reader, Path(path)))
        shown = in_both(lambda language: render_rows(rows, language))
        yield render_progress(len(rows), len(paths)), shown, gr.DownloadButton(value=str(_save(rows)), visible=True)

    hidden: dict[str, Any] = {"api_visibility": "private"}
    folder.upload(lambda paths: paths, folder, files, **hidden)
    start.click(read_all, files, [progress, result, download], show_progress="hidden", **hidden)


def read_row(reader: Reader, path: Path) -> Row:
    """The row of one file, whatever happens to it."""
    try:
        return answer_row(reader.read(path, Metadata()))
    except UserError as error:
        words = error_words(error)
        return Row(path.name, error=words.en, error_zh=words.zh)
    except Exception as error:  # one file must not stop the others
        kind = type(error).__name__
        return Row(path.name, error=f"{UNEXPECTED.en} ({kind})", error_zh=f"{UNEXPECTED.zh}（{kind}）")


def answer_row(reading: Reading) -> Row:
    """The row of an answer; a refused image has a reason and no label."""
    answer, verdict = reading.answer, reading.answer.verdict
    reasons = [" ".join(reason) for reason in (zip(*verdict.reasons, strict=True) if verdict.reasons else ())]
    if verdict.decision == "refused":
        return Row(reading.name, "refused", reason=reasons[0], reason_zh=reasons[1])
    label_word, probability = answer.ranking[0]
    return Row(
        file=reading.name,
        decision=verdict.decision,
        label=label_word,
        probability=round(probability, 4),
        prediction_set="|".join(verdict.prediction_set),
        alarm=answer.alarm.flagged if answer.alarm else None,
        alarm_probability=round(answer.alarm.probability, 4) if answer.alarm else None,
        presence=answer.presence.present,
        area=round(answer.region.area, 4) if answer.region else None,
        reason=reasons[0] if reasons else None,
        reason_zh=reasons[1] if reasons else None,
    )


def render_rows(rows: Sequence[Row], language: Language) -> str:
    """The table on the page."""
    return table([column.in_language(language) for column in COLUMNS], [_cells(row, language) for row in rows])


def write_csv(rows: Sequence[Row], target: Path) -> None:
    """The table as a file that spreadsheets open with Chinese intact and without running any of it."""
    with target.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.writer(stream)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows([_inert(value) for value in astuple(row)] for row in rows)


def render_progress(done: int, total: int) -> str:
    """How many files are read."""
    words = Text(f"{done} of {total} read", f"已判读 {done} / {total}")
    bar = f'<div class="progress" aria-hidden="true"><div style="width:{100 * done / total:.1f}%"></div></div>'
    return f'<p role="status">{inline(words)}</p>{bar}'


def _save(rows: Sequence[Row]) -> Path:
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    write_csv(rows, folder / "readings.csv")
    return folder / "readings.csv"


def _inert(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _cells(row: Row, language: Language) -> list[Any]:
    if row.error is not None:
        return [row.file, ERROR.in_language(language), *[None] * 6, row.error if language == "en" else row.error_zh]
    others = [name_word(word, language) for word in (row.prediction_set or "").split("|") if word]
    return [
        row.file,
        DECISIONS[str(row.decision)].in_language(language),
        name_word(row.label, language) if row.label else None,
        row.probability,
        (", " if language == "en" else "、").join(others) or None,
        _yes_no(row.alarm, language),
        _yes_no(row.presence, language),
        None if row.area is None else f"{row.area:.0%}",
        # Of an unsure answer the possible types say it already.
        (row.reason if language == "en" else row.reason_zh) if row.decision == "refused" else None,
    ]


def _yes_no(value: bool | None, language: Language) -> str | None:
    return None if value is None else (YES if value else NO).in_language(language)
