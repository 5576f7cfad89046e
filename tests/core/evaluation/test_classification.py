"""Figures of classification equal scikit-learn's, with and without weights."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from core.evaluation.calibration import softmax
from core.evaluation.classification import classification_metrics, confusion_matrix, per_label_metrics
from core.evaluation.discrimination import Discrimination, auroc, average_precision, precision_recall_curve, roc_curve

from .simulated import LABELS, STEADY, simulate


@pytest.fixture(scope="module")
def case():
    logits, targets = simulate(600)
    return softmax(logits).round(2) + 1e-9, targets  # rounded, so that there are ties


def test_overall_figures_equal_scikit_learn(case):
    probabilities, targets = case
    predicted, one_hot = probabilities.argmax(axis=1), np.eye(4)[targets]
    expected = {
        "accuracy": reference.accuracy_score(targets, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(targets, predicted),
        "macro_f1": reference.f1_score(targets, predicted, average="macro"),
        "auroc": np.mean([reference.roc_auc_score(one_hot[:, k], probabilities[:, k]) for k in range(4)]),
        "average_precision": reference.average_precision_score(one_hot, probabilities),
        "log_loss": -np.mean(np.log(probabilities[np.arange(600), targets])),
        "brier": np.mean(np.sum((probabilities - one_hot) ** 2, axis=1)),
    }
    found = classification_metrics(probabilities, targets, LABELS, resamples=0, seed=0)
    for name, value in expected.items():
        assert found[name] == pytest.approx((value, value, value)), name


def test_per_label_figures_equal_scikit_learn(case):
    probabilities, targets = case
    found = per_label_metrics(probabilities, targets, LABELS, resamples=0, seed=0)
    report = reference.classification_report(
        targets, probabilities.argmax(axis=1), target_names=LABELS, output_dict=True
    )
    for k, label in enumerate(LABELS):
        theirs, is_label, said = report[label], targets == k, probabilities.argmax(axis=1) == k
        assert found[label]["sensitivity"].value == pytest.approx(theirs["recall"])
        assert found[label]["precision"].value == pytest.approx(theirs["precision"])
        assert found[label]["f1"].value == pytest.approx(theirs["f1-score"])
        assert found[label]["support"].value == theirs["support"]
        assert found[label]["specificity"].value == pytest.approx(np.mean(~said[~is_label]))
        assert found[label]["auroc"].value == pytest.approx(reference.roc_auc_score(is_label, probabilities[:, k]))


@STEADY
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=2, max_size=30))
def test_weighted_areas_equal_scikit_learn(rows):
    scores, positive, counts = (np.array(column) for column in zip(*rows, strict=True))
    positive = positive.astype(bool)
    area, precision = Discrimination(scores, positive).measure(counts[:, None].astype(np.float32))
    drawn_scores, drawn = np.repeat(scores, counts), np.repeat(positive, counts)
    if drawn.any() and not drawn.all():
        assert area[0] == pytest.approx(reference.roc_auc_score(drawn, drawn_scores))
    else:
        assert np.isnan(area[0])
    if drawn.any():
        assert precision[0] == pytest.approx(reference.average_precision_score(drawn, drawn_scores))


def test_areas_of_a_case_worked_by_hand():
    scores, positive = np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, False, True, False])
    assert auroc(scores, positive) == pytest.approx((2 + 1.5) / 4)
    assert average_precision(scores, positive) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert np.isnan(auroc(scores, np.ones(4, bool)))


def test_curves_equal_scikit_learn(case):
    scores, positive = case[0][:, 0], case[1] == 0
    roc = roc_curve(scores, positive)
    fpr, tpr, _ = reference.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose([roc.x, roc.y], [fpr, tpr])
    line = precision_recall_curve(scores, positive)
    precision, recall, _ = reference.precision_recall_curve(positive, scores)
    np.testing.assert_allclose([line.x[1:], line.y[1:]], [recall[-2::-1], precision[-2::-1]])


def test_confusion_matrix_equals_scikit_learn(case):
    predicted = case[0].argmax(axis=1)
    np.testing.assert_array_equal(
        confusion_matrix(predicted, case[1], 4), reference.confusion_matrix(case[1], predicted)
    )


def test_absent_labels_are_left_out_and_nothing_is_nan():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.4, 0.5, 0.1]])
    targets = np.array([0, 1, 1, 0])
    overall = classification_metrics(probabilities, targets, ("a", "b", "c"), resamples=50, seed=0)
    assert overall["balanced_accuracy"].value == 0.5
    assert overall["macro_f1"].value == 0.5
    absent = per_label_metrics(probabilities, targets, ("a", "b", "c"), resamples=50, seed=0)["c"]
    assert set(absent) == {"specificity", "support"}
    json.dumps([value.to_json() for value in (*overall.values(), *absent.values())], allow_nan=False)


def test_one_label_alone_has_no_areas():
    overall = classification_metrics(np.array([[0.9, 0.1]]), np.array([0]), ("a", "b"), resamples=20, seed=0)
    assert overall["accuracy"].value == 1
    assert "auroc" not in overall


def test_intervals_hold_their_values_and_repeat(case):
    first, second = (classification_metrics(*case, LABELS, resamples=200, seed=5) for _ in range(2))
    assert first == second
    assert all(low <= value <= high for value, low, high in first.values())
    assert all(high > low for _, low, high in first.values())
