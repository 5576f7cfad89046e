"""A teacher's bundle gives soft labels: its own probabilities, in the student's order, for known and unknown texts."""

from pathlib import Path

import numpy as np
import pytest

from core.config import TrainConfig
from core.errors import UserError
from core.optimization.distill import soft_labels, taught_examples, unlabelled_texts
from core.optimization.distill_config import DistillConfig
from core.tasks.text import TextTask
from tests.core.optimization.toy_teacher import LABELS, SCHEMA, SPEC, TEXTS, Teacher, make_teacher

EXAMPLES = [
    {"text": "cancel my order", "label": "cancel", "path": "1"},
    {"text": "parcel lost", "label": "parcel", "path": "2"},
    {"text": "what is the weather", "label": "", "path": "3"},
]


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Teacher:
    return make_teacher(tmp_path_factory.mktemp("teacher") / "bundle")


def test_soft_labels_are_the_teachers_probabilities(teacher: Teacher) -> None:
    texts = [*TEXTS, "", "my " * 40] * 20  # several batches of mixed lengths
    found = soft_labels(teacher.path, SPEC, LABELS, texts, progress=silent)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, teacher.probabilities(texts).numpy(), atol=1e-3)


def test_soft_labels_follow_the_students_order(teacher: Teacher) -> None:
    plain = soft_labels(teacher.path, SPEC, LABELS, TEXTS, progress=silent)
    turned = soft_labels(teacher.path, SPEC, LABELS[::-1], TEXTS, progress=silent)
    np.testing.assert_array_equal(turned, plain[:, ::-1])
    assert not np.allclose(turned, plain, atol=1e-2)


def test_temperature_flattens(teacher: Teacher) -> None:
    plain = soft_labels(teacher.path, SPEC, LABELS, TEXTS, progress=silent)
    flat = soft_labels(teacher.path, SPEC, LABELS, TEXTS, temperature=4, progress=silent)
    assert (flat.max(1) < plain.max(1)).all()
    np.testing.assert_allclose(flat.sum(1), 1, atol=2e-3)
    expected = teacher.probabilities(list(TEXTS)).numpy().astype(np.float64) ** 0.25
    np.testing.assert_allclose(flat, expected / expected.sum(1, keepdims=True), atol=2e-3)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (("cancel", "parcel"), r"1 more \(refund\)"),
        ((*LABELS, "a", "b", "c", "d"), r"4 missing \(a, b, c, \.\.\.\)"),
    ],
)
def test_other_labels_are_told(teacher: Teacher, labels: tuple[str, ...], told: str) -> None:
    with pytest.raises(UserError, match=told):
        soft_labels(teacher.path, SPEC, labels, TEXTS, progress=silent)


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a bundle"):
        soft_labels(tmp_path, SPEC, LABELS, TEXTS, progress=silent)


def test_every_example_is_taught_and_unlabelled_ones_follow(teacher: Teacher, tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text("text\nhow do I send it back\nparcel lost\nhow do I send it back\n", encoding="utf-8")
    config = DistillConfig(teacher=str(teacher.path), unlabelled=str(table))
    found = taught_examples(EXAMPLES, LABELS, config, SPEC, seed=0, progress=silent)
    assert [example["text"] for example in found] == [*(e["text"] for e in EXAMPLES), "how do I send it back"]
    assert [example["label"] for example in found] == ["cancel", "parcel", "", ""]
    arrays = TextTask(SCHEMA, TrainConfig()).encode(found)
    assert arrays["label"].tolist() == [0, 1, -1, -1]
    np.testing.assert_allclose(
        arrays["soft_label"], teacher.probabilities([example["text"] for example in found]).numpy(), atol=1e-3
    )


def test_variations_are_taught_too(teacher: Teacher) -> None:
    config = DistillConfig(teacher=str(teacher.path), variations=4)
    found, again = (taught_examples(EXAMPLES, LABELS, config, SPEC, seed=0, progress=silent) for _ in range(2))
    texts = [example["text"] for example in found]
    assert len(texts) == len(set(texts)) > len(EXAMPLES) + 3
    assert texts == [example["text"] for example in again]
    assert all(example["label"] == "" for example in found[len(EXAMPLES) :])


def test_near_words_are_put_into_texts_and_variations(teacher: Teacher) -> None:
    config = DistillConfig(teacher=str(teacher.path), variations=4, replacements=16)
    near = {"parcel": ("shipment",), "order": ("purchase",)}
    found = taught_examples(EXAMPLES, LABELS, config, SPEC, near=near, seed=0, progress=silent)
    texts = [example["text"] for example in found]
    assert len(texts) == len(set(texts))
    assert {"cancel my purchase", "shipment lost", "lost shipment"} <= set(texts)


def test_texts_are_read_from_lines_and_tables(tmp_path: Path) -> None:
    lines, table = tmp_path / "a.txt", tmp_path / "b.jsonl"
    lines.write_text("one\n\n  two \n", encoding="utf-8")
    table.write_text('{"Utterance": "one", "x": 1}\n{"Utterance": "two", "x": 2}\n', encoding="utf-8")
    assert unlabelled_texts(lines) == unlabelled_texts(table) == ["one", "two"]


def test_table_without_texts_is_told(tmp_path: Path) -> None:
    table = tmp_path / "numbers.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match="no column of texts; its columns: a, b"):
        unlabelled_texts(table)
