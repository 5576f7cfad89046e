"""Nearest vectors: exact and approximate."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.errors import UserError
from core.retrieval import vectors
from core.retrieval.vectors import build_vector_index, load_vector_index, recall_of


def unit_vectors(count: int, dimension: int = 16, seed: int = 0) -> npt.NDArray[np.float32]:
    found = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def test_small_sets_are_searched_exactly() -> None:
    rows, queries = unit_vectors(500), unit_vectors(20, seed=1)
    index = build_vector_index(rows)
    cosines, numbers = index.search(queries, 5)
    expected = np.argsort(-(queries @ rows.T), axis=1)[:, :5]
    assert index.facts.kind == "exact"
    assert (numbers == expected).all()
    np.testing.assert_allclose(cosines, np.take_along_axis(queries @ rows.T, expected, 1), rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "graph_below", "max_gb"), [("graph", 10**6, 1.0), ("cells", 0, 1.0), ("small_cells", 0, 1e-5)]
)
def test_large_sets_are_searched_well_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, graph_below: int, max_gb: float
) -> None:
    monkeypatch.setattr(vectors, "EXACT_BELOW", 1000)
    monkeypatch.setattr(vectors, "GRAPH_BELOW", graph_below)
    rows, queries = unit_vectors(4000), unit_vectors(100, seed=1)
    index = build_vector_index(rows, max_gb)
    assert index.facts.kind == kind
    assert index.facts.recall >= 0.97
    exact = np.argsort(-(queries @ rows.T), axis=1)[:, :10]
    assert recall_of(index.search(queries, 10)[1], exact) >= 0.93
    np.testing.assert_allclose(index.vectors(np.array([7, 3])), rows[[7, 3]], atol=0.02)
    index.save(tmp_path / "index")
    again = load_vector_index(tmp_path / "index")
    assert again.facts == index.facts
    assert (again.search(queries, 10)[1] == index.search(queries, 10)[1]).all()


def test_an_index_that_finds_too_little_is_replaced_by_exact_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "EXACT_BELOW", 1000)
    assert build_vector_index(unit_vectors(2000), wanted_recall=1.01).facts.kind == "exact"


def test_more_than_there_are_gives_all_and_none_gives_none() -> None:
    assert build_vector_index(unit_vectors(3)).search(unit_vectors(1), 10)[1].shape == (1, 3)
    assert build_vector_index(np.zeros((0, 4), np.float32)).search(unit_vectors(1, 4), 10)[1].shape == (1, 0)


@pytest.mark.parametrize("file", ["index.faiss", "facts.json"])
def test_damaged_index_is_refused(tmp_path: Path, file: str) -> None:
    build_vector_index(unit_vectors(50)).save(tmp_path / "index")
    content = (tmp_path / "index" / file).read_bytes()
    (tmp_path / "index" / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="cannot be read"):
        load_vector_index(tmp_path / "index")
