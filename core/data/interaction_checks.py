"""What is wrong with a log of events: events that stand there twice, and users that are programs."""

import numpy as np
import numpy.typing as npt

from core.data.event_log import EventLog
from core.data.report import Rejected

MINUTE_S, DAY_S = 60, 86_400
MAX_NAMED = 20
"""Programs that the report names one by one."""


def without_repeats(log: EventLog, notes: list[str]) -> EventLog:
    """The log without events that say again what one before said; without times nobody can tell."""
    repeated_E = find_repeats(log) if log.has_times else np.zeros(len(log), np.bool_)
    count = int(repeated_E.sum())
    if not count:
        return log
    notes.append(f"{count:,} events say again what one before said (same user, item, kind and time): left out")
    return log.only(~repeated_E)


def without_bots(log: EventLog, events_per_minute: int, rejected: list[Rejected]) -> EventLog:
    """The log without users that do more in a minute than a person can."""
    bots = find_bots(log, events_per_minute)
    if not len(bots):
        return log
    counts = np.diff(log.starts_U1)
    rate = f"more than {events_per_minute:,} events in a minute"
    for user in bots[:MAX_NAMED]:
        sentence = f"{log.users[user]} has {rate}: a program, left out with its {counts[user]:,} events."
        rejected.append(Rejected(path=f"user {log.users[user]}", reason="bot", sentence=sentence))
    more = len(bots) - MAX_NAMED
    if more > 0:
        sentence = f"{more:,} more users have {rate}, with {counts[bots[MAX_NAMED:]].sum():,} events."
        rejected.append(Rejected(path="further users", reason="bot", sentence=sentence, rows=more))
    return log.only(~np.isin(log.user_E, bots))


def find_repeats(log: EventLog) -> npt.NDArray[np.bool_]:
    """Which events say again what one before said: same user, item, kind and time, (E,).

    The log is sorted by user and time, so only events that share both with a neighbour are compared.
    """
    repeated_E = np.zeros(len(log), np.bool_)
    same_E = (log.user_E[1:] == log.user_E[:-1]) & (log.time_E[1:] == log.time_E[:-1])
    near_E = np.zeros(len(log), np.bool_)
    near_E[1:] |= same_E
    near_E[:-1] |= same_E
    near = np.flatnonzero(near_E)
    order = near[np.lexsort((log.kind_E[near], log.row_E[near], log.time_E[near], log.user_E[near]))]
    is_same = np.ones(max(0, len(order) - 1), np.bool_)
    for column in (log.user_E, log.time_E, log.row_E, log.kind_E):
        is_same &= column[order[1:]] == column[order[:-1]]
    repeated_E[order[1:][is_same]] = True
    return repeated_E


def find_bots(log: EventLog, events_per_minute: int) -> npt.NDArray[np.int32]:
    """Users with more events in some minute than given; the log is sorted.

    Where only days are known, not times of day, nobody is.
    """
    if len(log) <= events_per_minute or not log.has_times or not (log.time_E % DAY_S).any():
        return np.zeros(0, np.int32)
    later, earlier = slice(events_per_minute, None), slice(None, -events_per_minute)
    is_same = log.user_E[later] == log.user_E[earlier]
    is_fast = log.time_E[later] - log.time_E[earlier] < MINUTE_S
    return np.unique(log.user_E[later][is_same & is_fast])
