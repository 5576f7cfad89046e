"""Loads a data set of images: finds, decodes, splits and checks; gives examples, a report and facts of training."""

import hashlib
import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.data.image_checks import (
    Checked,
    check_leakage,
    find_exact_duplicates,
    find_near_duplicates,
)
from core.data.image_config import ImageDataConfig
from core.data.image_facts import MetadataFacts, PixelStatistics, metadata_facts, pixel_statistics
from core.data.image_rows import FoundImages, ImageRow
from core.data.image_sources import find_images
from core.data.module import SPLITS, Example, SplitName
from core.data.pixel_cache import PixelCache, Progress, load_pixels
from core.data.publish import default_cache_dir, publish
from core.data.report import MAX_LISTED, DataReport, SizeRange, count_rows
from core.data.split import draw_limited, find_leaked_groups, shares_of_missing, split_by_seed
from core.errors import UsageError, UserError

Sample = Callable[[Path], None]


@dataclass(frozen=True)
class LoadedImages:
    """Images by split, and what was learnt from them.

    Args:
        splits: Examples of each split, sorted by path. An example holds `image` (uint8 (px, px, 3), read-only, mapped
            from disk), `path`, `label` and, where known, `mask` (uint8 (px, px) of 0 and 1), `group`, `age` (years),
            `sex`, `site`.
        labels: Labels of the training split, sorted.
        report: What was found, rejected and suspected.
        fingerprint: SHA-256 over content, labels and splits.
        pixels: Colour, sharpness and brightness of the training split.
        metadata: Ages, sexes, sites and masks of the training split.
    """

    splits: Mapping[SplitName, list[Example]]
    labels: tuple[str, ...]
    report: DataReport
    fingerprint: str
    pixels: PixelStatistics
    metadata: MetadataFacts


@dataclass(frozen=True)
class Usable:
    """An image that was decoded: its row and its place in the cache."""

    row: ImageRow
    index: int


def load_images(
    config: ImageDataConfig, *, seed: int, sample: Sample | None = None, progress: Progress | None = None
) -> LoadedImages:
    """Loads a data set; the second time without decoding.

    Args:
        config: Where the data is and how it is read.
        seed: Draws the splits that the data does not have, and the examples that `config.limit` keeps.
        sample: Writes the sample data set into a folder, for `config.path == "sample"`.
        progress: Called with (done, total) while images are decoded.

    Raises:
        UserError: The data cannot be used; says what was found, what is right and what to do.
    """
    cache_dir = Path(config.cache_dir).expanduser() if config.cache_dir else default_cache_dir()
    path = str(sample_folder(sample, cache_dir)) if config.path == "sample" else config.path
    found = find_images(config, path)
    cache = load_pixels(found.rows, config.image_px, config.max_megapixels, cache_dir, progress)
    usable = [Usable(row, i) for i, row in enumerate(found.rows) if cache.facts[i]["accepted"]]
    found.notes += [f"{_names(paths)}: {note}" for note, paths in cache.noted.items()]
    found.rejected += cache.rejected
    _check_readable(found, usable)
    usable = _limited(_with_splits(usable, cache, config, seed, found.notes), config.limit, seed)
    _check_splits(usable, path)
    report = _report(found, usable, cache, config)
    if not config.allow_leakage:
        check_leakage(report)
    return _loaded(usable, cache, report)


def sample_folder(sample: Sample | None, cache_dir: Path) -> Path:
    """The folder of the sample data set, written at its first use and again when the code that writes it changes."""
    if sample is None:
        raise UsageError(
            "This app has no sample data.", "--data takes a folder, a file or hub:ID.", "Give --data PATH."
        )
    function = sample.func if isinstance(sample, partial) else sample
    arguments = repr((sample.args, sorted(sample.keywords.items()))) if isinstance(sample, partial) else ""
    sources = sorted(Path(inspect.getfile(function)).parent.glob("*.py"))
    code = b"".join(source.read_bytes() for source in sources) + arguments.encode()
    name = f"{getattr(function, '__module__', 'sample')}-{hashlib.sha256(code).hexdigest()[:16]}"
    folder = cache_dir / "samples" / name
    if not folder.is_dir():
        with publish(folder, Path.is_dir) as work:
            sample(work)
    return folder


