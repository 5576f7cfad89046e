"""Nearest vectors by cosine: exact for small sets, approximate for large ones; the only door to faiss."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import UserError
from core.files import new_folder

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

EXACT_BELOW = 100_000
"""Fewer vectors are searched exactly: a few milliseconds, and nothing to go wrong."""
GRAPH_BELOW = 400_000
"""Fewer vectors are linked to a graph (HNSW), the fastest to search; more are put into cells (IVF), as a graph of
them would take an hour to build on one core."""
WANTED_RECALL = 0.97
CHECKED_AT = 10
CHECKED_QUERIES = 256
QUERY_MIX = 0.7
"""Share of a second vector in the queries of the check: real queries stand between entries, and evenly spread noise
would hardly move them in the few directions that matter."""


@dataclass(frozen=True)
class IndexFacts:
    """What an index is, and how well it finds.

    Args:
        kind: exact, graph (HNSW), cells (IVF), or small_cells (IVF with 8 bits a number).
        recall: Share of the nearest vectors found, against exact search, measured when it was built.
        effort: efSearch of a graph, nprobe of cells, which that recall needed.
    """

    kind: str
    num_vectors: int
    dimension: int
    recall: float = 1.0
    effort: int = 0


class VectorIndex:
    """Unit vectors to be searched; make it with build_vector_index or load_vector_index."""

    def __init__(self, index: Any, facts: IndexFacts) -> None:
        self._index, self.facts = index, facts

    def search(self, queries: Floats, k: int) -> tuple[Floats, Numbers]:
        """Cosines and numbers of the k nearest vectors of each query, best first; -1 fills up what was not found."""
        k = min(k, self.facts.num_vectors)
        if k == 0:
            empty = (len(queries), 0)
            return np.zeros(empty, np.float32), np.zeros(empty, np.int64)
        found = self._index.search(np.ascontiguousarray(queries, np.float32), k, params=self._parameters(k))
        cosines: Floats = found[0]
        numbers: Numbers = found[1]
        return cosines, numbers

    def vectors(self, numbers: Numbers) -> Floats:
        """Vectors by their numbers."""
        if len(numbers) == 0:
            return np.zeros((0, self.facts.dimension), np.float32)
        found: Floats = self._index.reconstruct_batch(np.ascontiguousarray(numbers, np.int64))
        return found

    def save(self, folder: Path) -> None:
        """Writes the index as a folder that appears only when it is whole."""
        with new_folder(folder) as aside:
            _faiss().write_index(self._index, str(aside / "index.faiss"))
            (aside / "facts.json").write_text(json.dumps(asdict(self.facts)), encoding="utf-8")

    def _parameters(self, k: int) -> Any:
        faiss = _faiss()
        if self.facts.kind == "graph":
            return faiss.SearchParametersHNSW(efSearch=max(self.facts.effort, k))
        if self.facts.kind != "exact":
            return faiss.SearchParametersIVF(nprobe=self.facts.effort)
        return None


def build_vector_index(
    vectors: Floats,
    max_gb: float = 4.0,
    seed: int = 0,
    *,
    queries: Floats | None = None,
    nearest: int = CHECKED_AT,
    wanted_recall: float = WANTED_RECALL,
) -> VectorIndex:
    """An index of the kind that fits the number of vectors and the memory.

    An approximate one is searched harder until it finds what is wanted of exact search; if it cannot, an exact one
    takes its place.

    Args:
        vectors: Unit vectors, one a row.
        max_gb: Memory that the index may take, in GiB.
        seed: Of the queries of the check.
        queries: Unit vectors to check with, such as will come; None = some between two vectors are drawn.
        nearest: How many of the nearest vectors are to be found.
        wanted_recall: Share of them.
    """
    num, dimension = vectors.shape
    vectors = np.ascontiguousarray(vectors, np.float32)
    if num < EXACT_BELOW:
        return _exact(vectors)
    flat_gb = 4 * num * dimension / 2**30
    graph_gb = flat_gb + num * 2 * 32 * 4 / 2**30
    kind = "graph" if num < GRAPH_BELOW and graph_gb <= max_gb else "cells" if flat_gb <= max_gb else "small_cells"
    index, efforts = _build(kind, vectors)
    queries = _check_queries(vectors, seed) if queries is None else queries[:CHECKED_QUERIES]
    wanted = _exact(vectors).search(queries, nearest)[1]
    for effort in efforts:
        built = VectorIndex(index, IndexFacts(kind, num, dimension, effort=effort))
        recall = recall_of(built.search(queries, nearest)[1], wanted)
        if recall >= wanted_recall:
            return VectorIndex(index, IndexFacts(kind, num, dimension, recall, effort))
    return _exact(vectors)


def load_vector_index(folder: Path) -> VectorIndex:
    """Reads what VectorIndex.save wrote.

    Raises:
        UserError: It is missing or damaged.
    """
    try:
        facts = IndexFacts(**json.loads((folder / "facts.json").read_text(encoding="utf-8")))
        index = _faiss().read_index(str(folder / "index.faiss"))
        if (index.ntotal, index.d) != (facts.num_vectors, facts.dimension):
            raise ValueError("its parts do not belong together")
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"The vector index {folder} cannot be read: {first}.", "A folder that the suite wrote.", "Build it again."
        ) from None
    return VectorIndex(index, facts)


def recall_of(found: Numbers, wanted: Numbers) -> float:
    """Share of the wanted numbers that were found, row by row."""
    return float(np.mean([len(np.intersect1d(*rows)) / len(rows[1]) for rows in zip(found, wanted, strict=True)]))


def _exact(vectors: Floats) -> VectorIndex:
    index = _faiss().IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return VectorIndex(index, IndexFacts("exact", *vectors.shape))


def _build(kind: str, vectors: Floats) -> tuple[Any, tuple[int, ...]]:
    """An approximate index and the efforts to try on it, in order."""
    faiss = _faiss()
    num, dimension = vectors.shape
    if kind == "graph":
        graph = faiss.IndexHNSWFlat(dimension, 32, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = 80
        graph.add(vectors)
        return graph, (32, 64, 128, 256, 512, 1024)
    num_cells = 2 ** round(np.log2(4 * num**0.5))
    coarse = faiss.IndexFlatIP(dimension)
    if kind == "cells":
        cells = faiss.IndexIVFFlat(coarse, dimension, num_cells, faiss.METRIC_INNER_PRODUCT)
    else:
        eight_bits = faiss.ScalarQuantizer.QT_8bit
        cells = faiss.IndexIVFScalarQuantizer(coarse, dimension, num_cells, eight_bits, faiss.METRIC_INNER_PRODUCT)
    cells.cp.max_points_per_centroid = 64
    cells.cp.niter = 8
    cells.train(vectors)
    cells.add(vectors)
    cells.make_direct_map()
    return cells, tuple(2**power for power in range(2, int(np.log2(num_cells))))


def _check_queries(vectors: Floats, seed: int) -> Floats:
    generator = np.random.default_rng(seed)
    first, second = (np.sort(generator.choice(len(vectors), CHECKED_QUERIES, replace=False)) for _ in range(2))
    queries = vectors[first] + QUERY_MIX * vectors[generator.permutation(second)]
    normed: Floats = queries / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-6)
    return normed


def _faiss() -> Any:
    import faiss

    # Its threads and PyTorch's, or those of many chats at once, would fight for the same cores.
    faiss.omp_set_num_threads(1)
    return faiss
