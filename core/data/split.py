"""Which example belongs to which split: given by name, or drawn by seed, stratified, groups kept together."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence

from core.config import DataConfig
from core.data.module import SPLITS, SplitName
from core.errors import UsageError

SPLIT_NAMES: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development", "validate"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "holdout"), "test"),
}


def as_split(word: str) -> SplitName | None:
    """The split that a word names, or None."""
    return SPLIT_NAMES.get(word.strip().casefold())


def shares_of_missing(missing: Sequence[SplitName], config: DataConfig) -> dict[SplitName, float]:
    """Share of each split when those that the data does not have are split off from training.

    Raises:
        UsageError: Nothing would be left for training.
    """
    shares = {"validation": config.validation_share, "test": config.test_share}
    wanted: dict[SplitName, float] = {split: shares[split] for split in missing}
    wanted = {"train": 1 - sum(wanted.values()), **wanted}
    if wanted["train"] <= 0:
        raise UsageError(
            "Validation and test take the whole data.",
            "Their shares are less than 1 together.",
            "Lower --data.test-share.",
        )
    return wanted


def split_by_seed(
    ids: Sequence[str],
    labels: Sequence[str | None],
    groups: Sequence[str | None],
    shares: Mapping[SplitName, float],
    seed: int,
) -> list[SplitName]:
    """Draws a split for each example.

    The result depends on (ids, labels, groups, shares, seed) only, not on the order of the rows. A group stays in one
    split; an example without group is a group of its own. Each label is divided by the shares, as nearly as its groups
    allow; a label of a mixed group counts as the group's most frequent one. A label with at least as many groups as
    there are splits gets at least one in each; one with fewer goes to training first.

    Args:
        ids: Names that stay the same from run to run; equal ids stay together.
        labels: Labels to stratify by; all None = no strata.
        groups: Patient, conversation, ...; None = unknown.
        shares: Share of each split, summing to 1; a split left out gets nothing.
        seed: Another seed, another split.

    Returns:
        The split of each example, in the order of `ids`.
    """
    keys = [f"g:{group}" if group is not None else f"i:{name}" for name, group in zip(ids, groups, strict=True)]
    members: dict[str, list[str | None]] = defaultdict(list)
    for key, label in zip(keys, labels, strict=True):
        members[key].append(label)
    strata: dict[str | None, dict[str, int]] = defaultdict(dict)
    for key, found in members.items():
        strata[_majority(found)][key] = len(found)
    chosen: dict[str, SplitName] = {}
    for sizes in strata.values():
        chosen |= _divide(sizes, {split: shares[split] for split in SPLITS if shares.get(split)}, seed)
    return [chosen[key] for key in keys]


def find_leaked_groups(groups: Sequence[str | None], splits: Sequence[SplitName]) -> list[str]:
    """Groups that stand in more than one split, sorted."""
    places: dict[str, set[str]] = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        if group is not None:
            places[group].add(split)
    return sorted(group for group, found in places.items() if len(found) > 1)


def draw_limited(ids: Sequence[str], labels: Sequence[str | None], limit: int, seed: int) -> list[int]:
    """Positions of at most `limit` examples, every label by its share and, if the limit allows, at least once.

    The draw depends on the ids, not on the order of the rows. Positions come back in ascending order.
    """
    if limit <= 0 or limit >= len(ids):
        return list(range(len(ids)))
    by_label: dict[str | None, list[int]] = defaultdict(list)
    for position in sorted(range(len(ids)), key=lambda position: _draw(seed, f"l:{ids[position]}")):
        by_label[labels[position]].append(position)
    # The nth of k examples of a label comes at (n + 1/2) / k of the way; the first of each label come before all.
    ranked = sorted(
        (n > 0, (n + 0.5) / len(positions), str(label), position)
        for label, positions in by_label.items()
        for n, position in enumerate(positions)
    )
    return sorted(position for *_, position in ranked[:limit])


def _majority(labels: Sequence[str | None]) -> str | None:
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], str(label)))


def _draw(seed: int, key: Hashable) -> bytes:
    return hashlib.blake2b(f"{seed}\0{key}".encode(), digest_size=16).digest()


def _divide(sizes: Mapping[str, int], shares: Mapping[SplitName, float], seed: int) -> dict[str, SplitName]:
    """Gives each group of one label to the split that lacks most, large groups first, equals in drawn order."""
    order = sorted(sizes, key=lambda key: (-sizes[key], _draw(seed, key)))
    lacking = {split: share * sum(sizes.values()) for split, share in shares.items()}
    chosen: dict[str, SplitName] = {}
    for key in order:
        split = max(lacking, key=lambda split: lacking[split])
        chosen[key] = split
        lacking[split] -= sizes[key]
    _fill_empty(chosen, order, list(shares))
    return chosen


def _fill_empty(chosen: dict[str, SplitName], order: Sequence[str], splits: Sequence[SplitName]) -> None:
    """Moves the smallest group of the fullest split to each empty one; with few groups only training is filled."""
    for split in splits if len(order) >= len(splits) else splits[:1]:
        counts = Counter(chosen.values())
        if not counts[split]:
            fullest = max(splits, key=lambda name: counts[name])
            chosen[next(key for key in reversed(order) if chosen[key] == fullest)] = split