def _check_readable(found: FoundImages, usable: Sequence[Usable]) -> None:
    lost = sorted({str(row.label) for row in found.rows} - {str(item.row.label) for item in usable})
    if lost:
        first = next((item for item in found.rejected), None)
        reason = f" ({first.path}: {first.sentence})" if first else ""
        raise UserError(
            f"No image of the class {lost[0]} can be read{reason}.",
            "Every class has at least one readable image.",
            "Replace its files, or remove the class.",
        )


def _with_splits(
    usable: Sequence[Usable], cache: PixelCache, config: ImageDataConfig, seed: int, notes: list[str]
) -> list[Usable]:
    """Splits off what the data does not have; images with the same pixels stay together."""
    counts = Counter(item.row.split for item in usable)
    unnamed = counts.pop(None, 0)
    if unnamed and counts:
        usable = [replace(item, row=replace(item.row, split=item.row.split or "train")) for item in usable]
        notes.append(f"{unnamed} images name no split and are taken for training")
    missing = [split for split in SPLITS[1:] if not counts[split]]
    pool = [item for item in usable if item.row.split in (None, "train")]
    if not missing or not pool:
        return list(usable)
    wanted = shares_of_missing(missing, config)
    chosen = split_by_seed(
        [item.row.path for item in pool], [item.row.label for item in pool], _joint_groups(pool, cache), wanted, seed
    )
    notes.append(f"{' and '.join(missing)} split off from the rest, by label and group, with seed {seed}")
    split_of = {item.row.path: split for item, split in zip(pool, chosen, strict=True)}
    return [replace(i, row=replace(i.row, split=split_of.get(i.row.path, i.row.split))) for i in usable]


