"""The model card of a bundle, in Hugging Face form, filled from what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from core.app import AppSpec
from core.config import Config
from core.evaluation.decision import DecisionPolicy
from core.export.onnx import Parity

HEADLINES = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "ece", "mask_iou", "ndcg@10", "recall@10", "mrr")


def write_card(
    spec: AppSpec, config: Config, labels: Sequence[str], policy: DecisionPolicy, metrics: Mapping[str, Any]
) -> str:
    """README.md of a bundle: what it is, what it was measured to do, when it refuses, what it must not be used for."""
    header = {
        "license": "other",
        "library_name": "onnx",
        "tags": [spec.name, "onnx"],
        "datasets": [config.data.path],
        "metrics": [name for name in HEADLINES if name in metrics["test"]["metrics"]],
    }
    parts = [
        f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n",
        f"# {spec.title.en}\n\n{spec.summary.en}\n\n{spec.summary.zh}\n",
        "## What it must not be used for\n\n"
        + "\n".join(f"- {limit.en}\n  {limit.zh}" for limit in spec.limits)
        + "\n",
        f"## Labels\n\n{', '.join(labels)}\n" if labels else "",
        _measured(metrics),
        _quantized(metrics),
        _decisions(policy) if policy.has_classes else "",
        _per_label(metrics),
        _training(config, metrics),
    ]
    return "\n".join(part for part in parts if part)


def _measured(metrics: Mapping[str, Any]) -> str:
    lines = [
        "## Measured on the test split, with 95 % bootstrap intervals\n",
        "| metric | value | from | to |",
        "|---|---|---|---|",
    ]
    for name, estimate in metrics["test"]["metrics"].items():
        lines.append("| " + " | ".join([name, *(_number(estimate[key]) for key in ("value", "low", "high"))]) + " |")
    return "\n".join(lines) + "\n"


def _quantized(metrics: Mapping[str, Any]) -> str:
    found = metrics.get("quantized")
    if not found:
        return ""
    lines = ["## The int8 graph\n"]
    if found["kept"]:
        moves = (
            "An answer may move a little with the examples of its batch, since activations are quantised with one scale"
            " a call."
            if found["method"] == "dynamic"
            else "The scales of activations are those of some training examples."
        )
        lines.append(f"model.int8.onnx is what is served; the figures above are of model.onnx. {moves}\n")
    else:
        lines.append(f"It was tried and not kept: {'; '.join(found['objections'])}.\n")
    lines += [f"On {found['examples']} validation examples:\n", "| figure | model.onnx | int8 |", "|---|---|---|"]
    for name, pair in found.items():
        if isinstance(pair, dict) and "full" in pair:
            lines.append(f"| {name} | {_number(pair['full'])} | {_number(pair['int8'])} |")
    value, low, high = (_number(found["given_up"][name]) for name in ("value", "low", "high"))
    lines.append(f"\nAccuracy given up: {value}, 95 % interval {low} to {high} over the same examples.")
    return "\n".join(lines) + "\n"


def _decisions(policy: DecisionPolicy) -> str:
    lines = [
        "## When it answers\n",
        f"- Probabilities are calibrated by temperature {policy.temperature:.3f}: expected calibration error on"
        f" validation data {_number(policy.ece_before)} before, {_number(policy.ece_after)} after (cross-fitted).",
        f"- Prediction sets hold the right label in {policy.coverage:.0%} of cases like the validation data.",
        f"- Inputs less familiar than {policy.accepted_share:.0%} of the validation data are refused.",
    ]
    if point := policy.operating_point:
        lines.append(
            f"- Alarm for {', '.join(point.positive_labels)} at a summed probability of {point.threshold:.3f}:"
            f" sensitivity {point.sensitivity.estimate}, specificity {point.specificity.estimate} on validation data."
        )
    return "\n".join(lines) + "\n"


def _per_label(metrics: Mapping[str, Any]) -> str:
    table = metrics["test"].get("tables", {}).get("per_label")
    if not table:
        return ""
    lines = ["## By label\n", "| " + " | ".join(table["columns"]) + " |", "|" + "---|" * len(table["columns"])]
    for row in table["rows"]:
        lines.append("| " + " | ".join(_cell(cell) for cell in row) + " |")
    return "\n".join(lines) + "\n"


def _training(config: Config, metrics: Mapping[str, Any]) -> str:
    facts, parity = metrics["training"], metrics["parity"]
    return "\n".join(
        [
            "## Training\n",
            f"- Data: `{config.data.path}`, seed {config.seed}; the whole config is in config.yaml.",
            f"- {facts['epochs']} epochs in {facts['seconds'] / 60:.1f} minutes, epoch {facts['best_epoch']} kept.",
            f"- {Parity(**parity).sentence()}.",
            "",
        ]
    )


def _cell(cell: Any) -> str:
    return _number(cell["value"]) if isinstance(cell, dict) else _number(cell)


def _number(value: Any) -> str:
    if value is None:
        return "n/a"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
