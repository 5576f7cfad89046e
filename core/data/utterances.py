"""Loads a data set of labelled texts: finds, splits and checks; gives examples, a report and its labels."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.data.module import SPLITS, Example, SplitName
from core.data.report import MAX_LISTED, DataReport, DuplicatePair, Duplicates, Rejected, count_rows
from core.data.split import draw_limited, find_leaked_groups, shares_of_missing, split_by_seed
from core.data.text_config import TextDataConfig
from core.data.text_rows import OUT_OF_SCOPE, FoundTexts, TextRow
from core.data.text_sources import find_texts
from core.data.text_units import fold
from core.errors import UsageError, UserError

CORRECTION = "correction"
"""Place of rows that people corrected in use."""
OUTSIDE_TIMES = 4
"""A correction that says that no label fits is shown so often for each other one: it counts less in the loss."""


@dataclass(frozen=True)
class LoadedTexts:
    """Texts by split.

    Args:
        splits: Examples of each split. An example holds `text`, `label` (empty = out of scope), `path` (its place, for
            messages) and, where known, `group` and `answer`.
        labels: Labels of the training split, sorted.
        report: What was found, rejected and suspected.
        fingerprint: SHA-256 over texts, labels and splits.
    """

    splits: Mapping[SplitName, list[Example]]
    labels: tuple[str, ...]
    report: DataReport
    fingerprint: str


def load_texts(
    config: TextDataConfig,
    *,
    seed: int,
    sample: Callable[[], FoundTexts],
    corrections: Sequence[TextRow] | None = None,
    times: int = 1,
) -> LoadedTexts:
    """Loads a data set.

    Args:
        config: Where the data is and how it is read.
        seed: Draws the splits that the data does not have, and the examples that `config.limit` keeps.
        sample: Gives the sample data, for `config.path == "sample"`.
        corrections: Rows that people corrected in use, in place of what was there; None = none are asked for.
        times: How often a training epoch shows each correction, at most.

    Raises:
        UserError: The data cannot be used; says what was found, what is right and what to do.
    """
    found = sample() if config.path == "sample" else find_texts(config, config.path)
    rows = [*found.rows, *(corrections or ())]
    if corrections is not None:
        found.notes.append(f"{len(corrections)} corrections from use are added to training")
    rows = _without_conflicts(rows, found)
    rows = _limited(_with_splits(rows, config, seed, found.notes), config.limit, seed)
    rows = _with_known_labels(rows, found)
    _check(rows, found.source)
    report = _report(found, rows)
    if report.leaked_group_count and not config.allow_leakage:
        raise UserError(
            f"{report.leaked_group_count} groups stand in two splits ({', '.join(report.leaked_groups[:3])}).",
            "Texts of one conversation stay in one split, or figures are too good.",
            "Correct the splits, or go on with --data.allow-leakage.",
        )
    shown = [*rows, *_shown_again(rows, times)]
    return _loaded([*shown, *_repeated(shown, config.out_of_scope_share)], rows, report)


def _shown_again(rows: Sequence[TextRow], times: int) -> list[TextRow]:
    """Corrections again and again, as one text among thousands changes nothing; never more than all other texts."""
    inside = [row for row in rows if row.place == CORRECTION and row.label]
    outside = [row for row in rows if row.place == CORRECTION and not row.label]
    num_once = len(inside) + OUTSIDE_TIMES * len(outside)
    num_others = sum(row.split == "train" and row.place != CORRECTION for row in rows)
    times = max(1, min(times, num_others // max(1, num_once)))
    return [*inside * (times - 1), *outside * (times * OUTSIDE_TIMES - 1 if times > 1 else 0)]


def _repeated(rows: Sequence[TextRow], share: float) -> list[TextRow]:
    """Training texts out of scope again and again, until they make up a share: a few would be forgotten."""
    train = [row for row in rows if row.split == "train"]
    outside = [row for row in train if not row.label]
    wanted = int(share * (len(train) - len(outside)) / (1 - share)) - len(outside)
    return [outside[number % len(outside)] for number in range(max(0, wanted))] if outside else []


def _without_conflicts(rows: Sequence[TextRow], found: FoundTexts) -> list[TextRow]:
    """Training texts with two labels are left out; a later correction from use counts more than what was there."""
    label_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.split in (None, "train"):
            label_of[fold(row.text)].add(str(row.label))
    kept = []
    for row in rows:
        if row.split in (None, "train") and len(label_of[fold(row.text)]) > 1 and row.place != CORRECTION:
            names = ", ".join(sorted(label or OUT_OF_SCOPE for label in label_of[fold(row.text)]))
            sentence = f"`{row.text[:80]}` has several labels: {names}."
            found.rejected.append(Rejected(path=row.place, reason="conflicting_label", sentence=sentence))
        else:
            kept.append(row)
    return kept


def _with_splits(rows: Sequence[TextRow], config: TextDataConfig, seed: int, notes: list[str]) -> list[TextRow]:
    """Splits off what the data does not have; equal texts stay together."""
    counts = Counter(row.split for row in rows)
    unnamed = counts.pop(None, 0)
    if unnamed and counts:
        rows = [replace(row, split=row.split or "train") for row in rows]
        notes.append(f"{unnamed} texts name no split and are taken for training")
    missing = [split for split in SPLITS[1:] if not counts[split]]
    pool = [row for row in rows if row.split in (None, "train") and row.place != CORRECTION]
    if not missing or not pool:
        return [replace(row, split=row.split or "train") for row in rows]
    wanted = shares_of_missing(missing, config)
    chosen = split_by_seed(
        [f"{fold(row.text)}\0{row.label}" for row in pool],
        [row.label for row in pool],
        [row.group for row in pool],
        wanted,
        seed,
    )
    notes.append(f"{' and '.join(missing)} split off from the rest, by label, with seed {seed}")
    split_of = {id(row): split for row, split in zip(pool, chosen, strict=True)}
    return [replace(row, split=split_of.get(id(row), row.split or "train")) for row in rows]


def _limited(rows: Sequence[TextRow], limit: int, seed: int) -> list[TextRow]:
    if not limit:
        return list(rows)
    labels = {row.label for row in rows}
    if limit < len(labels):
        raise UsageError(
            f"--data.limit {limit} is fewer than the {len(labels)} labels.",
            "Each label needs an example.",
            "Raise it, or 0 for all.",
        )
    kept = [row for row in rows if row.place == CORRECTION]
    for split in SPLITS:
        part = [row for row in rows if row.split == split and row.place != CORRECTION]
        ids = [f"{row.text}\0{row.label}" for row in part]
        kept += [part[position] for position in draw_limited(ids, [row.label for row in part], limit, seed)]
    return kept


def _with_known_labels(rows: Sequence[TextRow], found: FoundTexts) -> list[TextRow]:
    """Without texts for validation and testing whose label was not trained."""
    trained = {row.label for row in rows if row.split == "train"} | {""}
    kept = []
    for row in rows:
        if row.label in trained:
            kept.append(row)
        else:
            sentence = f"Label {row.label} of {row.place} has no training text."
            found.rejected.append(Rejected(path=row.place, reason="untrained_label", sentence=sentence))
    return kept


def _check(rows: Sequence[TextRow], source: str) -> None:
    labels = {row.label for row in rows if row.label and row.split == "train"}
    if len(labels) < 2:
        raise UserError(
            f"{source} has one label only: {', '.join(map(str, labels)) or 'none'}.",
            "Telling labels apart takes at least two.",
            "Give a table whose label column has two values, or name it: --data.columns.label NAME.",
        )
    for split in SPLITS:
        if not any(row.label for row in rows if row.split == split):
            raise UserError(
                f"{source} has no labelled text for {split}.",
                "Training, validation and test each need some; what is missing is split off.",
                f"Add texts to {split}, or remove the names of the splits so that all are drawn by seed.",
            )


def _report(found: FoundTexts, rows: Sequence[TextRow]) -> DataReport:
    by_split = {split: [row for row in rows if row.split == split] for split in SPLITS}
    counts = count_rows({split: [row.label or OUT_OF_SCOPE for row in part] for split, part in by_split.items()})
    trained = [count for label, count in counts["train"].items() if count and label != OUT_OF_SCOPE]
    within, across = _duplicates(rows)
    leaked = find_leaked_groups([row.group for row in rows], [_split(row) for row in rows])
    return DataReport(
        source=found.source,
        notes=tuple(dict.fromkeys(found.notes)),
        rows=counts,
        rejected=tuple(sorted(found.rejected, key=lambda item: (item.path, item.reason))),
        exact_duplicates_within=within,
        near_duplicates_across=across,
        leaked_groups=tuple(leaked[:MAX_LISTED]),
        leaked_group_count=len(leaked),
        imbalance_ratio=max(trained) / min(trained),
    )


def _split(row: TextRow) -> SplitName:
    assert row.split is not None
    return row.split


def _duplicates(rows: Sequence[TextRow]) -> tuple[Duplicates, Duplicates]:
    """Pairs of texts that read the same, within a split and across: short ones recur in every real conversation."""
    first_of: dict[str, TextRow] = {}
    pairs: dict[bool, list[DuplicatePair]] = {True: [], False: []}
    for row in rows:
        first = first_of.setdefault(fold(row.text), row)
        if first is not row:
            pair = DuplicatePair(
                first=first.place, first_split=str(first.split), second=row.place, second_split=str(row.split)
            )
            pairs[first.split == row.split].append(pair)
    within, across = (Duplicates(count=len(found), pairs=tuple(found[:MAX_LISTED])) for found in pairs.values())
    return within, across


def _loaded(rows: Sequence[TextRow], found: Sequence[TextRow], report: DataReport) -> LoadedTexts:
    """Examples of all rows; the fingerprint is of those that were found."""
    splits: dict[SplitName, list[Example]] = {split: [] for split in SPLITS}
    digest = hashlib.sha256()
    for row in rows:
        example = {"text": row.text, "label": row.label or "", "path": row.place}
        known = {"group": row.group, "answer": row.answer}
        splits[_split(row)].append(example | {name: value for name, value in known.items() if value})
    for line in sorted(f"{row.split}\0{row.label}\0{row.text}" for row in found):
        digest.update(f"{line}\n".encode("utf-8", "surrogatepass"))
    labels = tuple(sorted({str(row.label) for row in rows if row.label and row.split == "train"}))
    return LoadedTexts(splits, labels, report, digest.hexdigest())
