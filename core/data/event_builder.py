"""Batches of events become one log: names turn into numbers at once, so that an event takes 21 bytes."""

import difflib
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from core.data.catalogue import Catalogue
from core.data.event_log import UNKNOWN_TIME, EventLog
from core.data.event_tables import EventBatch, Names
from core.data.growing_column import GrowingColumn
from core.data.interaction_config import InteractionConfig
from core.data.rejected_rows import RejectedRows
from core.data.report import Rejected
from core.errors import UserError

RATING = "rating"
UNNAMED = "click"
"""Kind of events of a file that names no kinds and holds no ratings."""
FIRST_YEAR_S = 631_152_000
"""1990: nothing on the web happened before."""
DAY_S = 86_400
LEFT_OUT = -1
COLUMNS = {"user_E": np.int32, "row_E": np.int32, "time_E": np.int64, "kind_E": np.int8, "weight_E": np.float32}


class LogBuilder:
    """Takes events batch by batch; what it leaves out it counts.

    Args:
        catalogue: Items that events may name.
        config: What kinds of events say.
        rejected: Rows that say nothing are added.
    """

    def __init__(self, catalogue: Catalogue, config: InteractionConfig, rejected: RejectedRows) -> None:
        self.config = config
        self.rejected = rejected
        self.row_of = {item_id: row for row, item_id in enumerate(catalogue.ids)}
        self.user_of: dict[str, int] = {}
        self.kinds = KindsOfEvents(config)
        self.columns = {name: GrowingColumn(dtype) for name, dtype in COLUMNS.items()}
        self.unknown_items: dict[str, int] = {}
        self.other_kinds: dict[str, int] = {}
        self.rated: dict[str, None] = {}
        self.wrong_times = 0
        self.out_of_order = 0
        self.newest_s = time.time() + DAY_S

    def add(self, batch: EventBatch) -> None:
        """The events of a batch that name an item of the catalogue, a possible time and a kind that counts."""
        row_E = self._counted(batch.item, self.row_of.get, self.unknown_items)
        kind_E = self._kinds(batch)
        kept_E = (row_E != LEFT_OUT) & (kind_E != LEFT_OUT)
        if batch.time is not None:
            possible_E = (batch.time >= FIRST_YEAR_S) & (batch.time <= self.newest_s)
            self.wrong_times += int((kept_E & ~possible_E).sum())
            kept_E &= possible_E
        if batch.value is not None:
            empty_E = kept_E & np.isnan(batch.value) & (kind_E == self.kinds.rating)
            rows = _described(batch, np.flatnonzero(empty_E)[: self.rejected.room])
            self.rejected.add(batch.file, "rating_without_value", rows, int(empty_E.sum()))
            kept_E &= ~empty_E
        found = {
            "user_E": self._users(batch.user.only(kept_E)),
            "row_E": row_E[kept_E],
            "time_E": np.full(int(kept_E.sum()), UNKNOWN_TIME) if batch.time is None else batch.time[kept_E],
            "kind_E": kind_E[kept_E],
            "weight_E": self.kinds.weigh(kind_E[kept_E], None if batch.value is None else batch.value[kept_E]),
        }
        for name, column in self.columns.items():
            column.append(found[name])

    def finish(self) -> EventLog:
        """All events, sorted by user, time and order in the files; users by length of name and name."""
        users = sorted(self.user_of, key=lambda name: (len(name), name))
        place_of = np.empty(len(users), np.int32)
        place_of[[self.user_of[name] for name in users]] = np.arange(len(users), dtype=np.int32)
        self.user_of.clear()
        columns = {name: column.take_out() for name, column in self.columns.items()}
        columns["user_E"] = place_of[columns["user_E"]]
        order_E = np.lexsort((columns["time_E"], columns["user_E"]))
        for name in columns:  # one after the other, so that only one column stands in memory twice
            columns[name] = columns[name][order_E]
        is_same_user = columns["user_E"][1:] == columns["user_E"][:-1]
        self.out_of_order = int((is_same_user & (order_E[1:] < order_E[:-1])).sum())
        return EventLog(tuple(users), tuple(self.config.kinds), **columns)

    def left_out(self) -> list[Rejected]:
        """What was left out, and why."""
        found = []
        for counts, reason, what in (
            (self.unknown_items, "unknown_item", "events name items that are not offered"),
            (self.other_kinds, "other_kind", "events are of kinds that data.kinds does not name"),
        ):
            if counts:
                most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
                names = ", ".join(name[:40] for name, _ in most)
                total = sum(counts.values())
                found.append(_rejected(reason, total, f"{total:,} {what}, most often {names}."))
        if self.wrong_times:
            sentence = f"{self.wrong_times:,} events lie before 1990 or in the future."
            found.append(_rejected("impossible_time", self.wrong_times, sentence))
        return found

    def notes(self) -> list[str]:
        """What was found and mended; after `finish`."""
        said = []
        if self.out_of_order:
            said.append(f"{self.out_of_order:,} events stood before older ones of the same user: sorted by time")
        threshold = f"those of at least {self.config.positive_rating:g} are likings"
        said.extend(f"{file} names no kinds of events: each is a rating, and {threshold}" for file in self.rated)
        return said

    def _users(self, names: Names) -> npt.NDArray[np.int64]:
        """Numbers of users; only those whose events are kept get one."""
        numbers = np.full(len(names.words), LEFT_OUT, np.int64)
        for place in np.unique(names.at_E):
            numbers[place] = self.user_of.setdefault(names.words[place], len(self.user_of))
        return numbers[names.at_E]

    def _kinds(self, batch: EventBatch) -> npt.NDArray[np.int64]:
        if batch.event is None:
            kind = self.kinds.number_of(UNNAMED if batch.value is None else RATING)
            self.rated |= {} if batch.value is None else {batch.file: None}
            return np.full(len(batch.item.at_E), kind, np.int64)
        may_skip = self.config.other_kinds == "leave_out"
        return self._counted(
            batch.event, self.kinds.places.get if may_skip else self.kinds.number_of, self.other_kinds, str.casefold
        )

    def _counted(
        self,
        names: Names,
        number_of: Callable[[str], int | None],
        unknown: dict[str, int],
        spelt: Callable[[str], str] = str,
    ) -> npt.NDArray[np.int64]:
        """A number for each row, -1 for names that have none, which are counted."""
        counts = np.bincount(names.at_E, minlength=len(names.words))
        numbers = np.full(len(names.words), LEFT_OUT, np.int64)
        for place in np.flatnonzero(counts):
            number = number_of(spelt(names.words[place]))
            if number is None:
                unknown[names.words[place]] = unknown.get(names.words[place], 0) + int(counts[place])
            else:
                numbers[place] = number
        return numbers[names.at_E]


