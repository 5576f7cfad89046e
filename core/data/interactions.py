"""Loads items and events: finds, reads, checks and splits; gives catalogue, log, examples and a report."""

import difflib
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.data.catalogue import Catalogue
from core.data.catalogue_tables import read_catalogue
from core.data.event_log import UNKNOWN_TIME, EventLog, find_bots, find_repeats, sort_events
from core.data.event_tables import EventBatch, RejectedRows, read_event_batches
from core.data.interaction_config import InteractionConfig
from core.data.interaction_files import find_interactions
from core.data.interaction_splits import Split, UserExamples, examples_of, shuffled_within_users, split_events
from core.data.module import SplitName
from core.data.report import DataReport, Rejected
from core.errors import UsageError, UserError

RATING = "rating"
UNNAMED = "click"
"""Kind of events of a file that names no kinds and holds no ratings."""
FIRST_YEAR_S = 631_152_000
"""1990: nothing on the web happened before."""
DAY_S = 86_400
MAX_REPORTED = 20
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Interactions:
    """Items and what people did with them, as read.

    Args:
        source: For messages.
        catalogue: Items.
        log: Events, sorted by user and time.
        notes: What was guessed and chosen.
        rejected: What was left out.
    """

    source: str
    catalogue: Catalogue
    log: EventLog
    notes: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True)
class LoadedInteractions:
    """Items, events and examples.

    Args:
        catalogue: Items.
        split: Events by what they are for, and the items that are taken for new ones.
        splits: Examples of each split.
        report: What was found, rejected and chosen.
        fingerprint: SHA-256 over items, events and splits.
    """

    catalogue: Catalogue
    split: Split
    splits: Mapping[SplitName, UserExamples]
    report: DataReport
    fingerprint: str


def load_interactions(
    config: InteractionConfig,
    *,
    seed: int,
    sample: Callable[[], Interactions],
    progress: Progress = lambda *_: None,
) -> LoadedInteractions:
    """Loads a data set.

    Args:
        config: Where the data is, what events mean and what is held out.
        seed: Draws what nothing else decides.
        sample: Gives the sample data, for `config.path == "sample"`.
        progress: Called with (bytes read, all bytes).

    Raises:
        UserError: The data cannot be used; says what was found, what is right and what to do.
    """
    found = sample() if config.path == "sample" else read_interactions(config, progress)
    log, notes, rejected = found.log, list(found.notes), list(found.rejected)
    log = _without_repeats(log, notes)
    log = _without_bots(log, config, rejected)
    if not log.has_times:
        if config.protocol == "global_time":
            raise UsageError(
                f"{found.source} does not say when things happened.",
                "--data.protocol global_time needs a column of times.",
                "Use --data.protocol last_share, or name the column: --data.columns.timestamp NAME.",
            )
        notes.append(f"no times: what is held out of each user was drawn with seed {seed}, and order means nothing")
        log = shuffled_within_users(log, seed)
    split = split_events(log, len(found.catalogue), config, seed)
    splits = examples_of(split, config)
    if config.limit:
        splits = {name: _first_users(examples, config.limit) for name, examples in splits.items()}
    _check(splits, found.source)
    notes.append(_protocol_note(config, split, log))
    report = _report(found.source, found.catalogue, split, splits, notes, rejected)
    return LoadedInteractions(found.catalogue, split, splits, report, _fingerprint(found.catalogue, split))


def read_interactions(config: InteractionConfig, progress: Progress = lambda *_: None) -> Interactions:
    """Items and events of `config.path`; rows that cannot be read are counted, reported and written aside."""
    found = find_interactions(config)
    notes: list[str] = []
    rejected: list[Rejected] = []
    catalogue = read_catalogue(found, config, notes, rejected)
    rows = RejectedRows()
    given = {
        role: getattr(config.columns, role, None) for role in ("user_id", "item_id", "timestamp", "event", "value")
    }
    if config.columns.item_id and config.columns.item_id not in _header_of(found.events[0]):
        given["item_id"] = None
    builder = _LogBuilder(catalogue, config)
    for batch in read_event_batches(found.events, given, notes, rows, progress):
        builder.add(batch)
    log = builder.finish(rejected)
    rejected.extend(
        Rejected(path=config.rejected_to, reason=reason, sentence=f"{count:,} rows of events could not be read.")
        for reason, count in sorted(rows.counts.items())
    )
    if rows.counts:
        rows.write(Path(config.rejected_to))
        notes.append(f"rows of events that could not be read stand in {config.rejected_to}")
    return Interactions(found.source, catalogue, log, tuple(dict.fromkeys(notes)), tuple(rejected))


