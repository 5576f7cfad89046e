"""`python -m apps.recommender.score RUN --output FILE`: the lists of all users at once, as Parquet."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.recommender.app import SPEC
from apps.recommender.choose import choose, scored_by
from apps.recommender.recommender import MAX_K, FloatArray, Recommender
from apps.recommender.shop import APP, NEWEST, Shop
from apps.recommender.wish import Wish
from core.cli import DONE, guarded
from core.cli_arguments import Parser, add_run_argument
from core.console import open_console, progress_bar
from core.errors import UsageError, UserError
from core.files import new_file
from core.serving.predictor import load_predictor
from core.serving.rules import Rule
from core.serving.store import Store

SCORES_AT_ONCE = 16_000_000
"""Scores that stand in memory: 64 MB."""
USERS_AT_ONCE = 256


def score_users(
    recommender: Recommender,
    wishes: Sequence[Wish],
    output: Path,
    *,
    users: Sequence[str] = (),
    rules: Sequence[Rule] = (),
    progress: Callable[[int, int], None] = lambda *_: None,
) -> int:
    """Writes columns user, rank, item_id and score, and gives the number of rows; the file appears when it is whole.

    Args:
        recommender: Of the bundle.
        wishes: Each with a known user or a history.
        output: The Parquet file.
        users: How each wish's user is called; empty = as in the wish.
        rules: Of the shop.
        progress: Called with (users done, all users).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("user", pa.string()), ("rank", pa.int32()), ("item_id", pa.string()), ("score", pa.float32())])
    names = users or [wish.user for wish in wishes]
    written = 0
    output.parent.mkdir(parents=True, exist_ok=True)
    with new_file(output) as aside, pq.ParquetWriter(aside, schema) as writer:
        size = max(1, min(USERS_AT_ONCE, SCORES_AT_ONCE // len(recommender.store.items.catalogue)))
        for start in range(0, len(wishes), size):
            part = slice(start, start + size)
            columns: dict[str, list[Any]] = {name: [] for name in schema.names}
            for user, rows, scores in _block(recommender, wishes[part], names[part], rules):
                columns["user"].extend([user] * len(rows))
                columns["rank"].extend(range(1, len(rows) + 1))
                columns["item_id"].extend(recommender.store.items.catalogue.ids[row] for row in rows)
                columns["score"].extend(scores)
            writer.write_table(pa.table(columns, schema))
            written += len(columns["user"])
            progress(min(len(wishes), start + size), len(wishes))
    return written


def _block(
    recommender: Recommender, wishes: Sequence[Wish], users: Sequence[str], rules: Sequence[Rule]
) -> Iterator[tuple[str, list[int], list[float]]]:
    """The lists of some users, scored in one matrix product."""
    items = recommender.store.items
    shop_rules = recommender.shop_rules(rules, items.catalogue)
    histories = [recommender.history_of(wish)[0] for wish in wishes]
    known = [place for place, events in enumerate(histories) if recommender.say_something(events)]
    # Whom nobody knows gets what everybody likes.
    score_UN = np.tile(items.fame.astype(np.float32), (len(wishes), 1))
    user_of: dict[int, FloatArray] = {}
    if known:
        arrays = _stacked([recommender.arrays_of(recommender.newest(histories[place])) for place in known])
        user_UD = recommender.session.run(arrays)["user"]
        score_UN[known] = user_UD @ items.targets.T
        user_of = dict(zip(known, user_UD, strict=True))
    for place, (wish, user) in enumerate(zip(wishes, users, strict=True)):
        banned_N = recommender.banned(wish, histories[place], items.catalogue)
        found = choose(
            scored_by(score_UN[place], items.targets, items.likings),
            banned_N,
            wish.k,
            rules=shop_rules,
            diversity=wish.diversity,
            novelty=wish.novelty,
            newcomers=recommender.newcomers(user_of[place], banned_N, items) if place in user_of else None,
        )
        yield user, found.rows_K.tolist(), found.scores_K.tolist()


def _stacked(parts: Sequence[Mapping[str, npt.NDArray[Any]]]) -> dict[str, npt.NDArray[Any]]:
    """Histories of several lengths in one batch, padded before the oldest event."""
    longest = max(part["kinds"].shape[1] for part in parts)

    def padded(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        before = ((0, 0), (longest - array.shape[1], 0)) + ((0, 0),) * (array.ndim - 2)
        return np.pad(array, before)

    return {name: np.concatenate([padded(part[name]) for part in parts]) for name in parts[0]}


def main(argv: Sequence[str]) -> int:
    """Writes the file, and prints how many rows it has."""
    return guarded(lambda: _main(argv), debug="--debug" in argv)


def _main(argv: Sequence[str]) -> int:
    parser = Parser(SPEC.command("score"), description="The lists of all users, as Parquet.")
    add_run_argument(parser, SPEC)
    parser.add_argument("--output", type=Path, default=Path("lists.parquet"), help="default: lists.parquet")
    parser.add_argument("--k", type=int, default=20, help="length of a list; default: 20")
    parser.add_argument("--diversity", type=float, default=0.0, help="0 to 1; default: 0")
    parser.add_argument("--novelty", type=float, default=0.0, help="0 to 1; default: 0")
    parser.add_argument("--store", help="SQLite file or database URL: its events and rules count too")
    parser.add_argument("--debug", action="store_true", help="show a traceback when something fails")
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.k <= MAX_K:
        raise UsageError(f"A list of {arguments.k} items.", f"From 1 to {MAX_K}.", "Give another --k.")
    recommender = Recommender(load_predictor(arguments.run, SPEC))
    users = list(recommender.histories)
    wishes = [Wish(user=user, k=arguments.k) for user in users]
    rules: Sequence[Rule] = ()
    if arguments.store:
        users, wishes, rules = _as_they_are_now(recommender, arguments.store, arguments.k)
    if not wishes:
        raise UserError("No user is known.", "Users of the data or of the store.", "Name a store with --store.")
    wishes = [replace(wish, diversity=arguments.diversity, novelty=arguments.novelty) for wish in wishes]
    console = open_console()
    with progress_bar(console, "users scored") as progress:
        rows = score_users(recommender, wishes, arguments.output, users=users, rules=rules, progress=progress)
    sys.stdout.write(f"{arguments.output}: {rows:,} rows for {len(users):,} users\n")
    return DONE


def _as_they_are_now(recommender: Recommender, url: str, k: int) -> tuple[list[str], list[Wish], tuple[Rule, ...]]:
    """All users, what each did until now, and the rules."""
    store = Store(url)
    try:
        shop = Shop(recommender, store)
        users = list(dict.fromkeys([*recommender.histories, *shop.behaviour.users(APP)]))
        wishes = [shop.with_events(Wish(user=user, k=k), shop.behaviour.events(APP, user, NEWEST)) for user in users]
        return users, wishes, shop.rules.active(APP)
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
