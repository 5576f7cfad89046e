"""Who did what with which item, when: numbers in columns, sorted by user and time.

Legend: E events, U users.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

UNKNOWN_TIME = -1


@dataclass(frozen=True)
class EventLog:
    """Events, those of one user side by side, oldest first; of one time in the order in which they were read.

    Args:
        users: Names; an event's user is a place here.
        kinds: Names; an event's kind is a place here.
        user_E: Who.
        row_E: Which item, by its row in the catalogue.
        time_E: Seconds since 1970; -1 = unknown.
        kind_E: What.
        weight_E: How much it says: above 0 the user liked the item, below 0 not.
    """

    users: tuple[str, ...]
    kinds: tuple[str, ...]
    user_E: npt.NDArray[np.int32]
    row_E: npt.NDArray[np.int32]
    time_E: npt.NDArray[np.int64]
    kind_E: npt.NDArray[np.int8]
    weight_E: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.user_E)

    @property
    def has_times(self) -> bool:
        """Whether it is known when things happened."""
        return bool(len(self) and (self.time_E != UNKNOWN_TIME).all())

    @cached_property
    def starts_U1(self) -> npt.NDArray[np.int64]:
        """Events of user u stand from starts_U1[u] to starts_U1[u + 1]."""
        return np.searchsorted(self.user_E, np.arange(len(self.users) + 1)).astype(np.int64)

    def only(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "EventLog":
        """Some events, in this order, of the same users and kinds."""
        return EventLog(
            self.users,
            self.kinds,
            self.user_E[chosen],
            self.row_E[chosen],
            self.time_E[chosen],
            self.kind_E[chosen],
            self.weight_E[chosen],
        )


def sort_events(log: EventLog) -> EventLog:
    """By user, then time; those of one time stay in the order in which they are."""
    return log.only(np.lexsort((log.time_E, log.user_E)))