class _LogBuilder:
    """Gathers batches: names become numbers at once, so that a log takes 21 bytes an event."""

    def __init__(self, catalogue: Catalogue, config: InteractionConfig) -> None:
        self.config = config
        self.row_of = {item_id: row for row, item_id in enumerate(catalogue.ids)}
        self.user_of: dict[str, int] = {}
        self.kinds = tuple(config.kinds)
        self.parts: list[tuple[npt.NDArray[np.generic], ...]] = []
        self.unknown_items: dict[str, int] = {}
        self.wrong_times = 0
        self.newest = time.time() + DAY_S

    def add(self, batch: EventBatch) -> None:
        """The events of a batch that name an item of the catalogue and a possible time."""
        row_E, names, at_E = _numbered(batch.item, lambda name: self.row_of.get(name, -1))
        unknown = np.bincount(at_E[row_E < 0], minlength=len(names))
        for place in np.flatnonzero(unknown):
            self.unknown_items[names[place]] = self.unknown_items.get(names[place], 0) + int(unknown[place])
        time_E = np.full(len(row_E), UNKNOWN_TIME, np.int64) if batch.time is None else batch.time
        is_possible = (
            np.ones(len(row_E), np.bool_) if batch.time is None else (time_E >= FIRST_YEAR_S) & (time_E <= self.newest)
        )
        self.wrong_times += int((~is_possible & (row_E >= 0)).sum())
        kept = (row_E >= 0) & is_possible
        user_E, _, _ = _numbered(batch.user.filter(kept), lambda name: self.user_of.setdefault(name, len(self.user_of)))
        kind_E = self._kinds(batch)[kept]
        value_E = None if batch.value is None else batch.value[kept]
        self.parts.append(
            (
                user_E.astype(np.int32),
                row_E[kept].astype(np.int32),
                time_E[kept],
                kind_E,
                self._weights(kind_E, value_E),
            )
        )

    def finish(self, rejected: list[Rejected]) -> EventLog:
        """All events, sorted; what was left out is added to `rejected`."""
        if self.unknown_items:
            worst = sorted(self.unknown_items.items(), key=lambda pair: -pair[1])[:3]
            names = ", ".join(name[:40] for name, _ in worst)
            sentence = f"{sum(self.unknown_items.values()):,} events name items that are not offered, such as {names}."
            rejected.append(Rejected(path="events", reason="unknown_item", sentence=sentence))
        if self.wrong_times:
            sentence = f"{self.wrong_times:,} events lie before 1990 or in the future."
            rejected.append(Rejected(path="events", reason="impossible_time", sentence=sentence))
        empty = (np.int32, np.int32, np.int64, np.int8, np.float32)
        columns = [
            np.concatenate([part[place] for part in self.parts] or [np.zeros(0, dtype)]).astype(dtype, copy=False)
            for place, dtype in enumerate(empty)
        ]
        self.parts.clear()
        return sort_events(EventLog(tuple(self.user_of), self.kinds, *columns))

    def _kinds(self, batch: EventBatch) -> npt.NDArray[np.int8]:
        if batch.event is None:
            name = RATING if batch.value is not None else UNNAMED
            return np.full(len(batch.item), self._kind(name), np.int8)
        numbers, _, _ = _numbered(batch.event, self._kind)
        return numbers.astype(np.int8)

    def _kind(self, name: str) -> int:
        folded = name.strip().casefold()
        if folded in self.kinds:
            return self.kinds.index(folded)
        near = difflib.get_close_matches(folded, self.kinds, n=1, cutoff=0.5)
        meant = f"; `{near[0]}` is the nearest" if near else ""
        known = ", ".join(f"{kind} {weight:g}" for kind, weight in self.config.kinds.items())
        raise UserError(
            f"An event is of the kind `{name}`, which data.kinds does not know.",
            f"Kinds with their weights: {known}{meant}.",
            f"Give it a weight: --data.kinds '{{{folded}: 1, ...}}' names all kinds with theirs.",
        )

    def _weights(
        self, kind_E: npt.NDArray[np.int8], value_E: npt.NDArray[np.float64] | None
    ) -> npt.NDArray[np.float32]:
        weight_E = np.array([self.config.kinds[kind] for kind in self.kinds], np.float32)[kind_E]
        if value_E is not None and RATING in self.kinds:
            is_low = (kind_E == self.kinds.index(RATING)) & ~(value_E >= self.config.positive_rating)
            weight_E = np.where(is_low, -np.abs(weight_E), weight_E)
        return weight_E.astype(np.float32)


