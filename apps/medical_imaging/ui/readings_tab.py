"""The tab with what readers have said so far, newest first."""

from collections.abc import Sequence

from apps.medical_imaging.ui.label_words import name_word
from core.serving.store import Feedback, Store
from core.texts import Language, Text
from core.ui.translations import in_both
from core.ui.widgets import table

SHOWN = 50
COLUMNS = (
    Text("No.", "编号"),
    Text("Time (UTC)", "时间（UTC）"),
    Text("File", "文件"),
    Text("Model", "模型"),
    Text("Probability", "概率"),
    Text("Reader", "判读者"),
    Text("Comment", "备注"),
    Text("Bundle", "模型编号"),
)
DECISIONS = {
    "answered": Text("answered", "已作答"),
    "unsure": Text("not certain", "不确定"),
    "refused": Text("cannot assess", "无法评估"),
}
EMPTY = Text("No reading has been saved yet.", "尚未保存任何判读。")


def render_readings(store: Store, app: str) -> str:
    """The latest readings as a table."""
    rows = store.latest(app, SHOWN)
    return in_both(lambda language: _table(rows, language))


def _table(rows: Sequence[Feedback], language: Language) -> str:
    columns = [column.in_language(language) for column in COLUMNS]
    return table(columns, [_row(row, language) for row in rows], empty=EMPTY.in_language(language))


def _row(row: Feedback, language: Language) -> list[object]:
    decision = str(row.answer.get("decision", ""))
    if decision == "refused":
        said, probability = DECISIONS[decision].in_language(language), None
    else:
        said, probability = name_word(str(row.answer.get("label", "")), language), row.answer.get("probability")
    time = row.created[:19].replace("T", " ")
    return [
        str(row.id),
        time,
        row.input_name,
        said,
        probability,
        name_word(row.label, language),
        row.comment,
        row.bundle_id,
    ]
