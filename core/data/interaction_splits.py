"""Which events are learnt from and which are held out, and the examples that a model sees: a user's history each.

Legend: E events, U users.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from core.data.event_log import EventLog
from core.data.interaction_config import InteractionConfig
from core.data.module import SPLITS, Example, SplitName

Rows = npt.NDArray[np.int32]
FEWEST_LIKINGS = 3
"""A user with fewer is learnt from only: one to learn from, one to choose by and one to test with are needed."""
FEWEST_OF_COLD = 5
"""Likings that an item needs to be taken for a new one: of others there is nothing to measure."""
NOTHING: Rows = np.zeros(0, np.int32)
TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True)
class UserExamples(Sequence[Example]):
    """Examples made when they are asked for.

    An example holds `user`, `path` (for messages), and of the history, oldest first, `rows`, `kinds`, `times` and
    `weights`, at most the newest of them; `seen`, the rows of all that the user touched before; and `targets`, rows of
    what the user came to like afterwards, each once and none of them seen.

    Args:
        log: All events.
        users: User of each example.
        firsts: First event of each history.
        stops: One past its last event.
        targets: Of each example; empty for training.
        max_history: Events that an example shows, the newest.
    """

    log: EventLog
    users: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    targets: Sequence[Rows]
    max_history: int

    def __len__(self) -> int:
        return len(self.users)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        if isinstance(index, slice):
            return [self._example(at) for at in range(*index.indices(len(self)))]
        return self._example(range(len(self))[index])

    def __iter__(self) -> Iterator[Example]:
        return (self._example(at) for at in range(len(self)))

    def first(self, count: int) -> "UserExamples":
        """The first so many."""
        users, firsts, stops = (column[:count] for column in (self.users, self.firsts, self.stops))
        return UserExamples(self.log, users, firsts, stops, self.targets[:count], self.max_history)

    def _example(self, at: int) -> dict[str, Any]:
        first, stop = int(self.firsts[at]), int(self.stops[at])
        shown = slice(max(first, stop - self.max_history), stop)
        user = self.log.users[int(self.users[at])]
        return {
            "user": user,
            "path": f"user {user}",
            "rows": self.log.row_E[shown],
            "kinds": self.log.kind_E[shown],
            "times": self.log.time_E[shown],
            "weights": self.log.weight_E[shown],
            "seen": np.unique(self.log.row_E[first:stop]),
            "targets": self.targets[at] if self.targets else NOTHING,
        }


@dataclass(frozen=True)
class Split:
    """Events by what they are for.

    Args:
        log: All events, those on items that are taken for new ones left out.
        part_E: 0 = learnt from, 1 = validation, 2 = test.
        cold_rows: Items that are taken for new ones.
        cold: Each user's likings among them, to be found from what is learnt from.
    """

    log: EventLog
    part_E: npt.NDArray[np.int8]
    cold_rows: Rows
    cold: UserExamples


def split_events(log: EventLog, num_items: int, config: InteractionConfig, seed: int) -> Split:
    """Holds out what the config says; the log is sorted by user and time."""
    cold_rows = _draw_cold(log, num_items, config.cold_item_share, seed)
    is_cold_E = np.isin(log.row_E, cold_rows)
    kept = log.only(~is_cold_E) if len(cold_rows) else log
    part_E = _by_time(kept, config) if config.protocol == "global_time" else _by_user(kept, config)
    wanted = log.only(is_cold_E & (log.weight_E > 0))
    return Split(kept, part_E, cold_rows, _cold_examples(kept, part_E, wanted, config))


def examples_of(split: Split, config: InteractionConfig) -> dict[SplitName, UserExamples]:
    """The examples of each split.

    Training: the events of each user cut into windows, of which all but the first likings are to be foretold.
    Validation and test: the likings of that part, from all events before the first of them.
    """
    found = {"train": _windows(split, config)}
    for name, part in (("validation", VALIDATION), ("test", TEST)):
        found[name] = _held_out(split, part, config)
    return {name: found[name] for name in SPLITS}


def shuffled_within_users(log: EventLog, seed: int) -> EventLog:
    """Each user's events in an order drawn by seed, whatever order they are in: nothing says when things happened."""
    plain = log.only(np.lexsort((log.weight_E, log.kind_E, log.row_E, log.user_E)))
    chance_E = np.random.default_rng(seed).random(len(log))
    return plain.only(np.lexsort((chance_E, plain.user_E)))


