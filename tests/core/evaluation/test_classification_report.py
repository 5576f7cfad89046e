"""The whole evaluation of a classifier: what is in it, and that it fits a JSON file."""

import json

import numpy as np
import pytest

from core.config import DecisionConfig
from core.evaluation.calibration import expected_calibration_error, softmax
from core.evaluation.classification_report import evaluate_classification
from core.evaluation.decision import fit_policy
from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.uncertainty import Estimate
from core.texts import Text

from .simulated import LABELS, simulate


@pytest.fixture(scope="module")
def policy():
    logits, targets = simulate(400, sharpness=3)
    return fit_policy(logits, targets, np.linspace(0, 1, 400), LABELS, DecisionConfig(), ("melanoma",))


@pytest.fixture(scope="module")
def evaluation(policy):
    logits, targets = simulate(300, seed=1, sharpness=3)
    return evaluate_classification(
        policy.calibrate(logits),
        targets,
        LABELS,
        policy=policy,
        novelty=np.linspace(0, 1.2, 300),
        refusals=[(Text("Dark.", "过暗。"),) if index < 3 else () for index in range(300)],
        groups=[index // 2 for index in range(300)],
        subgroups={"sex": ["female", "male", None] * 100},
        resamples=100,
        seed=0,
    )


def test_shares_of_decisions_add_up(evaluation):
    metrics = evaluation.metrics
    shares = [metrics[f"share_{decision}"].value for decision in ("answered", "unsure", "refused")]
    assert sum(shares) == pytest.approx(1)
    assert evaluation.tables["decisions"].column("examples") == tuple(round(300 * share) for share in shares)
    assert shares[2] == pytest.approx(3 / 300 + 1 - 0.98 / 1.2, abs=0.01)


def test_promises_are_measured_with_intervals(evaluation):
    for name in ("set_coverage", "set_size", "accuracy_answered", "alarm_sensitivity", "alarm_specificity"):
        value, low, high = evaluation.metrics[name]
        assert low <= value <= high > low, name
    assert evaluation.tables["alarm"].column("sensitivity")[1] == evaluation.metrics["alarm_sensitivity"]


def test_subgroups_partition_the_split_with_unknown_last(evaluation):
    table = evaluation.tables["by_sex"]
    assert table.column("sex") == ("female", "male", "unknown")
    assert sum(table.column("examples")) == 300
    mean = np.mean([estimate.value for estimate in table.column("accuracy")])
    assert mean == pytest.approx(evaluation.metrics["accuracy"].value)


def test_reliability_before_calibration_is_recovered_from_the_probabilities(evaluation):
    logits, targets = simulate(300, seed=1, sharpness=3)
    curve = evaluation.curves["reliability"]
    assert curve["before_ece"] == pytest.approx(expected_calibration_error(softmax(logits), targets), abs=1e-9)
    assert curve["ece"] < curve["before_ece"]


def test_evaluation_is_small_json_without_nan(evaluation):
    text = json.dumps(evaluation.to_json(), allow_nan=False)
    assert len(text) < 150_000
    assert set(json.loads(text)) == {"metrics", "tables", "curves"}


def test_evaluation_while_training_needs_no_policy():
    logits, targets = simulate(50)
    evaluation = evaluate_classification(softmax(logits), targets, LABELS, resamples=0)
    assert all(low == value == high for value, low, high in evaluation.metrics.values())
    assert "decisions" not in evaluation.tables
    assert "before_ece" not in evaluation.curves["reliability"]


def test_split_without_a_label_and_with_one_example_evaluates(policy):
    one = evaluate_classification(
        np.array([[0.1, 0.7, 0.1, 0.1]]), np.array([1]), LABELS, policy=policy, subgroups={"sex": [None]}, resamples=20
    )
    assert "alarm_sensitivity" not in one.metrics
    assert one.metrics["accuracy"].value == 1
    assert one.tables["by_sex"].column("auroc") == (None,)
    json.dumps(one.to_json(), allow_nan=False)


def test_many_labels_keep_the_curves_few():
    logits, targets = simulate(300, num_labels=60)
    labels = [f"label {k}" for k in range(60)]
    curves = evaluate_classification(softmax(logits), targets, labels, resamples=0).curves
    assert len(curves["roc"]["labels"]) == 10


def test_tables_and_evaluations_serialise_whatever_is_not_finite_as_null():
    table = Table(("name", "value"), (("a", float("nan")), ("b", Estimate(1.0, 0.5, float("inf")))))
    found = Evaluation({"x": Estimate.exact(1)}, {"t": table}, {"c": {"y": np.array([1, np.nan])}}).to_json()
    assert found["tables"]["t"]["rows"] == [["a", None], ["b", {"value": 1.0, "low": 0.5, "high": None}]]
    assert found["curves"] == {"c": {"y": [1.0, None]}}
