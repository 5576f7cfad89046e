"""From a wish to a ranked list: history, search, diversity, reasons. Nothing here imports torch.

Shapes: L events, N items, D dimensions, K items of a list.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from apps.recommender.data import FIELDS
from apps.recommender.diversity import diversify
from apps.recommender.interests import MEANT, InterestIndex, rows_meant, with_match
from apps.recommender.item_store import HISTORIES, ItemStore
from apps.recommender.wish import Filters, Ranked, RankedList, Reason, Seen, Start, Wish
from core.data.event_log import UNKNOWN_TIME
from core.errors import UsageError, UserError
from core.export.bundle import ASSETS
from core.tasks.recommend import DAY_S, RecommendTask

if TYPE_CHECKING:
    from apps.recommender.app import RecommenderConfig
    from core.serving.predictor import Predictor

FloatArray = npt.NDArray[np.float32]
MAX_K = 1000
REASONED_EVENTS = 30
"""The newest events of a history among which the reason for an item is looked for."""
POOL = 5
"""How many times as many items as are shown diversity chooses from."""


class Recommender:
    """Lists from one bundle. Safe to call from several threads.

    Args:
        predictor: Of the bundle.
        threads: Of ONNX Runtime for the texts of items; 0 = one a core.
    """

    def __init__(self, predictor: "Predictor", *, threads: int = 0) -> None:
        self.session, self.config = predictor.session, cast("RecommenderConfig", predictor.config)
        self.task = cast(RecommendTask, predictor.task)
        folder = predictor.bundle.path / ASSETS
        assert self.task.vectors is not None
        assert self.task.likings is not None
        text, schema = self.config.model.text, self.task.schema
        self.store = ItemStore(folder, self.task.vectors, self.task.likings, text, schema, threads=threads)
        self.histories = read_histories(folder / HISTORIES)
        self.interests = InterestIndex()

    def recommend(self, wish: Wish) -> RankedList:
        """The list for a wish.

        Raises:
            UserError: It names a user, item or kind that is not known, or asks for an impossible list.
        """
        if not 1 <= wish.k <= MAX_K:
            raise UsageError(f"A list of {wish.k} items.", f"From 1 to {MAX_K}.", "Ask for another length.")
        events, start = self._history(wish)
        items = self.store.items
        banned = self._banned(wish, events)
        if not events and not wish.interests:
            return self._popular(wish, banned)
        shown = events[-(self.task.schema.max_history - MEANT) :]
        match_N = self.interests.match(wish.interests, items.catalogue) if wish.interests else None
        arrays = self._arrays(shown, self._meant(wish, match_N))
        user = self.session.run(arrays)["user"][0]
        pool = wish.k * (POOL if wish.diversity or wish.novelty else 1)
        rows, scores = self.store.search(user, pool, banned)
        if match_N is not None:
            rows, scores = _matching(user, rows, match_N, banned, items.targets, pool)
        rows, scores, cost = diversify(
            rows, scores, items.targets, items.likings, wish.k, diversity=wish.diversity, novelty=wish.novelty
        )
        reasons = self._reasons(rows, user, arrays, shown)
        ranked = [
            Ranked(items.catalogue.ids[row], int(row), rank, float(score), reason, is_new=not items.likings[row])
            for rank, (row, score, reason) in enumerate(zip(rows, scores, reasons, strict=True), 1)
        ]
        return RankedList(tuple(ranked), start, cost)

    # ---- what a list is made from ----------------------------------------------------------------

    def _history(self, wish: Wish) -> tuple[list[Seen], Start]:
        known: list[Seen] = []
        if wish.user:
            if wish.user not in self.histories and not wish.history:
                raise UserError(
                    f"There is no user `{wish.user}`.",
                    f"{len(self.histories):,} users are known, such as {', '.join(list(self.histories)[:3])}.",
                    "Give another one, or a history or interests of somebody new.",
                )
            known = list(self.histories.get(wish.user, ()))
        events = [*known, *wish.history]
        if wish.item:
            events.append(Seen(wish.item))
        start: Start = "known" if known else "events" if wish.history else "item" if wish.item else "nothing"
        return events, "interests" if start == "nothing" and wish.interests else start

    def _meant(self, wish: Wish, match_N: npt.NDArray[np.float64] | None) -> FloatArray:
        """Vectors of what interests stand for: items that match, or else what the words themselves tell."""
        if match_N is None:
            return self.store.items.vectors[:0]
        rows = rows_meant(match_N)
        if rows:
            meant: FloatArray = self.store.items.vectors[np.array(rows) + 1]
            return meant
        texts = dict.fromkeys(FIELDS, wish.interests)
        told: FloatArray = self.store.read([texts])
        return told

    def _arrays(self, events: list[Seen], meant: FloatArray) -> dict[str, npt.NDArray[Any]]:
        """What the graph of users takes, for one user."""
        items, schema = self.store.items, self.task.schema
        rows = [self._row(event.item_id) for event in events]
        kinds = [self._kind(event) for event in events]
        vectors = items.vectors[np.array(rows, np.int64) + 1]
        times = [event.time if event.time is not None else UNKNOWN_TIME for event in events]
        newest = max(times, default=UNKNOWN_TIME)
        ages = [0.0 if time == UNKNOWN_TIME else float(np.log1p(max(0, newest - time) / DAY_S)) for time in times]
        vectors = np.concatenate([vectors, meant])
        kinds.extend([(int(np.argmax(schema.strengths)) + 1, True)] * len(meant))
        ages.extend([0.0] * len(meant))
        # Two places at least: a graph of one would be another graph.
        missing = max(0, 2 - len(vectors))
        return {
            "history": np.pad(vectors, ((missing, 0), (0, 0)))[None],
            "kinds": np.pad(np.array([kind for kind, _ in kinds], np.int32), (missing, 0))[None],
            "ages": np.pad(np.array(ages, np.float32), (missing, 0))[None],
            "liked": np.pad(np.array([liked for _, liked in kinds], np.bool_), (missing, 0))[None],
        }

    def _row(self, item_id: str) -> int:
        row = self.store.items.catalogue.row_of(item_id)
        if row is None:
            raise UserError(
                f"There is no item `{item_id}`.",
                f"{len(self.store.items.catalogue):,} items are offered, such as {self.store.items.catalogue.ids[0]}.",
                "Correct the id, or add the item first.",
            )
        return row

    def _kind(self, event: Seen) -> tuple[int, bool]:
        """Number of a kind, and whether the item was liked."""
        schema, data = self.task.schema, self.config.data
        if not event.kind:
            return int(np.argmax(schema.strengths)) + 1, True
        if event.kind not in schema.kinds:
            known = ", ".join(schema.kinds)
            raise UserError(f"There is no kind of event `{event.kind}`.", f"Kinds: {known}.", "Use one of these.")
        is_low = event.value is not None and event.kind == "rating" and event.value < data.positive_rating
        liked = data.kinds[event.kind] > 0 and not is_low
        place = schema.kinds.index(event.kind) + 1
        return (place if liked else place + len(schema.kinds)), liked

    def _banned(self, wish: Wish, events: list[Seen]) -> npt.NDArray[np.bool_]:
        """What may not stand in the list: what was seen, and what the filters leave out."""
        catalogue = self.store.items.catalogue
        banned = _left_out(wish.filters, catalogue)
        for item_id in (*(event.item_id for event in events), *wish.without):
            banned[self._row(item_id)] = True
        return banned

    def _popular(self, wish: Wish, banned: npt.NDArray[np.bool_]) -> RankedList:
        items = self.store.items
        rows = np.flatnonzero(~banned)
        order = rows[np.lexsort((rows, -items.likings[rows]))][: wish.k]
        total = max(1, int(items.likings.sum()))
        ranked = [
            Ranked(
                items.catalogue.ids[row],
                int(row),
                rank,
                float(items.likings[row] / total),
                Reason("popular"),
                is_new=not items.likings[row],
            )
            for rank, row in enumerate(order, 1)
        ]
        return RankedList(tuple(ranked), "nothing")

    # ---- reasons ---------------------------------------------------------------------------------

    def _reasons(
        self, rows: npt.NDArray[np.int64], user: FloatArray, arrays: dict[str, npt.NDArray[Any]], events: list[Seen]
    ) -> list[Reason]:
        """For each item the event without which its score falls the furthest, and the words that speak for it."""
        if not len(rows):
            return []
        words = self.store.words([int(row) for row in rows], user)
        num_told = int((arrays["kinds"] > 0).sum()) - len(events)
        drops_LK = self._drops(rows, user, arrays, len(events), num_told)
        reasons = []
        for place, said in enumerate(words):
            best = int(np.argmax(drops_LK[:, place])) if len(drops_LK) else -1
            if best >= 0 and drops_LK[best, place] > 0:
                reasons.append(Reason("because", events[len(events) - len(drops_LK) + best].item_id, said))
            else:
                reasons.append(Reason("words", "", said))
        return reasons

    def _drops(
        self,
        rows: npt.NDArray[np.int64],
        user: FloatArray,
        arrays: dict[str, npt.NDArray[Any]],
        num_events: int,
        num_told: int,
    ) -> FloatArray:
        """How far each score falls when one of the newest events had not happened, (L, K): computed, not guessed."""
        count = min(num_events, REASONED_EVENTS)
        if not count:
            return np.zeros((0, len(rows)), np.float32)
        last = arrays["kinds"].shape[1] - num_told
        without = {name: np.repeat(array, count, axis=0) for name, array in arrays.items()}
        places = np.arange(last - count, last)
        for name in without:
            without[name][np.arange(count), places] = 0
        others_LD = self.session.run(without)["user"]
        drops: FloatArray = (user[None] - others_LD) @ self.store.items.targets[rows].T
        return drops


def _matching(
    user: FloatArray,
    found: npt.NDArray[np.int64],
    match_N: npt.NDArray[np.float64],
    banned: npt.NDArray[np.bool_],
    targets: FloatArray,
    k: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.floating]]:
    """The best of what was found and of what matches stated interests."""
    match_N = np.where(banned, 0.0, match_N)
    matching = np.argsort(-match_N, kind="stable")[: 4 * k]
    rows = np.union1d(found, matching[match_N[matching] > 0])
    scores = with_match(targets[rows] @ user, match_N, rows)
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def read_histories(file: Path) -> dict[str, tuple[Seen, ...]]:
    """Events of known users, oldest first."""
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    found: dict[str, list[Seen]] = {}
    columns = (table[name].to_pylist() for name in ("user", "item_id", "kind", "time", "weight"))
    for user, item_id, kind, time, weight in zip(*columns, strict=True):
        value = None if weight > 0 else 0.0
        found.setdefault(user, []).append(Seen(item_id, kind, None if time == UNKNOWN_TIME else time, value))
    return {user: tuple(events) for user, events in found.items()}


def _left_out(filters: Filters, catalogue: Any) -> npt.NDArray[np.bool_]:
    left_out = np.zeros(len(catalogue), np.bool_)
    if filters.categories:
        left_out |= ~np.isin(np.array(catalogue.categories), filters.categories)
    if filters.min_price is not None:
        left_out |= ~(catalogue.prices >= filters.min_price)
    if filters.max_price is not None:
        left_out |= ~(catalogue.prices <= filters.max_price)
    if filters.in_stock_only:
        left_out |= ~catalogue.in_stock
    return left_out
