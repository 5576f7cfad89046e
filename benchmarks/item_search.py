"""The best items of a user among a million, by the index of the recommender beside exact search, in one run.

Items are synthetic, drawn as models have them: a vector of 128 numbers around one of many groups, its length by how
liked the item is, and a bias. A user is the sum of some items of a few groups. Measured on users that the index has
not been tuned with: how many of the 100 best items of exact search are found, and lists per second, in turns.
"""

import argparse
import time

import faiss
import numpy as np
import numpy.typing as npt

from apps.recommender.item_index import build_item_index, lifted_query
from benchmarks.side_by_side import compare
from benchmarks.vector_index import build_exact, queries_per_second
from core.evaluation.uncertainty import bootstrap_mean

ITEMS, DIMENSION, PER_GROUP, HISTORY = 1_000_000, 128, 500, 12
TUNED_WITH, MEASURED, BEST, SINGLE, ROUNDS = 256, 500, 100, 20, 5
Floats = npt.NDArray[np.float32]


def draw_items(count: int, random: np.random.Generator) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Targets (N, D + 1) with their bias, and the group of each item."""
    groups = random.integers(max(1, count // PER_GROUP), size=count)
    centers = random.standard_normal((int(groups.max()) + 1, DIMENSION), np.float32)
    vectors = centers[groups] + 0.8 * random.standard_normal((count, DIMENSION), np.float32)
    liked = np.log1p(random.pareto(1.0, count)).astype(np.float32)[:, None]
    targets: Floats = np.concatenate([vectors * (0.2 + liked) / np.sqrt(DIMENSION), 0.1 * liked], axis=1)
    return targets, groups


def draw_users(targets: Floats, groups: npt.NDArray[np.int64], count: int, random: np.random.Generator) -> Floats:
    """Sums of some items of three groups each, with the number that meets the bias."""
    users = []
    for _ in range(count):
        own = np.flatnonzero(np.isin(groups, random.choice(groups, 3)))
        users.append(np.append(targets[random.choice(own, HISTORY), :-1].sum(axis=0), np.float32(1)))
    return np.stack(users)


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.item_search", description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    targets, groups = draw_items(arguments.items, random)
    tuned_with = draw_users(targets, groups, TUNED_WITH, random)
    users = draw_users(targets, groups, MEASURED, random)
    started = time.perf_counter()
    index = build_item_index(targets, tuned_with)
    print(f"{arguments.items:,} items, built in {time.perf_counter() - started:.0f} s: {index.facts}", flush=True)
    # What one would use: the dot product of every item with the user, by FAISS, without lifting.
    exact = build_exact(targets)
    lifted = np.stack([lifted_query(user) for user in users])
    wanted = exact.search(users, BEST)[1]
    found = index.search(lifted, BEST)[1]
    shares = [len(np.intersect1d(*rows)) / BEST for rows in zip(found, wanted, strict=True)]
    print(f"recall@{BEST} of {MEASURED} users: {bootstrap_mean(shares, 1000, 0)} (aim 0.98)", flush=True)
    ours = queries_per_second(lambda some: index.search(some, BEST), lifted[:SINGLE], 1)
    theirs = queries_per_second(lambda some: exact.search(some, BEST), users[:SINGLE], 1)
    print(compare(ours, theirs, ROUNDS).line("one user at a time", "index", "exact search", "lists/s", "above 1"))


if __name__ == "__main__":
    faiss.omp_set_num_threads(1)
    main()
