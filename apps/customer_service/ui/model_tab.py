"""The tab about the model: what it was trained on and how good it is at intents and at finding entries; with plots."""

from pathlib import Path

from apps.customer_service.assistant import Assistant
from apps.customer_service.ui.label_words import intent_word
from core.serving.predictor import Predictor
from core.tasks.text_schema import TextSchema
from core.texts import Language, Text
from core.ui import evaluation_view
from core.ui.translations import in_both
from core.ui.widgets import facts, heading

TILES = {
    "accuracy": Text("Accuracy", "准确率"),
    "macro_f1": Text("Macro F1", "宏平均 F1"),
    "ece": Text("Calibration error (ECE)", "校准误差（ECE）"),
    "out_of_scope_auroc": Text("Out of scope: AUROC", "范围外识别 AUROC"),
    "out_of_scope_recall": Text("Out of scope: share recognised", "范围外识别比例"),
    "share_answered": Text("Share answered", "作答比例"),
    "accuracy_answered": Text("Accuracy where answered", "作答时的准确率"),
}
RETRIEVAL_TILES = {
    "recall@1": Text("Right entry first", "首条命中率"),
    "recall@3": Text("Right entry among three", "前三条命中率"),
    "mrr": Text("Mean reciprocal rank", "平均倒数排名（MRR）"),
    "no_answer_auroc": Text("No answer: AUROC", "无答案识别 AUROC"),
    "answered": Text("Share answered", "作答比例"),
    "answered_right": Text("Right where answered", "作答时的正确率"),
    "false_answers": Text("Answered though out of scope", "范围外误答比例"),
}
COLUMNS = {
    "label": Text("Intent", "意图"),
    "examples": Text("Questions", "问题数"),
    "sensitivity": Text("Recall", "召回率"),
    "precision": Text("Precision", "精确率"),
    "f1": Text("F1", "F1"),
    "auroc": Text("AUROC", "AUROC"),
}
PLOTS = {
    "reliability": Text("Does a probability mean what it says", "可靠性图"),
    "risk_coverage": Text("Accuracy against share refused", "准确率与拒答比例"),
    "confidence": Text("Confidence of right and wrong answers", "正确与错误答案的置信度"),
    "confusion": Text("Which intents are confused", "混淆矩阵"),
    "roc": Text("ROC curves", "ROC 曲线"),
    "precision_recall": Text("Precision and recall", "精确率与召回率"),
    "training": Text("Training", "训练过程"),
    "counts": Text("Questions of each intent", "各意图问题数"),
}
ON_TEST = Text("Intents, on test questions, with 95% intervals", "意图识别：测试问题上的结果（含 95% 区间）")
FINDING = Text("Finding entries, on test questions", "条目检索：测试问题上的结果")
ABOUT, PER_INTENT = Text("The model", "模型"), Text("Each intent", "各意图")
SAMPLE_NAME = Text("made-up sample data", "项目自带的示例数据")
SAMPLE = Text(
    "This assistant was trained on made-up sample data of a shop that does not exist.",
    "该助手用虚构网店的示例数据训练，店铺与内容均不存在。",
)


def render_model(assistant: Assistant) -> str:
    """Headline figures, facts and the table of each intent."""
    return in_both(lambda language: _model(assistant, language))


def render_plots(predictor: Predictor) -> str:
    """The plots of the run."""
    return evaluation_view.render_plots(predictor, PLOTS)


def measured_limits(predictor: Predictor) -> tuple[Text, ...]:
    """Limits of this very bundle."""
    return (SAMPLE,) if _data_path(predictor) == "sample" else ()


def _model(assistant: Assistant, language: Language) -> str:
    predictor, words = assistant.predictor, assistant.dialogue.words
    test = evaluation_view.read_evaluation(predictor)
    found = evaluation_view.read_evaluation(predictor, "retrieval").get("metrics", {})
    finding = heading(FINDING.in_language(language)) + evaluation_view.headline(found, RETRIEVAL_TILES, language)
    return (
        heading(ON_TEST.in_language(language))
        + evaluation_view.headline(test.get("metrics", {}), TILES, language)
        + (finding if found else "")
        + heading(ABOUT.in_language(language))
        + f'<div class="card">{facts(_facts(assistant, language))}</div>'
        + heading(PER_INTENT.in_language(language))
        + evaluation_view.label_table(
            evaluation_view.read_table(test, "per_label"),
            COLUMNS,
            lambda label, spoken: intent_word(label, words, spoken),
            language,
        )
    )


def _facts(assistant: Assistant, language: Language) -> list[tuple[str, str]]:
    predictor = assistant.predictor
    manifest, schema = predictor.bundle.manifest, predictor.schema
    assert isinstance(schema, TextSchema)
    data = _data_path(predictor)
    source = SAMPLE_NAME if data == "sample" else Text(*[Path(data).name or data] * 2)
    texts, strange = sum(schema.label_counts), schema.num_out_of_scope
    rows = (
        (Text("Bundle", "模型编号"), Text(predictor.bundle.id, predictor.bundle.id)),
        (Text("Written", "生成时间"), Text(*[manifest.created[:16].replace("T", " ") + " UTC"] * 2)),
        (
            Text("Trained on", "训练数据"),
            Text(
                f"{texts:,} questions of {len(schema.labels)} intents and {strange:,} out of scope: {source.en}",
                f"{len(schema.labels)} 个意图的 {texts:,} 个问题和 {strange:,} 个范围外问题：{source.zh}",
            ),
        ),
        (
            Text("Tuned on", "调定数据"),
            Text(
                f"{predictor.policy.num_examples:,} validation questions",
                f"{predictor.policy.num_examples:,} 个验证问题",
            ),
        ),
        (Text("Knowledge base", "知识库"), Text(*[f"{len(assistant.knowledge):,}"] * 2)),
    )
    return [(name.in_language(language), value.in_language(language)) for name, value in rows]


def _data_path(predictor: Predictor) -> str:
    return str(getattr(getattr(predictor.config, "data", None), "path", ""))
