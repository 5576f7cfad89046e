"""The tab about the model: how good it is beside what others would use, of cold users and items, and its facts."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.recommender.ui.words import EVENTS, ONE_EVENT, counted
from core.serving.predictor import Predictor
from core.tasks.recommend_schema import RecommendSchema
from core.texts import Language, Text
from core.ui import evaluation_view
from core.ui.evaluation_view import headline, read_evaluation, read_table
from core.ui.translations import in_both
from core.ui.widgets import Range, facts, heading, ranges, table

NAMES = {
    "ndcg@10": Text("nDCG of the first ten", "前十名 nDCG"),
    "recall@10": Text("Recall of the first ten", "前十名召回率"),
    "mrr": Text("Mean reciprocal rank", "平均倒数排名"),
    "coverage@10": Text("Share of the catalogue shown", "目录覆盖率"),
    "popularity": Text("Popularity of what is shown", "展示商品的热门度"),
    "novelty": Text("Novelty, bits", "新颖度（比特）"),
    "diversity": Text("Diversity of a list", "列表多样性"),
}
TITLE = Text("Measured on likings that were held out", "在留出的喜欢记录上测得")
PROTOCOLS = {
    "last_share": Text("the last share of each user's likings", "每位用户最近的一部分喜欢记录"),
    "last_one": Text("the last liking of each user", "每位用户最近的一次喜欢"),
    "global_time": Text("all likings after a point in time", "某一时间点之后的全部喜欢记录"),
}
PROTOCOL = Text(
    "Held out: {what}. Every item that a user had not seen was ranked; intervals are of 95 % over users.",
    "留出内容：{what}。对用户未看过的全部商品排序；区间为用户层面的 95% 置信区间。",
)
BASELINES = Text("Beside what others would use", "与常用方法对比")
NOT_COMPARED = Text(
    "Not compared yet. This command does it, each baseline tuned on validation data: "
    "python -m apps.recommender.evaluate RUN --baselines",
    "尚未对比。运行以下命令即可（各基线均在验证数据上调参）：python -m apps.recommender.evaluate RUN --baselines",
)
DIFFERENCE = Text(
    "The difference is paired: the same users, with its 95 % interval. Above zero, this model is better.",
    "差值为配对差值（同一批用户，含 95% 区间）；大于零表示本模型更好。",
)
NEW_USERS = Text("Cold users: nDCG@10 by how many of their events are known", "冷启动用户：按已知行为数的 nDCG@10")
NEW_ITEMS = Text("Cold items: taken out of training wholly", "冷启动商品：完全不参与训练")
ABOUT = Text("The model", "模型")
PLOTS = {
    "training": Text("Training", "训练过程"),
    "counts": Text("The data", "数据规模"),
}
COLUMNS = {
    "model": Text("model", "模型"),
    "settings": Text("settings", "参数"),
    "ndcg@10": Text("nDCG@10", "nDCG@10"),
    "recall@10": Text("recall@10", "召回率@10"),
    "mrr": Text("MRR", "MRR"),
    "coverage@10": Text("coverage", "覆盖率"),
    "model minus it, ndcg@10": Text("this model minus it, nDCG@10", "本模型减去它，nDCG@10"),
    "seconds": Text("seconds", "秒"),
    "events_known": Text("events known", "已知行为数"),
    "ranked": Text("ranked", "排序范围"),
}
POPULARITY, OURS = "popularity", "this model"
MODELS = {
    OURS: Text("this model", "本模型"),
    POPULARITY: Text("what most people like", "热门商品"),
    "item_knn": Text("ItemKNN", "ItemKNN"),
    "ease": Text("EASE", "EASE"),
    "als": Text("ALS", "ALS"),
    "bpr": Text("BPR", "BPR"),
    "sasrec_ids": Text("SASRec (ids alone)", "SASRec（仅用 id）"),
    "among new items": Text("among new items", "新商品之间"),
    "among all items, by text alone": Text("among all items, by text alone", "全部商品之间，仅凭文本"),
    "among all items, with a place for one": Text(
        "among all items, in lists that keep a place for one", "全部商品之间，列表为新商品保留一个位置"
    ),
    "texts like those liked, among new items": Text(
        "texts like those liked, among new items", "新商品之间，按与所喜欢商品的文本相似度"
    ),
    "texts like those liked, among all items": Text(
        "texts like those liked, among all items", "全部商品之间，按与所喜欢商品的文本相似度"
    ),
    "other items, in lists without that place": Text(
        "other items, in lists without that place", "其他商品，列表不保留该位置"
    ),
    "other items, in lists with it": Text("other items, in lists with it", "其他商品，列表保留该位置"),
}
ALL_KNOWN = Text("all events", "全部行为")
SAMPLE_NAME = Text("the sample shop, made by the project", "项目自带的示例商店")
SAMPLE = Text(
    "This model was trained on a made-up shop with simulated visitors: its figures say nothing about real people.",
    "该模型用虚构商店和模拟访客训练：其指标不能说明真实用户的情况。",
)


def render_model(predictor: Predictor) -> str:
    """Figures, comparison and tables in both languages."""
    comparison = read_comparison(predictor)
    return in_both(lambda language: _model(predictor, comparison, language))


def render_plots(predictor: Predictor) -> str:
    """The plots of the run."""
    return evaluation_view.render_plots(predictor, PLOTS)


def measured_limits(predictor: Predictor) -> tuple[Text, ...]:
    """Limits of this very bundle."""
    return (SAMPLE,) if _data_path(predictor) == "sample" else ()


def read_comparison(predictor: Predictor) -> list[dict[str, Any]]:
    """The table of `evaluate --baselines`, which lies beside the bundle once it was made."""
    file = predictor.bundle.path.resolve().parent / "evaluation" / "metrics.json"
    try:
        return read_table(json.loads(file.read_text(encoding="utf-8")), "baselines")
    except (OSError, ValueError):
        return []


def _model(predictor: Predictor, comparison: list[dict[str, Any]], language: Language) -> str:
    test = read_evaluation(predictor).get("metrics", {})
    held_out = PROTOCOLS[predictor.config.data.protocol]  # type: ignore[attr-defined]
    protocol = PROTOCOL.in_language(language).format(what=held_out.in_language(language))
    parts = [
        heading(TITLE.in_language(language)),
        f'<p class="quiet measured">{protocol}</p>',
        headline(test, NAMES, language, digits=3),
        heading(BASELINES.in_language(language)),
        _comparison(comparison, language),
    ]
    if rows := read_table(read_evaluation(predictor, "new users"), "new_users"):
        parts += [heading(NEW_USERS.in_language(language)), _card(_cold_users(rows, test, language))]
    if rows := read_table(read_evaluation(predictor, "new items"), "new_items"):
        parts += [heading(NEW_ITEMS.in_language(language)), _table(rows, language)]
    parts += [heading(ABOUT.in_language(language)), _card(facts(_facts(predictor, language)))]
    return "".join(parts)


def _comparison(rows: list[dict[str, Any]], language: Language) -> str:
    """A chart of two figures, and the table."""
    if not rows:
        return f'<p class="quiet">{NOT_COMPARED.in_language(language)}</p>'
    charts = "".join(
        f"<div>{heading(COLUMNS[name].in_language(language))}{_chart(rows, name, language)}</div>"
        for name in ("ndcg@10", "recall@10")
    )
    note = f'<p class="quiet measured">{DIFFERENCE.in_language(language)}</p>'
    return f'<div class="card charts">{charts}</div>{note}{_table(rows, language)}'


def _chart(rows: Sequence[Mapping[str, Any]], name: str, language: Language) -> str:
    measured = [row for row in rows if (row[name] or {}).get("value") is not None]
    ordered = sorted(measured, key=lambda row: -float(row[name]["value"]))
    return ranges([_range(_word(row["model"], language), row[name], row["model"] == OURS) for row in ordered])


def _cold_users(rows: list[dict[str, Any]], test: Mapping[str, Any], language: Language) -> str:
    known = [counted(EVENTS, ONE_EVENT, row["events_known"]).in_language(language) for row in rows]
    shown = [_range(name, row["ndcg@10"], False) for name, row in zip(known, rows, strict=True)]
    if "ndcg@10" in test:
        shown.append(_range(ALL_KNOWN.in_language(language), test["ndcg@10"], True))
    return ranges(shown)


def _range(name: str, figure: Mapping[str, Any], is_marked: bool) -> Range:
    return Range(name, float(figure["value"]), figure.get("low"), figure.get("high"), is_marked)


def _table(rows: list[dict[str, Any]], language: Language) -> str:
    columns = list(rows[0])
    names = [COLUMNS[name].in_language(language) if name in COLUMNS else name for name in columns]
    return table(names, [[_cell(name, row[name], language) for name in columns] for row in rows], digits=3)


def _cell(column: str, value: Any, language: Language) -> Any:
    if column == "seconds" and value is not None:
        return f"{value:,.1f}"
    return _word(value, language) if isinstance(value, str) else value


def _word(value: str, language: Language) -> str:
    return MODELS[value].in_language(language) if value in MODELS else value


def _card(content: str) -> str:
    return f'<div class="card">{content}</div>'


def _facts(predictor: Predictor, language: Language) -> list[tuple[str, str]]:
    manifest, schema = predictor.bundle.manifest, predictor.schema
    assert isinstance(schema, RecommendSchema)
    data = _data_path(predictor)
    source = SAMPLE_NAME if data == "sample" else Text(*[Path(data).name or data] * 2)
    kinds, items, newest = ", ".join(schema.kinds), f"{schema.num_items:,}", schema.max_history
    rows = (
        (Text("Bundle", "模型编号"), Text(*[predictor.bundle.id] * 2)),
        (Text("Written", "生成时间"), Text(*[manifest.created[:16].replace("T", " ") + " UTC"] * 2)),
        (
            Text("Trained on", "训练数据"),
            Text(f"{items} items: {source.en}", f"{items} 件商品：{source.zh}"),
        ),
        (Text("Kinds of events", "行为种类"), Text(kinds, kinds)),
        (
            Text("Events that it looks at", "参考的行为数"),
            Text(f"the newest {newest}", f"最近 {newest} 条"),
        ),
    )
    return [(name.in_language(language), value.in_language(language)) for name, value in rows]


def _data_path(predictor: Predictor) -> str:
    return str(getattr(getattr(predictor.config, "data", None), "path", ""))
