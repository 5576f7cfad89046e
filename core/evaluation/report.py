"""report.html: one self-contained page about a run, to be read from the top by somebody who sees it the first time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.page_parts import (
    Picture,
    Section,
    bullets,
    code,
    facts,
    figures,
    fold,
    heading,
    page,
    paragraph,
    table,
    tile,
    tiles,
    words,
)

HEADLINE = (
    "accuracy",
    "balanced_accuracy",
    "auroc",
    "ece",
    "share_answered",
    "accuracy_answered",
    "set_coverage",
    "alarm_sensitivity",
    "alarm_specificity",
    "ndcg@10",
    "recall@10",
    "mrr",
)
"""Figures shown as tiles, in this order, where an evaluation has them."""

NAMES: Mapping[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "Share of right first labels"),
    "balanced_accuracy": ("Balanced accuracy", "Mean sensitivity of the labels, rare ones count as much"),
    "macro_f1": ("Macro F1", "Mean F1 of the labels"),
    "auroc": ("AUROC", "Each label against the rest, mean; 0.5 is chance"),
    "average_precision": ("Average precision", "Each label against the rest, mean"),
    "ece": ("Calibration error", "How far probabilities are off; lower is better"),
    "brier": ("Brier score", "Squared error of probabilities; lower is better"),
    "log_loss": ("Log loss", "Lower is better"),
    "share_answered": ("Answered", "Share with one label left, not refused"),
    "accuracy_answered": ("Accuracy when answered", "Right first labels among these"),
    "set_coverage": ("Set coverage", "Share of prediction sets that hold the right label"),
    "set_size": ("Set size", "Mean number of labels in a prediction set"),
    "alarm_sensitivity": ("Alarm sensitivity", "Share of positives that raise the alarm"),
    "alarm_specificity": ("Alarm specificity", "Share of negatives that do not"),
    "ndcg@10": ("NDCG@10", "Quality of the first ten places"),
    "recall@10": ("Recall@10", "Wanted items among the first ten"),
    "mrr": ("MRR", "Mean reciprocal rank of the first wanted item"),
}

CAPTIONS: Mapping[str, str] = {
    "confusion": "Rows are the right labels; darker is a larger share of the row. Mistakes lie off the diagonal.",
    "reliability": "On the dashed line a probability of 0.8 is right in 80 % of cases; below it the model is too sure.",
    "roc": "Sensitivity against false alarms over all thresholds, each label against the rest.",
    "precision_recall": "What a higher recall costs in precision; more telling than ROC for rare labels.",
    "confidence": "Wrong answers should be less confident than right ones.",
    "risk_coverage": "Accuracy of the remaining answers when the least confident are refused.",
    "training": "Losses and validation metrics by epoch.",
    "counts": "Examples of each label in each split.",
}
RESULT_PLOTS = ("confusion", "reliability", "roc", "precision_recall", "confidence", "risk_coverage")

TABLE_TITLES: Mapping[str, str] = {
    "per_label": "Each label against the rest",
    "confusions": "Most frequent confusions",
    "decisions": "What the policy did",
    "risk_coverage": "Accuracy by share refused",
    "calibration": "What was fitted on validation data",
    "alarm": "The alarm for labels that must not be missed",
    "location": "Where the evidence lies",
}
TRUST_TABLES = ("decisions", "alarm", "risk_coverage", "calibration")


def write_report(
    path: Path,
    *,
    title: str,
    summary: str,
    evaluation: Evaluation,
    facts_at_top: Mapping[str, str] | None = None,
    headline: Sequence[str] = HEADLINE,
    plots: Mapping[str, bytes] | None = None,
    worst: Sequence[Picture] = (),
    data_notes: Sequence[str] = (),
    data_tables: Mapping[str, Table] | None = None,
    limits: Sequence[str] = (),
    next_commands: Sequence[str] = (),
    plan: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
    config: str = "",
) -> None:
    """Writes the page; what is empty is left out of it.

    Args:
        path: The file to write.
        title: What the app is called.
        summary: What was trained on what and measured on what, in a sentence or two.
        evaluation: Its metrics, tables and (where `plots` has them) curves are shown.
        facts_at_top: Short facts under the summary: data, split, examples, config, duration, date.
        headline: Metrics shown as tiles, in this order; those that the evaluation lacks are skipped.
        plots: Plot name to PNG, as `plots.draw_curves` gives, with `training` and `counts` where they exist;
            other names are shown too.
        worst: The most confident mistakes.
        data_notes: What was guessed, rejected or suspected while reading the data.
        data_tables: Heading to table, such as rows by split and label.
        limits: What the model must not be used for; the first stands at the top of the page.
        next_commands: What to type next.
        plan: Choice to `value` and `reason`, as `HardwarePlan.to_json` gives it.
        environment: Versions and machine.
        config: The resolved config as YAML.
    """
    plots, tables = plots or {}, evaluation.tables
    head = [
        paragraph(summary),
        facts(facts_at_top or {}),
        paragraph(f"Please note: {limits[0]}", "note") if limits else "",
    ]
    sections = [
        Section("Results", [_headline(evaluation, headline), _plots(plots, RESULT_PLOTS)]),
        Section("By label", _tables(tables, [name for name in tables if _place(name) == "label"])),
        Section("When to trust it", [_trust_words(tables), *_tables(tables, TRUST_TABLES)]),
        Section("By subgroup", _tables(tables, [name for name in tables if _place(name) == "subgroup"])),
        Section("Worst mistakes", [_worst(worst)]),
        Section("Data", [_plots(plots, ("counts",)), *_titled(data_tables or {}), bullets(data_notes)]),
        Section("Training", [_plots(plots, ("training",)), _plots(plots, _further(plots))]),
        Section("Known limits", [bullets(limits)]),
        Section("Next commands", [code("\n".join(next_commands))]),
        Section("How it ran", [_all_metrics(evaluation), *_run(plan or {}, environment or {}, config)]),
    ]
    path.write_text(page(title, head, sections), encoding="utf-8")


def _headline(evaluation: Evaluation, names: Sequence[str]) -> str:
    chosen = [name for name in names if name in evaluation.metrics]
    return tiles(tile(_named(name)[0], evaluation.metrics[name], _named(name)[1]) for name in chosen)


def _named(metric: str) -> tuple[str, str]:
    return NAMES.get(metric, (_sentence(metric), ""))


def _sentence(name: str) -> str:
    text = words(name)
    return text[:1].upper() + text[1:]


def _plots(plots: Mapping[str, bytes], names: Sequence[str]) -> str:
    return figures(Picture(plots[name], CAPTIONS.get(name, words(name))) for name in names if name in plots)


def _further(plots: Mapping[str, bytes]) -> list[str]:
    return [name for name in plots if name not in CAPTIONS]


def _place(table_name: str) -> str:
    if table_name.startswith("by_"):
        return "subgroup"
    return "trust" if table_name in TRUST_TABLES else "label"


def _tables(tables: Mapping[str, Table], names: Sequence[str]) -> list[str]:
    titles = {name: TABLE_TITLES.get(name, words(name).capitalize()) for name in names}
    return _titled({titles[name]: tables[name] for name in names if name in tables})


def _titled(tables: Mapping[str, Table]) -> list[str]:
    return [heading(title) + table(content) for title, content in tables.items() if content.rows]


def _trust_words(tables: Mapping[str, Table]) -> str:
    if "decisions" not in tables:
        return ""
    return paragraph(
        "Every input is answered (one label is left), unsure (several labels remain possible and are listed) or "
        "refused (unlike the training data, or not fit to be judged). The rules were fitted on validation data; "
        "the figures here are of the split named at the top.",
        "faint",
    )


def _worst(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    return paragraph("Wrong answers with the highest confidence.", "faint") + figures(pictures, "sheet")


def _all_metrics(evaluation: Evaluation) -> str:
    rows = tuple((_named(name)[0], value) for name, value in evaluation.metrics.items())
    return fold("All metrics", table(Table(("metric", "value"), rows)))


def _run(plan: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], config: str) -> list[str]:
    choices = tuple((words(name), str(choice["value"]), str(choice["reason"])) for name, choice in plan.items())
    return [
        fold("Hardware plan, with reasons", table(Table(("choice", "value", "reason"), choices))),
        fold("Environment", table(Table(("what", "value"), tuple(environment.items())))),
        fold("Config", code(config)),
    ]
