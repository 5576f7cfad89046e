"""What a run leaves to look at: report.html, plots/, and errors.csv of what has classes."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.app import AppSpec
from core.config import Config, dump_config
from core.data.module import Example
from core.data.report import DataReport
from core.evaluation.evaluation import Evaluation
from core.evaluation.page_parts import Picture
from core.evaluation.plots import draw_curves, plot_counts, plot_training
from core.evaluation.report import write_report
from core.tasks.task import Arrays, Task
from core.training.progress import FitResult

WORST = 24


@dataclass(frozen=True)
class Measured:
    """What was measured on a split, with what it was measured on.

    Args:
        split: Its name.
        examples: Raw.
        arrays: Encoded.
        outputs: As served.
        evaluation: Of these outputs.
    """

    split: str
    examples: Sequence[Example]
    arrays: Arrays
    outputs: Arrays
    evaluation: Evaluation


def write_run_report(
    folder: Path,
    spec: AppSpec,
    config: Config,
    task: Task,
    data: DataReport,
    measured: Measured,
    next_commands: Sequence[str],
    *,
    result: FitResult | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Writes report.html, plots/*.png, and where there are classes errors.csv into a folder.

    Args:
        folder: Of the run or of its evaluation.
        spec: The app.
        config: Of the run.
        task: Draws the worst errors.
        data: What was found in the data.
        measured: On which split, with which result.
        next_commands: What to type next.
        result: Of the training; None when only evaluated.
        environment: Versions; None when only evaluated.
    """
    errors = list_errors(measured, task)
    if task.labels:
        write_errors(folder / "errors.csv", errors)
    plots = draw_curves(measured.evaluation.curves)
    plots["counts"] = plot_counts(data.rows)
    if result is not None and len(result.history) > 1:
        plots["training"] = plot_training(result.history)
    (folder / "plots").mkdir(exist_ok=True)
    for name, picture in plots.items():
        (folder / "plots" / f"{name}.png").write_bytes(picture)
    write_report(
        folder / "report.html",
        title=spec.title.en,
        summary=_summary(spec, data, measured),
        evaluation=measured.evaluation,
        facts_at_top=_facts(config, measured, result),
        plots=plots,
        worst=_pictures(errors[:WORST], measured.arrays, task),
        data_notes=[*_data_problems(data), *data.notes],
        limits=[limit.en for limit in spec.limits],
        next_commands=next_commands,
        plan=result.plan.to_json() if result else None,
        environment=environment,
        config=dump_config(config),
    )


def list_errors(measured: Measured, task: Task) -> list[dict[str, Any]]:
    """Wrong answers, the most confident first; none where there are no classes to be wrong about."""
    labels = task.labels
    truth_N = task.strata(measured.arrays)
    if truth_N is None:
        return []
    probabilities = measured.outputs["probabilities"]
    predicted_N, confidence_N = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero((predicted_N != truth_N) & (truth_N >= 0))
    return [
        {
            "row": int(row),
            "example": str(measured.examples[row].get("path", row)),
            "label": labels[truth_N[row]],
            "predicted": labels[predicted_N[row]],
            "probability": round(float(confidence_N[row]), 4),
        }
        for row in wrong[np.argsort(-confidence_N[wrong], kind="stable")]
    ]


def write_errors(path: Path, errors: Sequence[Mapping[str, Any]]) -> None:
    """errors.csv."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["example", "label", "predicted", "probability"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(errors)


def _pictures(errors: Sequence[Mapping[str, Any]], arrays: Arrays, task: Task) -> list[Picture]:
    drawn = [(error, task.picture(arrays, error["row"])) for error in errors]
    return [Picture(png, _caption(error)) for error, png in drawn if png is not None]


def _caption(error: Mapping[str, Any]) -> str:
    name = Path(error["example"]).name
    return f"{error['label']}, taken for {error['predicted']} ({error['probability']:.0%}) {name}"


def _summary(spec: AppSpec, data: DataReport, measured: Measured) -> str:
    counts = {split: sum(rows.values()) for split, rows in data.rows.items()}
    return (
        f"{spec.summary.en} Trained on {counts.get('train', 0):,} and tuned on {counts.get('validation', 0):,}. "
        f"Every figure below is from {len(measured.examples):,} examples of the {measured.split} split, through the "
        "graph that is served, with 95 % bootstrap intervals."
    )


def _facts(config: Config, measured: Measured, result: FitResult | None) -> dict[str, str]:
    facts = {"data": config.data.path, "split": measured.split, "seed": str(config.seed)}
    if result:
        facts |= {
            "epochs": str(len(result.history)),
            "kept": f"epoch {result.best_epoch + 1}",
            "training": f"{result.seconds / 60:.1f} min",
            "device": f"{result.plan.device}, {result.plan.precision}",
        }
    return facts


def _data_problems(data: DataReport) -> list[str]:
    found = [
        (sum(item.rows for item in data.rejected), "files or rows were rejected (data_report.json names each)"),
        (data.leaked_group_count, "groups stand in two splits: figures may be too good"),
        (data.exact_duplicates_across.count, "pairs of equal content stand in two splits: figures may be too good"),
        (data.near_duplicates_across.count, "pairs look alike across splits"),
        (data.exact_duplicates_within.count, "pairs of equal content stand within a split"),
    ]
    return [f"{count:,} {what}" for count, what in found if count]