def _numbered(
    names: "object", number_of: Callable[[str], int]
) -> tuple[npt.NDArray[np.int64], list[str], npt.NDArray[np.int64]]:
    """A number for each name, asked for once a batch; the distinct names; and which of them each is."""
    encoded = names.dictionary_encode()  # type: ignore[attr-defined]
    distinct: list[str] = encoded.dictionary.to_pylist()
    at_E = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    numbers = np.array([number_of(name) for name in distinct], np.int64)
    return (numbers[at_E] if len(distinct) else at_E), distinct, at_E


def _header_of(file: Path) -> str:
    """Where the user named one column for items, it may be a column of the items alone."""
    if file.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        return " ".join(pq.ParquetFile(file).schema_arrow.names)
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        return stream.readline()


def _without_repeats(log: EventLog, notes: list[str]) -> EventLog:
    repeated_E = find_repeats(log) if log.has_times else np.zeros(len(log), np.bool_)
    if count := int(repeated_E.sum()):
        notes.append(f"{count:,} events say again what one before said (same user, item, kind and time): left out")
    return log.only(~repeated_E)


def _without_bots(log: EventLog, config: InteractionConfig, rejected: list[Rejected]) -> EventLog:
    bots = find_bots(log, config.bot_events_per_minute)
    for user in bots[:MAX_REPORTED]:
        count = int(log.starts_U1[user + 1] - log.starts_U1[user])
        rate = f"more than {config.bot_events_per_minute} events in a minute"
        sentence = f"User {log.users[user]} has {rate}: a program, left out with {count:,} events."
        rejected.append(Rejected(path=f"user {log.users[user]}", reason="bot", sentence=sentence))
    return log.only(~np.isin(log.user_E, bots))


def _first_users(examples: UserExamples, limit: int) -> UserExamples:
    chosen = slice(0, limit)
    return UserExamples(
        examples.log,
        examples.users[chosen],
        examples.firsts[chosen],
        examples.stops[chosen],
        examples.targets[chosen],
        examples.max_history,
    )


def _check(splits: Mapping[SplitName, UserExamples], source: str) -> None:
    for name, examples in splits.items():
        if not len(examples):
            raise UserError(
                f"{source} leaves no user for {name}.",
                "Some users need three likings or more: to learn from, to choose by, and to test with.",
                "Give more events, or lower --data.positive-rating if there are ratings.",
            )


def _protocol_note(config: InteractionConfig, split: Split, log: EventLog) -> str:
    what = {
        "last_share": f"the last {config.held_out_share:.0%} of each user's likings",
        "last_one": "the last liking of each user",
        "global_time": f"all likings after the point in time that leaves {config.held_out_share:.0%} of them",
    }[config.protocol]
    order = "by time" if log.has_times else "in an order drawn by seed"
    cold = f"; {len(split.cold_rows):,} items are taken for new ones" if len(split.cold_rows) else ""
    return f"held out for the test: {what}, {order}; for validation the same of what is before it{cold}"


def _report(
    source: str,
    catalogue: Catalogue,
    split: Split,
    splits: Mapping[SplitName, UserExamples],
    notes: Sequence[str],
    rejected: Sequence[Rejected],
) -> DataReport:
    rows = {}
    for number, (name, examples) in enumerate(splits.items()):
        chosen = split.part_E == number
        rows[str(name)] = {
            "events": int(chosen.sum()),
            "likings": int((split.log.weight_E[chosen] > 0).sum()),
            "examples (users; windows in training)": len(examples),
        }
    touched = len(np.unique(split.log.row_E))
    silent = f"{len(catalogue):,} items, {len(catalogue) - touched:,} of them without any event"
    people = f"{len(np.unique(split.log.user_E)):,} users with events"
    return DataReport(
        source=source, notes=(silent, people, *notes), rows=rows, rejected=tuple(rejected), counted="what"
    )


def _fingerprint(catalogue: Catalogue, split: Split) -> str:
    digest = hashlib.sha256()
    for row, item_id in enumerate(catalogue.ids):
        digest.update("\0".join((item_id, *catalogue.text_of(row).values())).encode("utf-8", "surrogatepass"))
    names = np.array(split.log.users)
    digest.update("\0".join(names[np.unique(split.log.user_E)].tolist()).encode("utf-8", "surrogatepass"))
    for column in (split.log.row_E, split.log.time_E, split.log.kind_E, split.log.weight_E, split.part_E):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
