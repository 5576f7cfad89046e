"""Texts as bags of hashed words, word pairs and parts of words, so that a word never seen before has its place too.

Legend: N texts, U units.
"""

import itertools
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.text_units import fold, is_ideograph, split_words
from core.data.unit_config import UnitConfig

IDS, WEIGHTS = "ids", "weights"
"""Names of the arrays that `hash_units` gives."""
PART_SIZES = (3, 4, 5)
LONGEST_WORD = 40
LETTERS_PER_WORD = 24


def hash_units(texts: Sequence[str], config: UnitConfig) -> dict[str, npt.NDArray[Any]]:
    """Bags of units: `ids` (N, U) int32, 0 = none, and `weights` (N, U) float32, 1 + ln(times it occurs).

    U is as long as the longest text needs, at least 1.
    """
    bags = [_bag(text, config) for text in texts]
    longest = max((len(bag) for bag in bags), default=0)
    ids_NU = np.zeros((len(texts), max(1, longest)), np.int32)
    weights_NU = np.zeros(ids_NU.shape, np.float32)
    for row, bag in enumerate(bags):
        ids_NU[row, : len(bag)] = list(bag)
        weights_NU[row, : len(bag)] = [1 + math.log(count) for count in bag.values()]
    return {IDS: ids_NU, WEIGHTS: weights_NU}


def trim_units(arrays: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The arrays without the columns that no text uses, of the bags named with a prefix; numpy and torch alike."""
    ids = arrays[prefix + IDS]
    used = max(1, int((ids != 0).sum(1).max())) if len(ids) else 1
    return {**arrays, **{prefix + name: arrays[prefix + name][:, :used] for name in (IDS, WEIGHTS)}}


def unit_rarity(ids_NU: npt.NDArray[np.int32], buckets: int) -> npt.NDArray[np.float32]:
    """How rare each unit is among texts, (buckets + 1,): ln(1 + N / (texts that hold it + 1/2))."""
    counts = np.bincount(ids_NU.ravel(), minlength=buckets + 1)
    return np.log1p(len(ids_NU) / (counts + 0.5)).astype(np.float32)


def _bag(text: str, config: UnitConfig) -> Counter[int]:
    """Times that each hashed unit occurs, in the order of first appearance."""
    bag: Counter[int] = Counter()
    for unit in _units(text, config.max_words):
        place = zlib.crc32(unit.encode()) % config.buckets + 1
        if place in bag or len(bag) < config.max_units:
            bag[place] += 1
    return bag


def _units(text: str, max_words: int) -> Iterator[str]:
    # A message of a million letters is not read to its end.
    folded = fold(text[: max_words * LETTERS_PER_WORD])
    words = [folded[start:end][:LONGEST_WORD] for start, end in split_words(folded, max_words)]
    yield from (f"w{word}" for word in words)
    yield from (f"p{first} {second}" for first, second in itertools.pairwise(words))
    for word in words:
        if len(word) > 2 and not is_ideograph(word[0]):
            marked = f"<{word}>"
            for size in PART_SIZES:
                yield from (f"c{marked[at : at + size]}" for at in range(len(marked) - size + 1))
