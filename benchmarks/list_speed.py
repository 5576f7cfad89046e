"""How long one list takes with 100,000 items in the catalogue, rules and reasons on, on one core; and what of it.

Makes a shop of items with titles, tags, descriptions, categories and prices, and visitors with tastes, trains the model
on it once, and then asks for lists of known users one at a time: for each the user's vector, the search, the rules, and
the reason for every item. Beside it stands what one would write first: scores of all items by one matrix product, and
the best ten by argpartition, without rules or reasons.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from apps.recommender.app import SPEC
from apps.recommender.recommender import Recommender
from apps.recommender.wish import Filters, Wish
from core.serving.predictor import load_predictor
from core.serving.rules import Rule

ITEMS, USERS, EVENTS_A_USER, CATEGORIES = 100_000, 5_000, 25, 40
LISTS, K = 400, 10
MAKES = ("glass", "oak", "linen", "steel", "wool", "felt", "clay", "cork", "paper", "bronze", "cotton", "walnut")
LOOKS = ("small", "large", "striped", "plain", "round", "square", "light", "heavy", "folding", "classic", "modern")
THINGS = ("teapot", "lamp", "chair", "bowl", "tent", "novel", "brush", "basket", "blanket", "knife", "clock", "shelf")
RULES = (
    Rule("pin", "item-77", value=3),
    Rule("block", category="category-3"),
    Rule("bury", category="category-4"),
    Rule("boost", "item-1234", value=0.5),
    Rule("cap", value=4),
)


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.list_speed", description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/list_speed"), help="kept, and used again")
    arguments = parser.parse_args()
    run = trained(arguments.folder, arguments.items)
    recommender = Recommender(load_predictor(run, SPEC, threads=1), threads=1)
    users = list(recommender.histories)[:: max(1, len(recommender.histories) // LISTS)][:LISTS]
    print(f"{len(recommender.store.items.catalogue):,} items, index: {recommender.store.index.facts}")
    plain = timed(lambda user: first_idea(recommender, user), users)
    for name, rules, filters in (
        ("list with reasons", (), Filters()),
        ("with rules too", RULES, Filters()),
        ("and a filter by price", RULES, Filters(max_price=40)),
    ):
        ours = timed(lambda user, r=rules, f=filters: recommender.recommend(Wish(user=user, k=K, filters=f), r), users)
        print(line(name, ours) + f"; beside it: {line('all scores', plain)}")


def line(name: str, seconds: list[float]) -> str:
    middle, slow = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    return f"{name}: p50 {1000 * middle:.2f} ms, p99 {1000 * slow:.2f} ms"


def timed(ask: Callable[[str], object], users: list[str]) -> list[float]:
    """Seconds of each list, after a few that warm up."""
    for user in users[:20]:
        ask(user)
    found = []
    for user in users:
        started = time.perf_counter()
        ask(user)
        found.append(time.perf_counter() - started)
    return found


def first_idea(recommender: Recommender, user: str) -> object:
    """The best ten by one matrix product over all items."""
    events, _ = recommender.history_of(Wish(user=user))
    vector = recommender.session.run(recommender.arrays_of(recommender.newest(events)))["user"][0]
    score_N = recommender.store.items.targets @ vector
    score_N[[recommender.store.items.catalogue.row_of(event.item_id) for event in events]] = -np.inf
    best = np.argpartition(-score_N, K)[:K]
    return best[np.argsort(-score_N[best])]


def trained(folder: Path, num_items: int) -> Path:
    """A run on the made-up shop."""
    run = folder / f"run_{num_items}"
    if not (run / "bundle" / "bundle.json").exists():
        data = folder / f"data_{num_items}"
        make_shop(data, num_items)
        settings = ["--config", "quick", "--data", str(data), "--train.epochs", "1", "--data.cold_item_share", "0"]
        command = [sys.executable, "-m", "apps.recommender.train", *settings, "--output-dir", str(run)]
        subprocess.run(command, check=True)
    return run


def make_shop(folder: Path, num_items: int) -> None:
    """Items of so many kinds, and visitors who like some of these."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    make, look, thing = (random.integers(len(words), size=num_items) for words in (MAKES, LOOKS, THINGS))
    numbers = range(num_items)
    items = {
        "item_id": [f"item-{n}" for n in numbers],
        "title": [f"{LOOKS[look[n]]} {MAKES[make[n]]} {THINGS[thing[n]]} no. {n % 997}" for n in numbers],
        "description": [f"A {THINGS[thing[n]]} of {MAKES[make[n]]}, {LOOKS[look[n]]}, made to last." for n in numbers],
        "tags": [f"{MAKES[make[n]]}|{THINGS[thing[n]]}" for n in numbers],
        "category": [f"category-{(thing[n] * len(MAKES) + make[n]) % CATEGORIES}" for n in numbers],
        "price": random.lognormal(3.3, 0.8, num_items).round(2),
    }
    fame_N = random.pareto(1.2, num_items) + 0.05
    users, rows = [], []
    by_thing = [np.flatnonzero(thing == kind) for kind in range(len(THINGS))]
    for user in range(USERS):
        kinds = random.choice(len(THINGS), 2, replace=False)
        possible = np.concatenate([by_thing[kind] for kind in kinds])
        share = fame_N[possible] / fame_N[possible].sum()
        rows.append(random.choice(possible, EVENTS_A_USER, replace=False, p=share))
        users.append(np.full(EVENTS_A_USER, user))
    user_E, row_E = np.concatenate(users), np.concatenate(rows)
    events = {
        "user_id": [f"user-{user}" for user in user_E],
        "item_id": [f"item-{row}" for row in row_E],
        "event": ["click"] * len(row_E),
        "timestamp": 1_700_000_000 + np.arange(len(row_E)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(items), folder / "items.parquet")
    pq.write_table(pa.table(events), folder / "events.parquet")


if __name__ == "__main__":
    main()
