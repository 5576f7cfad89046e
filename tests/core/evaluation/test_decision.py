"""The policy keeps its promises on data it has not seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import DecisionConfig
from core.errors import UserError
from core.evaluation import conformal
from core.evaluation.calibration import expected_calibration_error, softmax
from core.evaluation.decision import DecisionPolicy, cross_fitted_ece, fit_policy, risk_coverage
from core.evaluation.operating_point import alarm_scores, fit_operating_point
from core.texts import Text

from .simulated import LABELS, STEADY, simulate


def fit(num_examples=1000, positive=("melanoma", "keratosis"), **config):
    logits, targets = simulate(num_examples, sharpness=3)
    novelty = np.random.default_rng(1).normal(size=num_examples)
    return fit_policy(logits, targets, novelty, LABELS, DecisionConfig(**config), positive)


def test_policy_survives_json_and_is_frozen():
    policy = fit()
    assert DecisionPolicy.model_validate_json(policy.model_dump_json()) == policy
    assert policy == fit()
    with pytest.raises(ValueError, match="frozen"):
        policy.temperature = 1.0


def test_calibration_improves_and_is_reported_cross_fitted():
    policy, (logits, targets) = fit(), simulate(1000, sharpness=3)
    assert policy.temperature == pytest.approx(3, rel=0.15)
    assert policy.ece_after < policy.ece_before / 2
    assert policy.ece_after == cross_fitted_ece(logits, targets)
    assert policy.ece_after != expected_calibration_error(policy.calibrate(logits), targets)


@pytest.mark.parametrize("coverage", [0.7, 0.9, 0.97])
@pytest.mark.parametrize("num_labels", [2, 10])
def test_prediction_sets_cover_as_promised(coverage, num_labels):
    shares, accuracies = [], []
    for seed in range(200):
        logits, targets = simulate(400, num_labels, seed)
        quantile = conformal.fit_quantile(softmax(logits[:200]), targets[:200], coverage)
        members = conformal.prediction_sets(softmax(logits[200:]), quantile)
        shares.append(members[np.arange(200), targets[200:]].mean())
        accuracies.append(np.mean(logits[200:].argmax(axis=1) == targets[200:]))
    assert np.mean(shares) >= coverage - 0.005
    assert np.mean(shares) <= max(coverage, np.mean(accuracies)) + 0.01


@STEADY
@given(st.integers(0, 50), st.floats(0, 1))
def test_prediction_sets_are_never_empty_and_grow_with_the_quantile(seed, quantile):
    probabilities = softmax(simulate(20, 5, seed)[0])
    members = conformal.prediction_sets(probabilities, quantile)
    assert members[np.arange(20), probabilities.argmax(axis=1)].all()
    assert (members <= conformal.prediction_sets(probabilities, min(1, quantile + 0.1))).all()


def test_too_few_examples_make_no_promise_and_keep_every_label():
    assert conformal.fit_quantile(np.array([[0.9, 0.1]]), np.array([0]), 0.9) == 1.0


def test_novelty_gate_accepts_the_stated_share():
    policy = fit(accepted_share=0.95)
    novelty = np.random.default_rng(1).normal(size=1000)
    assert policy.is_familiar(novelty, 1000).mean() == pytest.approx(0.95, abs=0.002)
    assert not policy.is_familiar(np.array([np.nan]), 1)[0]


def test_judge_answers_doubts_and_refuses_with_reasons_in_both_languages():
    policy = fit()
    probabilities = np.array([[0.97, 0.01, 0.01, 0.01], [0.4, 0.39, 0.11, 0.1], [0.97, 0.01, 0.01, 0.01]] * 2)[:4]
    novelty = np.array([0.0, 0.0, 99.0, 0.0])
    refusals = [(), (), (), (Text("It is blurred.", "图像模糊。"),)]
    sure, doubtful, novel, blurred = policy.judge(probabilities, novelty, LABELS, refusals)
    assert (sure.decision, sure.reasons, sure.prediction_set) == ("answered", (), ("melanoma",))
    assert doubtful.decision == "unsure"
    assert doubtful.prediction_set[:2] == ("melanoma", "nevus")
    assert "melanoma, nevus" in doubtful.reasons[0].en
    assert "melanoma、nevus" in doubtful.reasons[0].zh
    assert novel.decision == "refused"
    assert "99" in novel.reasons[0].en
    assert "99" in novel.reasons[0].zh
    assert blurred.decision == "refused"
    assert blurred.reasons == refusals[3]
    assert blurred.to_json()["reasons"] == [{"en": "It is blurred.", "zh": "图像模糊。"}]


@pytest.mark.parametrize("quantile", [0.0, 0.6])
def test_one_label_that_is_unlikely_is_no_answer(quantile):
    """Under 0.6 a label needs 0.4; the quantile of a model that is nearly always right is 0."""
    policy = fit().model_copy(update={"conformal_quantile": quantile, "novelty_threshold": None})
    probabilities = np.array([[0.1, 0.37, 0.3, 0.23], [0.5, 0.25, 0.15, 0.1]])
    unlikely, likely = policy.judge(probabilities, None, LABELS)
    assert (unlikely.decision, unlikely.prediction_set) == ("unsure", (LABELS[1], LABELS[2]))
    assert unlikely.reasons[0].en.startswith("No label is likely enough: the first, nevus, has a probability of 37")
    assert "37%" in unlikely.reasons[0].zh
    assert (likely.decision, likely.prediction_set) == ("answered", (LABELS[0],))
    refused = policy.judge(probabilities[:1], None, LABELS, [(Text("It is blurred.", "图像模糊。"),)])[0]
    assert (refused.decision, len(refused.prediction_set)) == ("refused", 2)


def test_policy_without_novelty_has_no_gate():
    logits, targets = simulate(50)
    policy = fit_policy(logits, targets, None, LABELS, DecisionConfig())
    assert policy.novelty_threshold is None
    assert policy.operating_point is None
    assert {verdict.decision for verdict in policy.judge(softmax(logits), None, LABELS)} <= {"answered", "unsure"}


@pytest.mark.parametrize("sensitivity", [0.8, 0.9, 0.99])
def test_operating_point_is_the_highest_that_reaches_the_sensitivity(sensitivity):
    logits, targets = simulate(500)
    probabilities, positive = softmax(logits), np.isin(targets, [0, 2])
    point = fit_operating_point(probabilities, targets, LABELS, ("melanoma", "keratosis"), sensitivity)
    scores = alarm_scores(probabilities, LABELS, point.positive_labels)
    assert point.sensitivity.value == np.mean(scores[positive] >= point.threshold) >= sensitivity
    assert point.specificity.value == np.mean(scores[~positive] < point.threshold)
    next_higher = scores[positive & (scores >= point.threshold)].min() + 1e-12
    assert np.mean(scores[positive] >= next_higher) < sensitivity


def test_operating_point_needs_positives_negatives_and_known_labels():
    probabilities = softmax(simulate(10)[0])
    assert fit_operating_point(probabilities, np.zeros(10, int), LABELS, ("melanoma",), 0.9) is None
    assert fit_operating_point(probabilities, np.zeros(10, int), LABELS, (), 0.9) is None
    with pytest.raises(UserError, match=r"melanom .*\n.*melanoma, nevus"):
        fit_operating_point(probabilities, np.zeros(10, int), LABELS, ("melanom",), 0.9)


def test_risk_coverage_of_a_case_worked_by_hand():
    curve = risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True]))
    np.testing.assert_allclose(curve.refused, [0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(curve.accuracy, [3 / 4, 2 / 3, 1, 1])
    assert curve.aurc == pytest.approx((1 / 4 + 1 / 3) / 4)


def test_risk_coverage_of_equal_confidence_does_not_depend_on_order():
    correct = np.array([True, False, True, False])
    curve = risk_coverage(np.full(4, 0.5), correct)
    np.testing.assert_allclose(curve.accuracy, 0.5)