class KindsOfEvents:
    """Kinds that a config knows, by number, and what an event of each says."""

    def __init__(self, config: InteractionConfig) -> None:
        self.config = config
        self.places = {name.casefold(): place for place, name in enumerate(config.kinds)}
        self.rating = self.places.get(RATING, len(self.places))
        self.weights = np.array(list(config.kinds.values()), np.float32)

    def number_of(self, name: str) -> int:
        """The number of a kind.

        Raises:
            UserError: The config does not know it; says which is nearest.
        """
        folded = name.casefold()
        if folded in self.places:
            return self.places[folded]
        near = difflib.get_close_matches(folded, self.places, n=1, cutoff=0.5)
        meant = f"; `{near[0]}` is the nearest" if near else ""
        known = ", ".join(f"{kind} {weight:g}" for kind, weight in self.config.kinds.items())
        raise UserError(
            f"An event is of the kind `{name}`, which data.kinds does not name.",
            f"Kinds with their weights: {known}{meant}.",
            f"Give it a weight, --data.kinds '{{{folded}: 1}}', or leave such events out: "
            "--data.other_kinds leave_out.",
        )

    def weigh(
        self, kind_E: npt.NDArray[np.integer], value_E: npt.NDArray[np.float64] | None
    ) -> npt.NDArray[np.float32]:
        """What events say: ratings under the threshold that the user did not like the item."""
        weight_E: npt.NDArray[np.float32] = self.weights[kind_E]
        if value_E is None:
            return weight_E
        is_low = (kind_E == self.rating) & (value_E < self.config.positive_rating)
        return np.where(is_low, -np.abs(weight_E), weight_E).astype(np.float32)


def with_kinds_of(log: EventLog, config: InteractionConfig) -> EventLog:
    """A log that was made without a config, with the kinds and weights of one; what was disliked stays so.

    Raises:
        UserError: The config does not know a kind of the log.
    """
    kinds = KindsOfEvents(config)
    used = np.unique(log.kind_E)
    numbers = np.zeros(len(log.kinds), np.int8)
    numbers[used] = [kinds.number_of(log.kinds[kind]) for kind in used]
    kind_E = numbers[log.kind_E]
    weight_E = kinds.weigh(kind_E, None)
    is_low = (kind_E == kinds.rating) & (log.weight_E < 0)
    weight_E = np.where(is_low, -np.abs(weight_E), weight_E)
    return EventLog(log.users, tuple(config.kinds), log.user_E, log.row_E, log.time_E, kind_E, weight_E)


def _rejected(reason: str, count: int, sentence: str) -> Rejected:
    return Rejected(path="events", reason=reason, sentence=sentence, rows=count)


def _described(batch: EventBatch, rows: Sequence[int] | npt.NDArray[np.int64]) -> list[str]:
    names: Mapping[str, Names] = {"user": batch.user, "item": batch.item}
    return [",".join(found.words[found.at_E[row]] for found in names.values()) for row in rows]
