"""Texts become arrays and answers: out of scope included, padding cut, contributions at their places."""

import numpy as np
import pytest

from core.config import DecisionConfig, TrainConfig
from core.data.vocabulary import UNITS, learn_vocabulary
from core.data.vocabulary_config import VocabularyConfig
from core.evaluation.decision import DecisionPolicy, fit_policy
from core.tasks.task import Arrays
from core.tasks.text import OUTSIDE, TextTask
from core.tasks.text_schema import TextSchema

TEXTS = ["where is my parcel", "cancel my order", "我的快递到哪了", "取消订单", "the parcel is late"]
LABELS = ("cancel", "late", "where")


@pytest.fixture(scope="module")
def task() -> TextTask:
    vocabulary = learn_vocabulary(TEXTS, VocabularyConfig(max_words=16, min_count=1))
    schema = TextSchema(labels=LABELS, label_counts=(2, 1, 2), vocabulary=vocabulary, widths=(1, 2))
    return TextTask(schema, TrainConfig())


def policy_of(novelty_limit: float = 1.0) -> DecisionPolicy:
    logits = np.eye(3)[np.arange(30) % 3] * 4
    policy = fit_policy(logits, np.arange(30) % 3, np.full(30, novelty_limit), LABELS, DecisionConfig())
    return policy.model_copy(update={"novelty_threshold": novelty_limit})


def serve(probabilities: list[list[float]], novelty: list[float]) -> Arrays:
    return {"probabilities": np.array(probabilities, np.float32), "novelty": np.array(novelty, np.float32)}


def test_encode_gives_units_and_class_numbers_with_out_of_scope_apart(task: TextTask) -> None:
    examples = [{"text": TEXTS[0], "label": "where"}, {"text": "who won the match", "label": ""}]
    arrays = task.encode(examples)
    assert arrays["label"].tolist() == [2, OUTSIDE]
    assert arrays[UNITS].shape[:2] == (2, 16)
    assert task.strata(arrays).tolist() == [2, OUTSIDE]
    assert [task.is_measurable(example) for example in examples] == [True, True]
    assert not task.is_measurable({"text": "x", "label": "unheard of"})


def test_encode_of_an_input_without_label_has_no_target(task: TextTask) -> None:
    assert set(task.encode([{"text": "hello"}])) == {UNITS}


def test_soft_labels_of_a_teacher_travel_with_their_texts(task: TextTask) -> None:
    examples = [{"text": text, "label": "", "soft_label": [0.2, 0.3, 0.5]} for text in TEXTS]
    assert task.encode(examples)["soft_label"].shape == (5, 3)


def test_trim_cuts_what_no_text_of_the_batch_needs(task: TextTask) -> None:
    arrays = task.encode([{"text": text} for text in TEXTS])
    assert task.lengths(arrays).tolist() == [4, 3, 7, 4, 4]
    assert task.trim({UNITS: arrays[UNITS][:2]})[UNITS].shape[1] == 4
    assert task.trim(arrays)[UNITS].shape[1] == 7


def test_evaluate_measures_labels_on_texts_in_scope_and_novelty_on_all(task: TextTask) -> None:
    arrays = {"label": np.array([0, 1, 2, 2, OUTSIDE, OUTSIDE])}
    rows = [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2], [0.9, 0.05, 0.05], [0.4, 0.3, 0.3]]
    outputs = serve(rows, [0.1, 0.2, 0.3, 0.9, 0.6, 2.0])
    found = task.evaluate(outputs, arrays, policy_of(1.0)).metrics
    assert found["accuracy"].value == pytest.approx(3 / 4)
    # Of the eight pairs of a strange and a known text, the known one is stranger in one.
    assert found["out_of_scope_auroc"].value == pytest.approx(7 / 8)
    assert found["out_of_scope_recall"].value == pytest.approx(1 / 2)
    assert (
        "out_of_scope_auroc"
        not in task.evaluate(serve(rows[:4], [0.1] * 4), {"label": arrays["label"][:4]}, policy_of()).metrics
    )


def test_decode_names_the_n_grams_that_carried_the_label_at_their_places(task: TextTask) -> None:
    text = "Cancel MY order"
    arrays = task.trim(task.encode([{"text": text}]))
    _, length, slots = arrays[UNITS].shape
    shares = np.zeros((1, length, slots + 2), np.float32)
    shares[0, 0, 0] = 2.0  # the word "cancel"
    shares[0, 1, slots + 1] = -1.0  # the window of two words that begins at "my"
    outputs = {**serve([[0.9, 0.05, 0.05]], [0.1]), "contributions": shares}
    answer = task.decode(outputs, arrays, policy_of(), [{"text": text}])[0]
    assert answer.label == "cancel"
    assert answer.verdict.decision == "answered"
    assert [(part.ngram, part.weight) for part in answer.contributions] == [("Cancel", 2.0), ("MY order", -1.0)]
    assert all(text[part.start : part.end] == part.ngram for part in answer.contributions)


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07\n", "\u200b\ufeff"])
def test_text_without_words_is_refused_with_the_reason(task: TextTask, text: str) -> None:
    arrays = task.trim(task.encode([{"text": text}]))
    answer = task.decode(serve([[0.9, 0.05, 0.05]], [0.1]), arrays, policy_of(), [{"text": text}])[0]
    assert answer.verdict.decision == "refused"
    assert "no words" in answer.verdict.reasons[0].en


@pytest.mark.parametrize("text", ["a" * 100_000, "😀😀", "مرحبا أين طلبي", "订单 order 🙂 ABC", "x\ud800y", "<script>"])
def test_odd_texts_are_encoded_like_any_other(task: TextTask, text: str) -> None:
    arrays = task.encode([{"text": text}])
    assert arrays[UNITS].shape[:2] == (1, 16)
    assert arrays[UNITS].min() >= 0
