"""From a wish to a ranked list: history, search, diversity, reasons. Nothing here imports torch.

Shapes: L events, N items, D dimensions, K items of a list.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from apps.recommender.choose import Exploration, Flags, Newcomers, Rows, Scored, Scores, choose, scored_by
from apps.recommender.data import FIELDS
from apps.recommender.histories import Histories
from apps.recommender.interests import MEANT, SPREAD_OVER, InterestIndex, rows_meant, spread_of, with_match
from apps.recommender.item_store import HISTORIES, Items, ItemStore
from apps.recommender.shop_rules import ShopRules, read_rules
from apps.recommender.wish import Filters, Ranked, RankedList, Reason, Seen, Start, Wish
from core.data.catalogue import Catalogue
from core.data.event_log import UNKNOWN_TIME
from core.errors import UsageError, UserError
from core.export.bundle import ASSETS
from core.serving.rules import Rule
from core.tasks.recommend import DAY_S, RecommendTask

if TYPE_CHECKING:
    from apps.recommender.app import RecommenderConfig
    from core.serving.predictor import Predictor

FloatArray = npt.NDArray[np.float32]
MAX_K = 1000
REASONED_EVENTS = 30
"""The newest events of a history among which the reason for an item is looked for."""


class Recommender:
    """Lists from one bundle. Safe to call from several threads.

    Args:
        predictor: Of the bundle.
        threads: Of ONNX Runtime for the texts of items; 0 = one a core.
    """

    def __init__(self, predictor: "Predictor", *, threads: int = 0) -> None:
        self.session, self.config = predictor.session, cast("RecommenderConfig", predictor.config)
        self.task = cast(RecommendTask, predictor.task)
        self.trained = predictor.bundle.manifest.created
        folder = predictor.bundle.path / ASSETS
        assert self.task.vectors is not None
        assert self.task.likings is not None
        schema = self.task.schema
        self.store = ItemStore(folder, self.task.vectors, self.task.likings, self.config.model, schema, threads=threads)
        self.histories = Histories(folder / HISTORIES)
        self.interests = InterestIndex()
        self._lock = threading.Lock()
        self._read_rules: tuple[Sequence[Rule], Catalogue, ShopRules | None] = ((), self.store.items.catalogue, None)

    def recommend(self, wish: Wish, rules: Sequence[Rule] = (), exploration: Exploration | None = None) -> RankedList:
        """The list for a wish.

        Args:
            wish: What is asked for.
            rules: Of the shop.
            exploration: Places that are left to chance; None = none.

        Raises:
            UserError: It names a user, item or kind that is not known, or asks for an impossible list.
        """
        if not 1 <= wish.k <= MAX_K:
            raise UsageError(f"A list of {wish.k} items.", f"From 1 to {MAX_K}.", "Ask for another length.")
        events, start = self.history_of(wish)
        items = self.store.items
        banned_N = self.banned(wish, events, items.catalogue)
        has_said = bool(wish.interests) or self.say_something(events)
        if has_said:
            shown = self.newest(events)
            match_N = self.interests.match(wish.interests, items.catalogue) if wish.interests else None
            arrays = self.arrays_of(shown, self._meant(wish, match_N))
            user = self.session.run(arrays)["user"][0]
            scored = self._scored(user, match_N, banned_N, items)
            newcomers = self.newcomers(user, banned_N, items)
        else:
            scored = scored_by(items.fame, items.targets, items.likings)
            newcomers = None
        chosen = choose(
            scored,
            banned_N,
            wish.k,
            rules=self.shop_rules(rules, items.catalogue),
            diversity=wish.diversity,
            novelty=wish.novelty,
            newcomers=newcomers,
            exploration=exploration,
        )
        if has_said:
            reasons = self._reasons(chosen.rows_K, user, arrays, shown)
        else:
            reasons = [Reason("popular")] * len(chosen.rows_K)
        rows, scores, chances = (part.tolist() for part in (chosen.rows_K, chosen.scores_K, chosen.chance_K))
        ranked = []
        for place, (row, score, reason, chance) in enumerate(zip(rows, scores, reasons, chances, strict=True)):
            kind = "pinned" if chosen.is_pinned_K[place] else "explore" if chosen.is_explored_K[place] else reason.kind
            why = Reason(kind, reason.item_id, reason.words)
            is_new = not items.likings[row]
            ranked.append(Ranked(items.catalogue.ids[row], row, place + 1, score, why, is_new, chance))
        planned, pool = (
            tuple(items.catalogue.ids[row] for row in rows.tolist()) for rows in (chosen.planned_K, chosen.pool_P)
        )
        return RankedList(tuple(ranked), start if has_said else "nothing", chosen.diversity_cost, planned, pool)

    def newcomers(self, user: FloatArray, banned_N: Flags, items: Items) -> Newcomers | None:
        """The items added since the training that fit a user's vector (D + 1,), if lists keep a place for one."""
        place = self.config.lists.new_item_place
        return Newcomers(place, self.store.newcomers(user, banned_N, items)) if place else None

    def _scored(
        self, user: FloatArray, match_N: npt.NDArray[np.float64] | None, banned_N: Flags, items: Items
    ) -> Scored:
        """Items as a user's vector and stated interests have them."""

        def score(rows: Rows) -> Scores:
            return items.targets[rows] @ user

        def search(k: int, gone_N: Flags) -> tuple[Rows, Scores]:
            return self.store.search(user, k, gone_N, items)

        if match_N is None:
            return Scored(search, score, items.targets, items.likings)
        matching = np.argsort(-match_N, kind="stable")
        matching = matching[: int((match_N > 0).sum())]
        told = matching[~banned_N[matching]][: 4 * SPREAD_OVER]
        spread = spread_of(score(np.union1d(search(SPREAD_OVER, banned_N)[0], told)))

        def score_both(rows: Rows) -> Scores:
            return with_match(score(rows), match_N[rows], spread)

        def search_both(k: int, gone_N: Flags) -> tuple[Rows, Scores]:
            rows = np.union1d(search(k, gone_N)[0], matching[~gone_N[matching]][: 4 * k])
            scores = score_both(rows)
            order = np.lexsort((rows, -scores))[:k]
            return rows[order], scores[order]

        return Scored(search_both, score_both, items.targets, items.likings)

    def shop_rules(self, rules: Sequence[Rule], catalogue: Catalogue) -> ShopRules | None:
        """The rules by row, read once for as long as they and the catalogue stay."""
        with self._lock:
            known, of, found = self._read_rules
            if known != rules or of is not catalogue:
                found = read_rules(rules, catalogue)
                self._read_rules = rules, catalogue, found
            return found

    # ---- what a list is made from ----------------------------------------------------------------

    def history_of(self, wish: Wish) -> tuple[list[Seen], Start]:
        """All that a wish's user had to do with, oldest first, and what a list is so made from.

        Raises:
            UserError: There is no such user.
        """
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

    def say_something(self, events: list[Seen]) -> bool:
        """Is there an event that tells what a user likes or meets? Who only sent things away has not said that."""
        return any(self.config.data.kinds.get(event.kind, 1) > 0 for event in events)

    def newest(self, events: list[Seen]) -> list[Seen]:
        """Those that the model looks at; some places are kept for what interests stand for."""
        return events[-(self.task.schema.max_history - MEANT) :]

    def arrays_of(self, events: list[Seen], meant: FloatArray | None = None) -> dict[str, npt.NDArray[Any]]:
        """What the graph of users takes, for one user."""
        items, schema = self.store.items, self.task.schema
        rows = [self._row(event.item_id) for event in events]
        kinds = [self._kind(event) for event in events]
        vectors = items.vectors[np.array(rows, np.int64) + 1]
        times = [event.time if event.time is not None else UNKNOWN_TIME for event in events]
        newest = max(times, default=UNKNOWN_TIME)
        ages = [0.0 if time == UNKNOWN_TIME else float(np.log1p(max(0, newest - time) / DAY_S)) for time in times]
        if meant is not None:
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
        schema = self.task.schema
        if not event.kind:
            return int(np.argmax(schema.strengths)) + 1, True
        if event.kind not in schema.kinds:
            known = ", ".join(schema.kinds)
            raise UserError(f"There is no kind of event `{event.kind}`.", f"Kinds: {known}.", "Use one of these.")
        liked = self.config.data.is_liking(event.kind, event.value)
        place = schema.kinds.index(event.kind) + 1
        return (place if liked else place + len(schema.kinds)), liked

    def banned(self, wish: Wish, events: list[Seen], catalogue: Catalogue) -> Flags:
        """What may not stand in the list: what was seen, and what the filters leave out."""
        banned = _left_out(wish.filters, catalogue)
        for item_id in (*(event.item_id for event in events), *wish.without):
            banned[self._row(item_id)] = True
        return banned

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


def _left_out(filters: Filters, catalogue: Catalogue) -> npt.NDArray[np.bool_]:
    left_out = np.zeros(len(catalogue), np.bool_)
    if filters.categories:
        codes, category_N = catalogue.category_codes
        left_out |= ~np.isin(category_N, [codes[name] for name in filters.categories if name in codes])
    if filters.min_price is not None:
        left_out |= ~(catalogue.prices >= filters.min_price)
    if filters.max_price is not None:
        left_out |= ~(catalogue.prices <= filters.max_price)
    if filters.in_stock_only:
        left_out |= ~catalogue.in_stock
    return left_out