def _joint_groups(items: Sequence[Usable], cache: PixelCache) -> list[str | None]:
    """Group of each image, where groups that share an image with the same pixels are one."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for item in items:
        pixels = root("p:" + cache.facts[item.index]["pixel_hash"].tobytes().hex())
        other = root(f"g:{item.row.group}" if item.row.group else f"i:{item.row.path}")
        low, high = sorted((pixels, other))
        parent[high] = low
    return [root("p:" + cache.facts[item.index]["pixel_hash"].tobytes().hex()) for item in items]


def _limited(usable: Sequence[Usable], limit: int, seed: int) -> list[Usable]:
    labels = {item.row.label for item in usable}
    if limit and limit < len(labels):
        raise UsageError(
            f"--data.limit {limit} is fewer than the {len(labels)} labels.",
            "Each label needs an example.",
            "Raise it, or 0 for all.",
        )
    kept: list[Usable] = []
    for split in SPLITS:
        part = [item for item in usable if item.row.split == split]
        drawn = draw_limited([item.row.path for item in part], [item.row.label for item in part], limit, seed)
        kept += [part[position] for position in drawn]
    return sorted(kept, key=lambda item: item.row.path)


def _check_splits(usable: Sequence[Usable], path: str) -> None:
    labels = {split: {item.row.label for item in usable if item.row.split == split} for split in SPLITS}
    everywhere = set().union(*labels.values())
    if len(everywhere) < 2:
        raise UserError(
            f"{path} has one class only: {', '.join(map(str, everywhere))}.",
            "Telling classes apart takes at least two.",
            "Give a folder that holds a folder a class, or a table whose label column has two values.",
        )
    for split in SPLITS:
        if not labels[split]:
            raise UserError(
                f"{path} has no image for {split}.",
                "Training, validation and test each need some; what is missing is split off.",
                f"Add images to {split}, or remove the names of the splits so that all are drawn by seed.",
            )
    unseen = sorted(map(str, everywhere - labels["train"]))
    if unseen:
        raise UserError(
            f"The class {unseen[0]} of {path} is not in the training split.",
            "Every class that is tested was trained.",
            "Add training images of it, correct its spelling, or remove it.",
        )


def _report(found: FoundImages, usable: Sequence[Usable], cache: PixelCache, config: ImageDataConfig) -> DataReport:
    index = np.array([item.index for item in usable], dtype=np.int64)
    facts = cache.facts[index]
    splits = [_split(item) for item in usable]
    images = Checked(
        [item.row.path for item in usable],
        splits,
        facts["pixel_hash"],
        facts["dhash"],
        facts["is_plain"],
        cache.pixels,
        index,
    )
    within, across = find_exact_duplicates(images)
    leaked = find_leaked_groups([item.row.group for item in usable], splits)
    rows = count_rows({s: [str(i.row.label) for i in usable if i.row.split == s] for s in SPLITS})
    return DataReport(
        source=found.source,
        notes=tuple(dict.fromkeys(found.notes)),
        rows=rows,
        rejected=tuple(sorted(found.rejected, key=lambda item: (item.path, item.reason))),
        exact_duplicates_within=within,
        exact_duplicates_across=across,
        near_duplicates_across=find_near_duplicates(images, config.near_duplicate_bits),
        leaked_groups=tuple(leaked[:MAX_LISTED]),
        leaked_group_count=len(leaked),
        imbalance_ratio=max(rows["train"].values()) / min(rows["train"].values()),
        width=_range(facts["width"]),
        height=_range(facts["height"]),
        with_mask={
            s: sum(i.row.split == s and facts[n]["mask_slot"] >= 0 for n, i in enumerate(usable)) for s in SPLITS
        },
        missing_shares=_missing_shares([item.row for item in usable]),
    )


def _split(item: Usable) -> SplitName:
    assert item.row.split is not None
    return item.row.split


def _range(sides: "np.typing.NDArray[np.int32]") -> SizeRange:
    return SizeRange(min_px=int(sides.min()), median_px=float(np.median(sides)), max_px=int(sides.max()))


def _missing_shares(rows: Sequence[ImageRow]) -> dict[str, float]:
    missing = {name: sum(getattr(row, name) is None for row in rows) for name in ("group", "age", "sex", "site")}
    return {name: count / len(rows) for name, count in missing.items() if count < len(rows)}


def _loaded(usable: Sequence[Usable], cache: PixelCache, report: DataReport) -> LoadedImages:
    splits: dict[SplitName, list[Example]] = {split: [] for split in SPLITS}
    digest = hashlib.sha256()
    for item in usable:
        splits[_split(item)].append(_example(item, cache))
    for line in sorted(f"{_split(i)}\0{i.row.label}\0{cache.facts[i.index]['sha256'].tobytes().hex()}" for i in usable):
        digest.update(f"{line}\n".encode("utf-8", "surrogatepass"))
    train = [item for item in usable if item.row.split == "train"]
    labels = tuple(sorted({str(item.row.label) for item in train}))
    statistics = pixel_statistics(cache.pixels, [item.index for item in train])
    metadata = metadata_facts([item.row for item in train], [cache.facts[i.index]["mask_slot"] >= 0 for i in train])
    return LoadedImages(splits, labels, report, digest.hexdigest(), statistics, metadata)


def _example(item: Usable, cache: PixelCache) -> Example:
    row = item.row
    example: dict[str, object] = {"image": cache.pixels[item.index], "path": row.path, "label": row.label}
    slot = int(cache.facts[item.index]["mask_slot"])
    if slot >= 0:
        example["mask"] = cache.masks[slot]
    known = {"group": row.group, "age": row.age, "sex": row.sex, "site": row.site}
    return example | {name: value for name, value in known.items() if value is not None}


def _names(paths: Sequence[str]) -> str:
    return f"{paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
