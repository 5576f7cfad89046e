"""The tab about the model: what was measured of it, beside what others would use, and of new items and users."""

import json
from typing import Any

from core.serving.predictor import Predictor
from core.texts import Language, Text
from core.ui.evaluation_view import headline, read_evaluation, read_table
from core.ui.translations import in_both, inline
from core.ui.widgets import table

NAMES = {
    "ndcg@10": Text("nDCG of the first ten", "前十名 nDCG"),
    "recall@10": Text("Recall of the first ten", "前十名召回率"),
    "mrr": Text("Mean reciprocal rank", "平均倒数排名"),
    "coverage@10": Text("Share of the catalogue shown", "目录覆盖率"),
    "novelty": Text("Novelty, bits", "新颖度（比特）"),
    "diversity": Text("Diversity of a list", "列表多样性"),
}
TITLE = Text("Measured on likings that were held out", "在留出的喜欢记录上测得")
PROTOCOL = Text(
    "Every item that a user had not seen was ranked; with 95 % intervals over users.",
    "对用户未看过的全部商品排序；区间为用户层面的 95% 置信区间。",
)
BASELINES = Text("Beside what others would use", "与常用方法对比")
NOT_COMPARED = Text(
    "Not compared yet: python -m apps.recommender.evaluate RUN --baselines.",
    "尚未对比：python -m apps.recommender.evaluate RUN --baselines。",
)
NEW_USERS = Text("New users, by how much is known of them", "新用户（按已知行为数）")
NEW_ITEMS = Text("New items, which nobody had met", "新商品（无人接触过）")
COLUMNS = {
    "model": Text("model", "模型"),
    "settings": Text("settings", "参数"),
    "ndcg@10": Text("nDCG@10", "nDCG@10"),
    "recall@10": Text("recall@10", "召回率@10"),
    "mrr": Text("MRR", "MRR"),
    "coverage@10": Text("coverage", "覆盖率"),
    "model minus it, ndcg@10": Text("this model minus it", "本模型减去它"),
    "seconds": Text("seconds", "秒"),
    "events_known": Text("events known", "已知行为数"),
    "ranked": Text("ranked", "排序范围"),
}


def render_model(predictor: Predictor) -> str:
    """Figures and tables in both languages."""
    test = read_evaluation(predictor)
    tables = (
        (BASELINES, _compared(predictor), NOT_COMPARED),
        (NEW_USERS, read_table(read_evaluation(predictor, "new users"), "new_users"), Text("", "")),
        (NEW_ITEMS, read_table(read_evaluation(predictor, "new items"), "new_items"), Text("", "")),
    )

    def render(language: Language) -> str:
        parts = [headline(test.get("metrics", {}), NAMES, language)]
        for title, rows, otherwise in tables:
            empty = otherwise.in_language(language)
            if rows or empty:
                parts.append(f"<h3>{title.in_language(language)}</h3>{_table(rows, language, empty)}")
        return "".join(parts)

    return f"<h2>{inline(TITLE)}</h2><p class='quiet'>{inline(PROTOCOL)}</p>{in_both(render)}"


def _compared(predictor: Predictor) -> list[dict[str, Any]]:
    """The table of `evaluate --baselines`, which lies beside the bundle once it was made."""
    file = predictor.bundle.path.resolve().parent / "evaluation" / "metrics.json"
    if not file.is_file():
        return []
    return read_table(json.loads(file.read_text(encoding="utf-8")), "baselines")


def _table(rows: list[dict[str, Any]], language: Language, empty: str) -> str:
    columns = list(rows[0]) if rows else []
    names = [COLUMNS[name].in_language(language) if name in COLUMNS else name for name in columns]
    return table(names, [[row[name] for name in columns] for row in rows], empty=empty)
