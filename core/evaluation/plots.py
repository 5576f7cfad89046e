"""Plots of an evaluation, of a training run and of a data set, as PNG or SVG bytes.

Legend: K labels, B bins, V points.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluation.plot_style import (
    BLUE,
    FAINT,
    INK,
    LINE_STYLES,
    ORANGE,
    PALETTE,
    RED,
    Canvas,
    ImageFormat,
    shorten,
)

Curve = Mapping[str, Any]

MAX_MATRIX_LABELS = 20
MAX_NUMBERED_LABELS = 12
NOT_METRICS = ("epoch", "step", "learning_rate", "seconds", "examples_per_second", "memory_gb")
"""Columns of metrics.csv that are not drawn as curves."""


def draw_curves(curves: Mapping[str, Curve], image_format: ImageFormat = "png") -> dict[str, bytes]:
    """One picture for each curve of `Evaluation.curves` that this module knows and that holds something."""
    return {
        name: draw(curves[name], image_format)
        for name, draw in DRAWERS.items()
        if name in curves and _has_data(curves[name])
    }


def plot_confusion(curve: Curve, image_format: ImageFormat = "png") -> bytes:
    """Confusion matrix, rows as shares of the right label; of many labels those with the most mistakes.

    Args:
        curve: labels, counts (K, K) with the right label in rows.
        image_format: png or svg.
    """
    counts = np.asarray(curve["counts"])
    chosen = _most_confused(counts)
    names = [shorten(curve["labels"][k]) for k in chosen]
    shares = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))[np.ix_(chosen, chosen)]
    size = min(9.0, 3.2 + 0.5 * len(chosen))
    with Canvas(size + 0.6, size) as canvas:
        axes = canvas.axes
        axes.grid(False)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="Predicted", ylabel="Right label")
        axes.set_title(_matrix_title(len(chosen), len(counts)))
        if len(chosen) <= MAX_NUMBERED_LABELS:
            _number_cells(axes, counts[np.ix_(chosen, chosen)], shares)
        return canvas.render(image_format)


def plot_reliability(curve: Curve, image_format: ImageFormat = "png") -> bytes:
    """Reliability diagram: accuracy against confidence, before and after calibration, and how many examples.

    Args:
        curve: edges (B + 1,), counts, confidence, accuracy (B,), ece; optionally before_confidence,
            before_accuracy, before_ece.
        image_format: png or svg.
    """
    edges = np.asarray(curve["edges"])
    with Canvas(6.0, 5.2, rows=2, ratios=(3.2, 1)) as canvas:
        (top,), (bottom,) = canvas.grid
        top.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--", label="Perfect")
        if "before_ece" in curve:
            x, y = _defined(curve["before_confidence"], curve["before_accuracy"])
            label = f"Before temperature, ECE {curve['before_ece']:.3f}"
            top.plot(x, y, color=ORANGE, marker="s", markersize=3.5, linewidth=1, linestyle=":", label=label)
        counts = np.asarray(curve["counts"])
        x, y = _defined(curve["confidence"], curve["accuracy"])
        after = "After temperature, " if "before_ece" in curve else ""
        top.plot(x, y, color=BLUE, linewidth=1.2, alpha=0.5)
        sizes = 12 + 150 * counts[counts > 0] / max(1, counts.max())
        top.scatter(x, y, s=sizes, color=BLUE, zorder=3, label=f"{after}ECE {curve['ece']:.3f} (size: examples)")
        top.set(xlim=(0, 1.01), ylim=(0, 1.03), ylabel="Accuracy", title="Are probabilities right?")
        top.tick_params(labelbottom=False)
        top.legend(loc="upper left")
        bottom.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=BLUE, edgecolor="white", linewidth=0.6)
        bottom.set(xlim=(0, 1.01), xlabel="Probability of the first label", ylabel="Examples")
        return canvas.render(image_format)


def plot_roc(curve: Curve, image_format: ImageFormat = "png") -> bytes:
    """ROC curve of each label against the rest: labels, areas, x and y (one list of points a label)."""
    with Canvas(7.2, 4.3) as canvas:
        canvas.axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
        _draw_lines(canvas, curve, "AUROC")
        canvas.axes.set(xlabel="1 - specificity", ylabel="Sensitivity", title="ROC, each label against the rest")
        return canvas.render(image_format)


def plot_precision_recall(curve: Curve, image_format: ImageFormat = "png") -> bytes:
    """Precision-recall curve of each label against the rest; as `plot_roc`."""
    with Canvas(7.2, 4.3) as canvas:
        _draw_lines(canvas, curve, "AP", drawstyle="steps-pre")
        canvas.axes.set(xlabel="Recall", ylabel="Precision", title="Precision and recall, each label against the rest")
        return canvas.render(image_format)


def plot_confidence(curve: Curve, image_format: ImageFormat = "png") -> bytes:
    """Confidence of right answers against wrong ones: edges (B + 1,), right and wrong (B,) as counts.

    Each is drawn as shares of its own total, because there are usually far more right answers than wrong ones.
    """
    edges = np.asarray(curve["edges"])
    middle, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    with Canvas() as canvas:
        for name, colour, side in (("right", BLUE, -0.5), ("wrong", RED, 0.5)):
            counts = np.asarray(curve[name])
            shares = counts / max(1, counts.sum())
            label = f"{name.capitalize()} ({counts.sum():,})"
            canvas.axes.bar(middle + side * width * 0.44, shares, width=width * 0.44, color=colour, label=label)
        canvas.axes.yaxis.set_major_formatter(_percent())
        canvas.axes.set(
            xlim=(0, 1),
            xlabel="Probability of the first label",
            ylabel="Share of these answers",
            title="Confidence of right and wrong answers",
        )
        canvas.axes.legend(loc="upper left")
        return canvas.render(image_format)


def plot_risk_coverage(curve: Curve, image_format: ImageFormat = "png") -> bytes:
    """Accuracy of what is answered against the share refused: refused, accuracy (V,), aurc."""
    refused, accuracy = np.asarray(curve["refused"]), np.asarray(curve["accuracy"])
    with Canvas() as canvas:
        axes = canvas.axes
        axes.plot(refused, accuracy, color=BLUE)
        axes.fill_between(refused, accuracy, accuracy.min(), color=BLUE, alpha=0.1, linewidth=0)
        axes.axhline(accuracy[0], color=FAINT, linewidth=1, linestyle="--")
        axes.annotate(
            f"Nothing refused: {accuracy[0]:.1%}",
            (0.99, accuracy[0]),
            xytext=(0, -4),
            textcoords="offset points",
            ha="right",
            va="top",
            color=FAINT,
            fontsize=9,
        )
        axes.xaxis.set_major_formatter(_percent())
        axes.yaxis.set_major_formatter(_percent())
        axes.margins(y=0.12)
        axes.set(
            xlim=(0, 1),
            xlabel="Refused, least confident first",
            ylabel="Accuracy of the rest",
            title=f"What refusing buys (AURC {curve['aurc']:.3f})",
        )
        return canvas.render(image_format)


def plot_training(rows: Sequence[Mapping[str, Any]], image_format: ImageFormat = "png") -> bytes:
    """Training curves from the rows of metrics.csv: losses on the left, every other metric on the right.

    Args:
        rows: One an epoch; `epoch` or `step` is the x axis, a column whose name holds `loss` is a loss, others
            that hold numbers between 0 and 1 are metrics. Text is read as numbers; empty fields are gaps.
        image_format: png or svg.
    """
    columns = {name: np.array([_number(row.get(name)) for row in rows]) for name in (rows[0] if rows else ())}
    axis = next((name for name in ("epoch", "step") if name in columns), None)
    x = columns[axis] if axis else np.arange(len(rows))
    drawn = {name: y for name, y in columns.items() if name not in NOT_METRICS and np.isfinite(y).any()}
    losses = {name: y for name, y in drawn.items() if "loss" in name}
    metrics = {name: y for name, y in drawn.items() if "loss" not in name and _is_share(y)}
    with Canvas(8.4, 3.6, columns=2) as canvas:
        for axes, lines, title in zip(canvas.grid[0], (losses, metrics), ("Loss", "Metrics"), strict=True):
            for index, (name, y) in enumerate(list(lines.items())[: len(PALETTE)]):
                known = np.isfinite(y)
                marker = "o" if known.sum() < 30 else ""
                axes.plot(x[known], y[known], label=shorten(name), color=PALETTE[index], marker=marker, markersize=3.5)
            axes.set(title=title, xlabel=axis or "row")
            axes.xaxis.set_major_locator(_whole_numbers())
            if lines:
                axes.legend()
        return canvas.render(image_format)


def plot_counts(counts: Mapping[str, Mapping[str, int]], image_format: ImageFormat = "png") -> bytes:
    """How many examples each label has in each split, as stacked bars, most frequent label first.

    Args:
        counts: Split name to label to number of examples.
        image_format: png or svg.
    """
    totals: dict[str, int] = {}
    for by_label in counts.values():
        for label, count in by_label.items():
            totals[label] = totals.get(label, 0) + count
    labels = sorted(totals, key=lambda label: -totals[label])[:30]
    with Canvas(6.4, 1.6 + 0.3 * max(2, len(labels))) as canvas:
        axes, left = canvas.axes, np.zeros(len(labels))
        for colour, (split, by_label) in zip(PALETTE, counts.items(), strict=False):
            width = np.array([by_label.get(label, 0) for label in labels])
            axes.barh(range(len(labels)), width, left=left, color=colour, label=split, height=0.72)
            left = left + width
        for position, total in enumerate(left.tolist()):
            axes.annotate(
                f"{total:,.0f}",
                (total, position),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=FAINT,
                fontsize=9,
            )
        axes.set_yticks(range(len(labels)), [shorten(label) for label in labels])
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        axes.margins(x=0.12)
        axes.tick_params(axis="y", length=0)
        more = f", {len(labels)} most frequent of {len(totals)}" if len(totals) > len(labels) else ""
        axes.set(xlabel="Examples", title=f"Examples by label{more}")
        axes.legend(loc="lower right")
        return canvas.render(image_format)


DRAWERS: Mapping[str, Callable[[Curve, ImageFormat], bytes]] = {
    "confusion": plot_confusion,
    "reliability": plot_reliability,
    "roc": plot_roc,
    "precision_recall": plot_precision_recall,
    "confidence": plot_confidence,
    "risk_coverage": plot_risk_coverage,
}


def _has_data(curve: Curve) -> bool:
    return all(len(value) > 0 for value in curve.values() if isinstance(value, Sequence | np.ndarray))


def _most_confused(counts: npt.NDArray[np.integer]) -> list[int]:
    """Positions of the labels to draw, in their own order."""
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    return sorted(np.argsort(-mistakes, kind="stable")[:MAX_MATRIX_LABELS].tolist())


def _matrix_title(shown: int, total: int) -> str:
    return "Confusion matrix" if shown == total else f"Confusion matrix: the {shown} most confused of {total} labels"


def _number_cells(axes: Any, counts: npt.NDArray[np.integer], shares: npt.NDArray[np.floating]) -> None:
    for row, column in np.argwhere(counts > 0).tolist():
        colour = "white" if shares[row, column] > 0.55 else INK
        axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=8.5, color=colour)


def _draw_lines(canvas: Canvas, curve: Curve, area: str, drawstyle: Any = "default") -> None:
    axes = canvas.axes
    for index, label in enumerate(curve["labels"]):
        axes.plot(
            curve["x"][index],
            curve["y"][index],
            color=PALETTE[index % len(PALETTE)],
            linestyle=LINE_STYLES[index % len(LINE_STYLES)],
            drawstyle=drawstyle,
            label=f"{shorten(label)}  {curve['areas'][index]:.3f}",
        )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), title=area, alignment="left")


def _defined(x: Any, y: Any) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    x, y = np.array(x, np.float64), np.array(y, np.float64)
    return x[np.isfinite(x)], y[np.isfinite(x)]


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _is_share(values: npt.NDArray[np.floating]) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() >= 0 and known.max() <= 1)


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=0)


def _whole_numbers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)