def _draw_cold(log: EventLog, num_items: int, share: float, seed: int) -> Rows:
    if not share:
        return NOTHING
    likings = np.bincount(log.row_E[log.weight_E > 0], minlength=num_items)
    possible = np.flatnonzero(likings >= FEWEST_OF_COLD)
    drawn = np.random.default_rng([seed, 0xC01D]).permutation(possible)[: round(share * len(possible))]
    return np.sort(drawn).astype(np.int32)


def _by_user(log: EventLog, config: InteractionConfig) -> npt.NDArray[np.int8]:
    """Each user's last likings are for the test, those before them for validation; what is disliked goes along."""
    part_E = np.zeros(len(log), np.int8)
    starts_U1 = log.starts_U1
    for first, stop in itertools.pairwise(starts_U1.tolist()):
        liked = first + np.flatnonzero(log.weight_E[first:stop] > 0)
        if len(liked) < FEWEST_LIKINGS:
            continue
        for_test = _count(len(liked), config)
        for_validation = _count(len(liked) - for_test, config)
        part_E[liked[len(liked) - for_test] : stop] = TEST
        part_E[liked[len(liked) - for_test - for_validation] : liked[len(liked) - for_test]] = VALIDATION
    return part_E


def _count(likings: int, config: InteractionConfig) -> int:
    return 1 if config.protocol == "last_one" else max(1, round(config.held_out_share * likings))


def _by_time(log: EventLog, config: InteractionConfig) -> npt.NDArray[np.int8]:
    """Two points in time for all: what is liked after the later one is the test, between them validation."""
    liked = log.time_E[log.weight_E > 0]
    share = config.held_out_share
    later = np.quantile(liked, 1 - share) if len(liked) else 0.0
    earlier = np.quantile(liked[liked < later], 1 - share) if (liked < later).any() else 0.0
    part_E = np.zeros(len(log), np.int8)
    part_E[log.time_E >= earlier] = VALIDATION
    part_E[log.time_E >= later] = TEST
    return part_E


def _windows(split: Split, config: InteractionConfig) -> UserExamples:
    """Training events of each user, cut from the newest backwards; a window begins with the last event of the older."""
    found: list[tuple[int, int, int]] = []
    starts_U1 = split.log.starts_U1
    counts_U = np.bincount(split.log.user_E[split.part_E == TRAIN], minlength=len(split.log.users))
    for user in np.flatnonzero(counts_U >= 2):
        first = int(starts_U1[user])
        stop = first + int(counts_U[user])
        while stop - first >= 2:
            begin = max(first, stop - config.max_history)
            if (split.log.weight_E[begin + 1 : stop] > 0).any():
                found.append((int(user), begin, stop))
            stop = begin + 1
    return _examples(split.log, found, (), config)


def _held_out(split: Split, part: int, config: InteractionConfig) -> UserExamples:
    found: list[tuple[int, int, int]] = []
    targets: list[Rows] = []
    log, starts_U1 = split.log, split.log.starts_U1
    for user in np.unique(log.user_E[split.part_E == part]):
        first, end = int(starts_U1[user]), int(starts_U1[user + 1])
        of_user = split.part_E[first:end]
        stop = first + int((of_user < part).sum())
        held_out = slice(stop, first + int((of_user <= part).sum()))
        liked = log.row_E[held_out][log.weight_E[held_out] > 0]
        # Sets are ten times as fast as numpy's on the few events that most of very many users have.
        wanted = sorted(set(liked.tolist()).difference(log.row_E[first:stop].tolist()))
        if stop > first and wanted:
            found.append((int(user), first, stop))
            targets.append(np.array(wanted, np.int32))
    return _examples(log, found, targets, config)


def _cold_examples(
    kept: EventLog, part_E: npt.NDArray[np.int8], wanted: EventLog, config: InteractionConfig
) -> UserExamples:
    found: list[tuple[int, int, int]] = []
    targets: list[Rows] = []
    for user in np.unique(wanted.user_E):
        first, end = int(kept.starts_U1[user]), int(kept.starts_U1[user + 1])
        stop = first + int((part_E[first:end] == TRAIN).sum())
        if stop > first:
            found.append((int(user), first, stop))
            targets.append(np.unique(wanted.row_E[wanted.starts_U1[user] : wanted.starts_U1[user + 1]]))
    return _examples(kept, found, targets, config)


def _examples(
    log: EventLog, found: Sequence[tuple[int, int, int]], targets: Sequence[Rows], config: InteractionConfig
) -> UserExamples:
    """Examples of (user, first event, one past the last)."""
    users_N, firsts_N, stops_N = np.asarray(found, np.int64).reshape(-1, 3).T
    return UserExamples(log, users_N, firsts_N, stops_N, targets, config.max_history)
