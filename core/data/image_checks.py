"""What is wrong with a data set of images: duplicates, look-alikes and groups in two splits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.data.module import SPLITS, SplitName
from core.data.report import MAX_LISTED, DataReport, DuplicatePair, Duplicates
from core.errors import UserError

CHUNK = 256
PAIRS = 1 << 14
ALIKE_CORRELATION = 0.97

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Checked:
    """What the checks need to know of each image.

    Args:
        paths: Names.
        splits: Split of each.
        hashes: uint8 (N, 16), equal where the pixels are equal.
        dhashes: uint64 (N,) difference hashes.
        is_plain: bool (N,): too plain for the difference hash.
        pixels: uint8 (N, px, px, 3).
        index: Positions of the images in `pixels`.
    """

    paths: Sequence[str]
    splits: Sequence[SplitName]
    hashes: NDArray[np.uint8]
    dhashes: NDArray[np.uint64]
    is_plain: NDArray[np.bool_]
    pixels: NDArray[np.uint8]
    index: NDArray[np.int64]


def find_exact_duplicates(images: Checked) -> tuple[Duplicates, Duplicates]:
    """Pairs with the same pixels: inside one split, and across two."""
    by_hash: dict[bytes, list[int]] = defaultdict(list)
    for position, digest in enumerate(images.hashes):
        by_hash[digest.tobytes()].append(position)
    within: list[tuple[int, int]] = []
    across: list[tuple[int, int]] = []
    counts = [0, 0]
    for members in by_hash.values():
        sizes = [sum(images.splits[m] == split for m in members) for split in SPLITS]
        pairs_within = sum(size * (size - 1) // 2 for size in sizes)
        counts[0] += pairs_within
        counts[1] += len(members) * (len(members) - 1) // 2 - pairs_within
        for pair in combinations(members[:MAX_LISTED], 2) if len(members) > 1 else ():
            (within if images.splits[pair[0]] == images.splits[pair[1]] else across).append(pair)
    return _listed(images, within, counts[0]), _listed(images, across, counts[1])


def find_near_duplicates(images: Checked, max_bits: int) -> Duplicates:
    """Pairs in two splits that look alike but are not equal.

    Candidates are pairs whose difference hashes differ in at most `max_bits` of 64. All dark blobs on a bright field
    have nearly one hash, so a candidate counts only if the images, made 16 x 16, correlate by at least 0.97 (mean
    colours do not count). Plain images are left out.
    """
    first, second, bits = _candidates(images, max_bits)
    different = (images.hashes[first] != images.hashes[second]).any(axis=1)
    first, second, bits = first[different], second[different], bits[different]
    alike = _correlations(images, first, second) >= ALIKE_CORRELATION
    pairs = list(zip(first[alike].tolist(), second[alike].tolist(), strict=True))
    return _listed(images, pairs, len(pairs), bits[alike].tolist())


def check_leakage(report: DataReport) -> None:
    """Raises UserError if the same group or the same content stands in two splits."""
    fix = "Move them into one split, or train all the same with --data.allow-leakage true."
    if report.leaked_group_count:
        names = ", ".join(report.leaked_groups[:3])
        raise UserError(
            f"{report.leaked_group_count} groups stand in more than one split: {names}.",
            "A patient or lesion seen in training makes the test figures too good.",
            fix,
        )
    across = report.exact_duplicates_across
    if across.count:
        pairs = "; ".join(f"{p.first} ({p.first_split}) = {p.second} ({p.second_split})" for p in across.pairs[:3])
        raise UserError(
            f"{across.count} pairs of images with the same content stand in two splits: {pairs}.",
            "An image seen in training makes the test figures too good.",
            fix,
        )


def _candidates(images: Checked, max_bits: int) -> tuple[Positions, Positions, Positions]:
    """Compares every pair across splits: one word of 64 bits a pair, so 100,000 images take seconds."""
    splits = np.array([SPLITS.index(split) for split in images.splits], dtype=np.int8)
    found: list[NDArray[np.int64]] = [np.zeros((0, 3), np.int64)]
    for number in range(1, len(SPLITS)):
        later = np.flatnonzero((splits == number) & ~images.is_plain)
        earlier = np.flatnonzero((splits < number) & ~images.is_plain)
        for start in range(0, len(later), CHUNK):
            rows = later[start : start + CHUNK]
            bits = np.bitwise_count(images.dhashes[rows][:, None] ^ images.dhashes[earlier][None, :])
            row, column = np.nonzero(bits <= max_bits)
            found.append(np.stack([earlier[column], rows[row], bits[row, column]], axis=1))
    first, second, bits = np.concatenate(found).T
    return first, second, bits


def _correlations(images: Checked, first: Positions, second: Positions) -> NDArray[np.float32]:
    members, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    small = (
        np.stack([_thumbnail(images.pixels[images.index[m]]) for m in members]) if len(members) else np.zeros((0, 1))
    )
    values = np.zeros(len(first), np.float32)
    for start in range(0, len(first), PAIRS):
        part = slice(start, start + PAIRS)
        values[part] = (small[places[: len(first)][part]] * small[places[len(first) :][part]]).sum(axis=1)
    return values


def _thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32 (768,) of length 1: 16 x 16 means of blocks, mean colour taken off; a rest is left out."""
    side = pixels.shape[0] // 16
    blocks = pixels[: side * 16, : side * 16].reshape(16, side, 16, side, 3)
    small = blocks.mean(axis=(1, 3), dtype=np.float32)
    small = (small - small.mean(axis=(0, 1))).ravel()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), dtype=np.float32)


def _listed(
    images: Checked, pairs: Sequence[tuple[int, int]], count: int, bits: Sequence[int] | None = None
) -> Duplicates:
    listed = [
        DuplicatePair(
            first=images.paths[first],
            first_split=images.splits[first],
            second=images.paths[second],
            second_split=images.splits[second],
            bits=bits[number] if bits else 0,
        )
        for number, (first, second) in enumerate(pairs[:MAX_LISTED])
    ]
    return Duplicates(count=count, pairs=tuple(listed))
