"""Loads items and events: finds, reads, checks and splits; gives catalogue, log, examples and a report."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from core.data.catalogue import Catalogue
from core.data.catalogue_tables import read_catalogue
from core.data.columns import map_columns
from core.data.event_builder import LogBuilder, with_kinds_of
from core.data.event_files import columns_of
from core.data.event_log import UNKNOWN_TIME, EventLog
from core.data.event_tables import read_event_batches
from core.data.interaction_checks import without_bots, without_repeats
from core.data.interaction_config import InteractionConfig
from core.data.interaction_files import Found, find_interactions
from core.data.interaction_splits import Split, UserExamples, examples_of, shuffled_within_users, split_events
from core.data.module import SplitName
from core.data.rejected_rows import RejectedRows
from core.data.report import DataReport, Rejected
from core.data.tables import read_table
from core.errors import UsageError, UserError

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
    is_sample = config.path == "sample"
    found = sample() if is_sample else read_interactions(config, progress)
    source, catalogue, notes, rejected = found.source, found.catalogue, list(found.notes), list(found.rejected)
    log = with_kinds_of(found.log, config) if is_sample else found.log
    del found  # a long log stands in memory once
    log = without_repeats(log, notes)
    log = without_bots(log, config.bot_events_per_minute, rejected)
    if not len(log):
        raise _no_events(source, rejected)
    if not log.has_times:
        if config.protocol == "global_time":
            raise UsageError(
                f"{source} does not say when things happened.",
                "--data.protocol global_time needs a column of times.",
                "Use --data.protocol last_share, or name the column: --data.columns.timestamp NAME.",
            )
        which = "no times" if (log.time_E == UNKNOWN_TIME).all() else "times of some events only"
        notes.append(f"{which}: what is held out of each user was drawn with seed {seed}, and order means nothing")
        log = shuffled_within_users(log, seed)
    split = split_events(log, len(catalogue), config, seed)
    splits = examples_of(split, config)
    if config.limit:
        splits = {name: examples.first(config.limit) for name, examples in splits.items()}
    _check(splits, source)
    notes.append(_protocol_note(config, split, log))
    report = _report(source, catalogue, split, splits, notes, rejected)
    return LoadedInteractions(catalogue, split, splits, report, _fingerprint(catalogue, split))


def read_interactions(config: InteractionConfig, progress: Progress = lambda *_: None) -> Interactions:
    """Items and events of `config.path`; rows that cannot be read are counted, reported and written aside."""
    with TemporaryDirectory(prefix="ai_app_suite_") as scratch:
        return _read(find_interactions(config, Path(scratch)), config, progress)


def _read(found: Found, config: InteractionConfig, progress: Progress) -> Interactions:
    notes: list[str] = []
    rejected: list[Rejected] = []
    catalogue = read_catalogue(found, config, notes, rejected)
    given = _existing_columns(found, config)
    rows = RejectedRows()
    builder = LogBuilder(catalogue, config, rows)
    for batch in read_event_batches(found.events, given, notes, rows, progress):
        builder.add(batch)
    log = builder.finish()
    rejected.extend(builder.left_out())
    rejected.extend(
        Rejected(path=config.rejected_to, reason=reason, sentence=f"{count:,} rows of events.", rows=count)
        for reason, count in sorted(rows.counts.items())
    )
    notes.extend(builder.notes())
    if rows.counts:
        rows.write(Path(config.rejected_to))
        total = sum(rows.counts.values())
        which = f"the first {len(rows.first):,} of the" if len(rows.first) < total else "the"
        notes.append(f"{which} {total:,} rows of events that could not be read stand in {config.rejected_to}")
    return Interactions(found.source, catalogue, log, tuple(dict.fromkeys(notes)), tuple(rejected))


def _existing_columns(found: Found, config: InteractionConfig) -> dict[str, str | None]:
    """Columns as the user named them, each of which some table has."""
    given: dict[str, str | None] = config.columns.model_dump()
    named = {role: name for role, name in given.items() if name}
    if named:
        tables = (found.items, *found.events, *found.beside)
        map_columns(list(dict.fromkeys(name for table in tables for name in _columns(table))), named, {})
    return given


def _columns(file: Path) -> Sequence[str]:
    """Columns of a table; none of one that cannot be read, which is told where it is needed."""
    try:
        return list(read_table(file).columns) if file.suffix.lower() == ".json" else columns_of(file)
    except UserError:
        return ()


def _no_events(source: str, rejected: Sequence[Rejected]) -> UserError:
    why = " ".join(item.sentence for item in rejected[:3])
    return UserError(
        f"{source} has no event that can be used. {why}".strip(),
        "An event names a user, an item of the catalogue, and a time since 1990 if times are given.",
        "Compare the ids of both tables, and name their columns: --data.columns.item_id NAME.",
    )


def _check(splits: Mapping[SplitName, UserExamples], source: str) -> None:
    for name, examples in splits.items():
        if not len(examples):
            raise UserError(
                f"{source} leaves no user for {name}.",
                "Some users need likings of three different items: to learn from, to choose by, and to test with.",
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
            "users": len(np.unique(examples.users)),
            "events": int(chosen.sum()),
            "likings": int((split.log.weight_E[chosen] > 0).sum()),
            "examples": len(examples),
        }
    log = split.log
    silent = len(catalogue) - len(np.unique(log.row_E)) - len(split.cold_rows)
    kinds = np.bincount(log.kind_E, minlength=len(log.kinds))
    facts = (
        f"{len(catalogue):,} items, {silent:,} of them without any event",
        f"{len(np.unique(log.user_E)):,} users with events",
        "events: " + ", ".join(f"{kind} {count:,}" for kind, count in zip(log.kinds, kinds, strict=True) if count),
    )
    notes = tuple(dict.fromkeys((*facts, *notes)))
    return DataReport(source=source, notes=notes, rows=rows, rejected=tuple(rejected), counted="what")


def _fingerprint(catalogue: Catalogue, split: Split) -> str:
    digest = hashlib.sha256()
    for row, item_id in enumerate(catalogue.ids):
        digest.update("\0".join((item_id, *catalogue.text_of(row).values())).encode("utf-8", "surrogatepass"))
    digest.update(catalogue.prices.tobytes() + catalogue.in_stock.tobytes())
    names = np.array(split.log.users)
    digest.update("\0".join(names[np.unique(split.log.user_E)].tolist()).encode("utf-8", "surrogatepass"))
    for column in (split.log.row_E, split.log.time_E, split.log.kind_E, split.log.weight_E, split.part_E):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
