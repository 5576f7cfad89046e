"""Every plot draws, in both formats, with Chinese labels, without warnings and without touching global state."""

import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from core.evaluation.calibration import softmax
from core.evaluation.classification_report import evaluate_classification
from core.evaluation.plot_style import shorten
from core.evaluation.plots import draw_curves, plot_confusion, plot_counts, plot_training

from .simulated import LABELS, simulate


@pytest.fixture(scope="module")
def curves():
    logits, targets = simulate(200)
    return evaluate_classification(softmax(logits), targets, LABELS, resamples=0).curves


def is_drawn(png):
    image = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    return image.shape[1] >= 600 and image.std() > 5


def test_every_curve_is_drawn_as_png_twice_the_same(curves):
    settings = dict(matplotlib.rcParams)
    drawn = draw_curves(curves)
    assert list(drawn) == ["confusion", "reliability", "roc", "precision_recall", "confidence", "risk_coverage"]
    assert all(is_drawn(png) for png in drawn.values())
    assert plot_confusion(curves["confusion"]) == drawn["confusion"]
    assert dict(matplotlib.rcParams) == settings
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_svg_is_drawn(curves):
    assert b"<svg" in plot_confusion(curves["confusion"], "svg")


def test_confusion_of_many_labels_shows_the_most_confused():
    counts = np.eye(60, dtype=int) * 5
    counts[3, 50] = 9
    assert is_drawn(plot_confusion({"labels": [f"label {k}" for k in range(60)], "counts": counts}))


def test_training_curves_read_rows_of_a_csv_file():
    rows = [
        {"epoch": str(e), "train_loss": str(1 / e), "validation_accuracy": "" if e == 1 else "0.5"} for e in (1, 2, 3)
    ]
    assert is_drawn(plot_training(rows))
    assert is_drawn(plot_training([]))


def test_counts_of_splits_are_drawn():
    assert is_drawn(plot_counts({"train": {"瘤": 3, "b$x$": 1}, "test": {"瘤": 1}}))


def test_labels_are_shortened_by_the_width_of_their_characters():
    assert shorten("a" * 30) == "a" * 24 + "…"
    assert shorten("皮" * 20) == "皮" * 12 + "…"
    assert shorten("a$b") == r"a\$b"


def test_metrics_and_policy_import_neither_matplotlib_nor_heavy_packages():
    code = (
        "import sys; import core.evaluation.classification_report, core.evaluation.masks, core.evaluation.report, "
        "core.evaluation.plots; print(*{'matplotlib', 'torch', 'sklearn', 'pandas', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
