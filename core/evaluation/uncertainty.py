"""How sure a measured figure is: bootstrap intervals over examples or over groups of examples.

A resample is a vector of counts: how often each example was drawn. A statistic takes many such vectors at once,
so one thousand resamples cost a few matrix products and no Python loop over examples.

Legend: N examples, R resamples.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Name = TypeVar("Name", bound=Hashable)
"""How a statistic calls its figures: a word, or a tuple such as (label, word)."""
Statistic = Callable[[FloatArray], Mapping[Name, FloatArray]]
"""Counts (N, R) to named values, each (R,); nan where a resample leaves a figure undefined."""

CHUNK_ELEMENTS = 1_000_000
"""Counts held at once: 4 MB in float32, which stays in a processor's cache."""
PERCENTILES = (2.5, 50, 97.5)
Z_95 = 1.959963984540054


class Estimate(NamedTuple):
    """A measured figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        """A figure without uncertainty, or whose uncertainty was not asked for."""
        return cls(float(value), float(value), float(value))

    def to_json(self) -> dict[str, float | None]:
        """JSON-ready; a figure that is not defined gives null, never NaN."""
        return {name: value if math.isfinite(value) else None for name, value in self._asdict().items()}

    def __str__(self) -> str:
        if self.low == self.value == self.high:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(
    statistic: Statistic[Name],
    num_examples: int,
    resamples: int,
    seed: int,
    groups: Sequence[object] | None = None,
) -> dict[Name, Estimate]:
    """Percentile bootstrap: 95 % intervals of everything that `statistic` gives.

    With groups (lesion, patient, conversation) whole groups are drawn, because their examples are not independent;
    an example whose group is None stands for itself. The interval is shifted so that the median resample lies on the
    value: resamples repeat examples, which inflates figures such as ECE until their interval misses them. It is kept
    inside [0, 1] where all resamples are. Resamples in which a figure is undefined are left out of its
    interval, and a figure that is undefined on the data itself is left out of the result. An interval of a share
    that is exactly 0 or 1 has no width here: use `proportion` for such shares.

    Args:
        statistic: See `Statistic`.
        num_examples: N.
        resamples: R; 0 gives low = high = value.
        seed: The same seed gives the same intervals.
        groups: One hashable value an example.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; for groups: Davison and
        Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
    """
    values = {name: float(value[0]) for name, value in statistic(np.ones((num_examples, 1), np.float32)).items()}
    values = {name: value for name, value in values.items() if math.isfinite(value)}
    if resamples == 0 or num_examples == 0:
        return {name: Estimate.exact(value) for name, value in values.items()}
    drawn: dict[Name, list[FloatArray]] = {name: [] for name in values}
    for counts_NR in draw_counts(num_examples, resamples, seed, groups):
        for name, values_R in statistic(counts_NR).items():
            if name in drawn:
                drawn[name].append(values_R)
    return {name: _interval(value, np.concatenate(drawn[name])) for name, value in values.items()}


def bootstrap_mean(
    values_N: npt.ArrayLike, resamples: int, seed: int, groups: Sequence[object] | None = None
) -> Estimate:
    """The mean of one value an example (hits, ranks, IoU) with its bootstrap interval; nan for no examples."""
    array_N = np.asarray(values_N, np.float64)
    if array_N.size == 0:
        return Estimate.exact(math.nan)

    def mean(counts_NR: FloatArray) -> dict[str, FloatArray]:
        return {"mean": weighted_mean(array_N, counts_NR)}

    return bootstrap(mean, array_N.size, resamples, seed, groups)["mean"]


def bootstrap_difference(
    first: Statistic[Name],
    second: Statistic[Name],
    num_examples: int,
    resamples: int,
    seed: int,
    groups: Sequence[object] | None = None,
) -> dict[Name, Estimate]:
    """First minus second on the same resamples (paired), for every figure that both give.

    Two models measured on the same examples differ by more than their separate intervals suggest.
    """

    def difference(counts_NR: FloatArray) -> dict[Name, FloatArray]:
        left, right = first(counts_NR), second(counts_NR)
        return {name: left[name] - right[name] for name in left if name in right}

    return bootstrap(difference, num_examples, resamples, seed, groups)


def weighted_mean(values_N: FloatArray, counts_NR: FloatArray) -> FloatArray:
    """The mean of the drawn examples of each resample, (R,)."""
    return divide(values_N @ counts_NR, counts_NR.sum(axis=0))


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient in float64; nan, without a warning, where the denominator is zero."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    return np.asarray(np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0))


def proportion(hits_N: npt.ArrayLike, groups: Sequence[object] | None = None) -> Estimate:
    """A share with its Wilson interval, honest near 0 and 1 where a bootstrap shows no width; nan for no examples.

    With groups the interval is as wide as if only one example of each group had been seen: cautious, and right
    where the examples of a group agree.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.
    """
    hit_N = np.asarray(hits_N, np.float64)
    if hit_N.size == 0:
        return Estimate.exact(math.nan)
    share, n = float(hit_N.mean()), int(_group_codes(groups, hit_N.size).max()) + 1
    centre = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    half = Z_95 / (1 + Z_95**2 / n) * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def draw_counts(
    num_examples: int, resamples: int, seed: int, groups: Sequence[object] | None = None
) -> Iterator[npt.NDArray[np.float32]]:
    """Counts of each example in each resample, (N, r) at a time; float32 holds whole numbers up to 16 million."""
    assert groups is None or len(groups) == num_examples, "one group an example"
    codes_N = _group_codes(groups, num_examples)
    num_groups = int(codes_N.max()) + 1
    random = np.random.default_rng(seed)
    chunk = max(1, CHUNK_ELEMENTS // num_examples)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        drawn_RG = random.integers(num_groups, size=(size, num_groups))
        flat = np.bincount((drawn_RG * size + np.arange(size)[:, None]).ravel(), minlength=num_groups * size)
        counts_GR = flat.reshape(num_groups, size).astype(np.float32)
        yield counts_GR if groups is None else counts_GR[codes_N]


def _group_codes(groups: Sequence[object] | None, num_examples: int) -> npt.NDArray[np.int64]:
    if groups is None:
        return np.arange(num_examples)
    seen: dict[object, int] = {}
    keys = (("alone", index) if group is None else ("group", group) for index, group in enumerate(groups))
    return np.array([seen.setdefault(key, len(seen)) for key in keys], np.int64)


def _interval(value: float, resampled_R: FloatArray) -> Estimate:
    """Percentiles of the resamples, shifted by their bias; see `bootstrap`."""
    defined = resampled_R[np.isfinite(resampled_R)]
    if defined.size == 0:
        return Estimate.exact(value)
    low, middle, high = np.percentile(defined, PERCENTILES) - value
    bias = float(middle)
    floor, ceiling = min(0.0, value, float(defined.min())), max(1.0, value, float(defined.max()))
    return Estimate(value, max(floor, value + float(low) - bias), min(ceiling, value + float(high) - bias))
