"""The tab about the model: what it was trained on and how good it is, with plots; and limits that were measured."""

from pathlib import Path
from typing import Any

from apps.medical_imaging.ui.label_words import name_word
from core.serving.predictor import Predictor
from core.tasks.image_schema import ImageSchema
from core.texts import Language, Text
from core.ui import evaluation_view
from core.ui.translations import in_both
from core.ui.widgets import facts, heading

TILES = {
    "balanced_accuracy": Text("Balanced accuracy", "平衡准确率"),
    "auroc": Text("AUROC (mean over types)", "AUROC（各类型平均）"),
    "alarm_sensitivity": Text("Alarm: sensitivity", "警报灵敏度"),
    "alarm_specificity": Text("Alarm: specificity", "警报特异度"),
    "ece": Text("Calibration error (ECE)", "校准误差（ECE）"),
    "share_answered": Text("Share answered", "作答比例"),
    "accuracy_answered": Text("Accuracy where answered", "作答时的准确率"),
    "mask_iou": Text("Mask overlap (IoU)", "掩膜重叠（IoU）"),
}
COLUMNS = {
    "label": Text("Type", "类型"),
    "examples": Text("Images", "图像数"),
    "sensitivity": Text("Sensitivity", "灵敏度"),
    "specificity": Text("Specificity", "特异度"),
    "precision": Text("Precision", "精确率"),
    "f1": Text("F1", "F1"),
    "auroc": Text("AUROC", "AUROC"),
    "average_precision": Text("Average precision", "平均精确率"),
}
PLOTS = {
    "confusion": Text("Which types are confused", "混淆矩阵"),
    "reliability": Text("Does a probability mean what it says", "可靠性图"),
    "roc": Text("ROC curves", "ROC 曲线"),
    "precision_recall": Text("Precision and recall", "精确率与召回率"),
    "confidence": Text("Confidence of right and wrong answers", "正确与错误答案的置信度"),
    "risk_coverage": Text("Accuracy against share refused", "准确率与拒答比例"),
    "training": Text("Training", "训练过程"),
    "counts": Text("Images of each type", "各类型图像数"),
}
SAMPLE_NAME = Text("drawn sample data", "绘制的示例数据")
SAMPLE = Text(
    "This model was trained on drawn, synthetic images: its figures say nothing about real skin.",
    "该模型用程序绘制的合成图像训练：其指标不能说明在真实皮肤上的表现。",
)


def render_model(predictor: Predictor) -> str:
    """Facts, headline figures and the table of each type."""
    return in_both(lambda language: _model(predictor, language))


def render_plots(predictor: Predictor) -> str:
    """The plots of the run."""
    return evaluation_view.render_plots(predictor, PLOTS)


def measured_limits(predictor: Predictor) -> tuple[Text, ...]:
    """Limits of this very model, from what was measured on its test images."""
    limits = [SAMPLE] if getattr(getattr(predictor.config, "data", None), "path", "") == "sample" else []
    rows = _per_label(predictor)
    found = [
        (row, row["sensitivity"]["value"]) for row in rows if (row.get("sensitivity") or {}).get("value") is not None
    ]
    if found:
        row, share = min(found, key=lambda pair: pair[1])
        images = row["examples"]
        en, zh = name_word(row["label"], "en"), name_word(row["label"], "zh")
        limits.append(
            Text(
                f"Its weakest type is {en}: of {images} test images it recognised {share:.0%}.",
                f"最薄弱的类型是{zh}：{images} 张测试图像中正确识别 {share:.0%}。",
            )
        )
    return tuple(limits)


def _model(predictor: Predictor, language: Language) -> str:
    metrics = evaluation_view.read_evaluation(predictor).get("metrics", {})
    on_test = Text("On test images, with 95% intervals", "测试图像上的结果（含 95% 区间）")
    per_type = Text("Each type", "各类型")
    about = Text("The model", "模型")
    return (
        heading(on_test.in_language(language))
        + evaluation_view.headline(metrics, TILES, language)
        + heading(about.in_language(language))
        + f'<div class="card">{facts(_facts(predictor, language))}</div>'
        + heading(per_type.in_language(language))
        + evaluation_view.label_table(_per_label(predictor), COLUMNS, name_word, language)
    )


def _facts(predictor: Predictor, language: Language) -> list[tuple[str, str]]:
    manifest, schema = predictor.bundle.manifest, predictor.schema
    assert isinstance(schema, ImageSchema)
    data = str(getattr(getattr(predictor.config, "data", None), "path", ""))
    source = SAMPLE_NAME if data == "sample" else Text(Path(data).name or data, Path(data).name or data)
    images = sum(schema.label_counts)
    tested = sum(int(row["examples"]) for row in _per_label(predictor))
    names = (", " if language == "en" else "、").join(name_word(label, language) for label in schema.labels)
    rows = (
        (Text("Bundle", "模型编号"), Text(predictor.bundle.id, predictor.bundle.id)),
        (Text("Written", "生成时间"), Text(*[manifest.created[:16].replace("T", " ") + " UTC"] * 2)),
        (Text("Trained on", "训练数据"), Text(f"{images:,} images: {source.en}", f"{images:,} 张图像：{source.zh}")),
        (
            Text("Tuned and tested on", "调定与测试"),
            Text(
                f"{predictor.policy.num_examples:,} validation and {tested:,} test images",
                f"{predictor.policy.num_examples:,} 张验证图像和 {tested:,} 张测试图像",
            ),
        ),
        (Text("Types", "类型"), Text(names, names)),
        (
            Text("Reads", "输入"),
            Text(f"the whole image at {schema.image_px} pixels", f"整幅图像，缩放至 {schema.image_px} 像素"),
        ),
    )
    return [(name.in_language(language), value.in_language(language)) for name, value in rows]


def _per_label(predictor: Predictor) -> list[dict[str, Any]]:
    return evaluation_view.read_table(evaluation_view.read_evaluation(predictor), "per_label")
