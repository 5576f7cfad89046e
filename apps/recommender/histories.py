"""Events of the known users of a bundle, kept as columns and given as what one user did."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from apps.recommender.wish import Seen
from core.data.event_log import UNKNOWN_TIME, EventLog


def write_histories(log: EventLog, item_ids: Sequence[str], file: Path) -> None:
    """All events of known users, so that a list for one of them begins where the data ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "user": pa.array(log.users, pa.string()).take(pa.array(log.user_E)),
        "item_id": pa.array(item_ids, pa.string()).take(pa.array(log.row_E)),
        "time": log.time_E,
        "kind": pa.array(log.kinds, pa.string()).take(pa.array(log.kind_E.astype(np.int32))),
        "weight": log.weight_E,
    }
    pq.write_table(pa.table(columns), file)


class Histories(Mapping[str, tuple[Seen, ...]]):
    """User to what they did, oldest first.

    Args:
        file: What `write_histories` wrote.
    """

    def __init__(self, file: Path) -> None:
        import pyarrow.parquet as pq

        names = ("user", "item_id", "kind")
        table = pq.read_table(file, read_dictionary=names).combine_chunks()
        coded = {name: table[name].chunk(0) if table.num_rows else None for name in names}
        self._words = {name: column.dictionary.to_pylist() if column else [] for name, column in coded.items()}
        codes = {name: column.indices.to_numpy() if column else np.zeros(0, int) for name, column in coded.items()}
        self._item_E, self._kind_E = codes["item_id"], codes["kind"]
        self._time_E, self._weight_E = table["time"].to_numpy(), table["weight"].to_numpy()
        starts = np.flatnonzero(np.diff(codes["user"], prepend=-1))
        stops = [*starts[1:].tolist(), len(codes["user"])]
        users = (self._words["user"][code] for code in codes["user"][starts].tolist())
        self._places = {user: (start, stop) for user, start, stop in zip(users, starts.tolist(), stops, strict=True)}

    def __getitem__(self, user: str) -> tuple[Seen, ...]:
        start, stop = self._places[user]
        items, kinds = self._words["item_id"], self._words["kind"]
        columns = (column[start:stop].tolist() for column in (self._item_E, self._kind_E, self._time_E, self._weight_E))
        return tuple(
            Seen(items[item], kinds[kind], None if time == UNKNOWN_TIME else time, None if weight > 0 else 0.0)
            for item, kind, time, weight in zip(*columns, strict=True)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, user: object) -> bool:
        return user in self._places

    def num_events(self, user: str) -> int:
        """How many events of a user there are."""
        start, stop = self._places.get(user, (0, 0))
        return int(stop - start)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Kinds of events that there are."""
        return frozenset(self._words["kind"])
