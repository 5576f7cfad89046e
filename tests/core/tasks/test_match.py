"""The matching task: its loss and its ranking, worked by hand."""

import math

import numpy as np
import pytest
import torch

from core.data.hashed_units import hash_units, trim_units
from core.data.unit_config import UnitConfig
from core.retrieval.untrained import unit_specs
from core.tasks.match import MatchTask

UNITS = UnitConfig()
TASK = MatchTask(lambda texts: hash_units(texts, UNITS), unit_specs(UNITS), trim_units)


def loss(vectors: torch.Tensor, labels: list[int], scale: float = 1.0) -> float:
    outputs = {"query_vector": vectors, "text_vector": vectors, "scale": torch.tensor(scale)}
    return float(TASK.loss(outputs, {"label": torch.tensor(labels)}))


def test_loss_of_orthogonal_pairs_is_that_of_a_softmax() -> None:
    assert loss(torch.eye(3), [0, 1, 2], 2.0) == pytest.approx(math.log(1 + 2 * math.exp(-2)))


def test_pairs_of_the_same_entry_are_no_mistakes() -> None:
    same = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert loss(same, [0, 0, 1], 50.0) < 1e-6
    assert loss(same, [0, 2, 1], 50.0) > 0.4


def test_encoded_arrays_are_the_inputs_and_the_targets() -> None:
    arrays = TASK.encode([{"query": "parcel", "text": "Parcels come by van.", "label": 4}])
    assert set(arrays) == {spec.name for spec in TASK.inputs} | {"label", "is_query"}
    assert arrays["label"].tolist() == [4]
    assert arrays["is_query"].tolist() == [True]


def test_trim_leaves_what_the_batch_uses() -> None:
    arrays = TASK.encode([{"query": text, "text": text, "label": 0} for text in ("hi", "a much longer question")])
    batch = TASK.trim({name: torch.from_numpy(array[:1]) for name, array in arrays.items()})
    assert batch["query_ids"].shape[1] < arrays["query_ids"].shape[1]
    assert batch["text_ids"].all()


def test_right_entry_is_sought_among_all_entries_by_its_best_text() -> None:
    texts = np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]], np.float32)
    outputs = {"text_vector": texts, "query_vector": texts[[0, 2, 0]]}
    arrays = {"label": np.array([0, 0, 1]), "is_query": np.array([True, True, False])}
    metrics = TASK.evaluate(outputs, arrays).metrics
    # The first query finds entry 0; the second lies on the text of entry 1.
    assert metrics["recall@1"].value == 0.5
    assert metrics["mrr"].value == 0.75
