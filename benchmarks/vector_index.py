"""Search among a million passages by their vectors, beside exact FAISS search over the same vectors in the same run.

The vectors are synthetic: unit vectors of dimension 256 around topics, drawn here, of no text. Queries stand between
two passages each, and are not those of the index's own check when it is built. Measured: how long building takes, how
much memory, how many of the ten nearest passages of exact search are found, and queries per second, both sides in
turns: one query after the other, as chats ask, and in batches, where exact search is at its best.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.side_by_side import compare
from core.evaluation.uncertainty import bootstrap_mean
from core.retrieval.vectors import QUERY_MIX, VectorIndex, build_vector_index

PASSAGES, DIMENSION, PER_TOPIC = 1_000_000, 256, 100
SPREAD = 1.0
"""Length of what sets a passage apart from its topic, whose own length is 1."""
NEAREST = 10
RECALL_QUERIES, SINGLE_QUERIES, ROUNDS = 1000, 20, 5
BATCH = RECALL_QUERIES
CHUNK = 50_000
Floats = npt.NDArray[np.float32]


def draw_passages(count: int, generator: np.random.Generator) -> Floats:
    """Unit vectors; like those of real texts, they differ much in a few directions and little in most."""
    topics = _unit(generator.standard_normal((max(1, count // PER_TOPIC), DIMENSION), np.float32))
    strength = np.arange(1, DIMENSION + 1, dtype=np.float32) ** -0.5
    strength *= SPREAD / np.linalg.norm(strength)
    vectors = np.empty((count, DIMENSION), np.float32)
    for start in range(0, count, CHUNK):
        part = vectors[start : start + CHUNK]
        own = generator.standard_normal(part.shape, np.float32) * strength
        part[:] = _unit(topics[generator.integers(len(topics), size=len(part))] + own)
    return vectors


def draw_queries(vectors: Floats, count: int, generator: np.random.Generator) -> Floats:
    """Each between two passages, nearer to the first."""
    first, second = generator.integers(len(vectors), size=(2, count))
    return _unit(vectors[first] + np.float32(QUERY_MIX) * vectors[second])


def build_exact(vectors: Floats) -> Any:
    """Plain exact search."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def queries_per_second(search: Callable[[Floats], object], queries: Floats, size: int) -> Callable[[], float]:
    """A measurement of searching all queries, `size` at a time."""

    def measure() -> float:
        started = time.perf_counter()
        for start in range(0, len(queries), size):
            search(queries[start : start + size])
        return len(queries) / (time.perf_counter() - started)

    return measure


def compare_speed(index: VectorIndex, exact: Any, queries: Floats) -> None:
    """Prints a row for single queries and one for batches."""
    for what, asked, size in (
        ("one query at a time", queries[:SINGLE_QUERIES], 1),
        (f"batches of {BATCH:,}", queries, BATCH),
    ):
        ours = queries_per_second(lambda some: index.search(some, NEAREST), asked, size)
        theirs = queries_per_second(lambda some: exact.search(some, NEAREST), asked, size)
        line = compare(ours, theirs, ROUNDS).line(what, "suite", "exact", "queries/s", "above 1")
        print(f"  {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=PASSAGES, help="fewer for a trial")
    count = parser.parse_args().passages
    faiss.omp_set_num_threads(1)
    generator = np.random.default_rng(1)
    vectors = draw_passages(count, generator)
    queries = draw_queries(vectors, RECALL_QUERIES, generator)
    print(f"{count:,} synthetic vectors of {DIMENSION} numbers, {vectors.nbytes / 2**30:.2f} GiB; one thread")
    before, started = _peak_gib(), time.perf_counter()
    index = build_vector_index(vectors)
    took, facts = time.perf_counter() - started, index.facts
    grown = _peak_gib() - before
    print(f"  suite: {facts.kind}, effort {facts.effort}, built in {took:.0f} s, of which its own check is a part")
    print(f"  memory while building: {grown:.2f} GiB beside the vectors, {before + grown:.2f} GiB in all", flush=True)
    started = time.perf_counter()
    exact = build_exact(vectors)
    print(f"  exact: built in {time.perf_counter() - started:.1f} s, {vectors.nbytes / 2**30:.2f} GiB")
    found, wanted = index.search(queries, NEAREST)[1], exact.search(queries, NEAREST)[1]
    shares = [len(np.intersect1d(*pair)) / NEAREST for pair in zip(found, wanted, strict=True)]
    recall = bootstrap_mean(np.array(shares), 1000, seed=0)
    print(f"  recall@{NEAREST} over {len(queries):,} queries: {recall} (aim 0.97)", flush=True)
    compare_speed(index, exact, queries)


def _unit(vectors: Floats) -> Floats:
    found: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def _peak_gib() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
