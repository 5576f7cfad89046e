"""Everything random as a pure function of where training stands, so that a resumed run repeats it exactly.

No generator state is ever saved, because none exists.
"""

import numpy as np
import numpy.typing as npt

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_MASK = 2**64 - 1
BATCHES_A_WINDOW = 20
"""More would waste less on padding and make an epoch's order less random."""


def epoch_order(
    num_examples: int, seed: int, epoch: int, weights: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.int64]:
    """The order in which an epoch visits the examples.

    Args:
        num_examples: Size of the split.
        seed: The run's seed.
        epoch: From 0.
        weights: (num_examples,) chance of each example to be drawn, with replacement; None = a permutation.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    if weights is None:
        return generator.permutation(num_examples)
    return generator.choice(num_examples, size=num_examples, p=weights / weights.sum())


def bucket_by_length(
    order: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> npt.NDArray[np.int64]:
    """The same order with examples of like length moved into the same batch, a window of batches at a time.

    Args:
        order: Of an epoch.
        lengths: Of every example.
        batch_size: Examples of a batch.
        seed: The run's seed.
        epoch: From 0.

    Returns:
        As long as `order`. Batches of a window come in drawn order, so that short ones do not come first.
    """
    window = BATCHES_A_WINDOW * batch_size
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]).jumped())
    parts = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(lengths[part], kind="stable")]
        whole = len(part) // batch_size
        batches = part[: whole * batch_size].reshape(whole, batch_size)[generator.permutation(whole)]
        parts += [batches.ravel(), part[whole * batch_size :]]
    return np.concatenate(parts)


def uniform_draws(seed: int, epoch: int, positions: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.float32]:
    """Independent uniform numbers in [0, 1) for each position of an epoch's order.

    The numbers depend on the position alone, not on how batches are cut or spread over processes.

    Args:
        seed: The run's seed.
        epoch: From 0.
        positions: (B,) places in the epoch's order.
        count: Numbers for each.

    Returns:
        (B, count)

    Source: SplitMix64, Steele, Lea and Flood 2014.
    """
    with np.errstate(over="ignore"):
        key = _mix(_mix(np.array([seed], dtype=np.uint64)) + np.uint64(epoch))
        row_key = _mix(key + positions.astype(np.uint64) * _GOLDEN)
        columns = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
        bits = _mix(row_key[:, None] + columns[None, :])
    return (bits >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def step_seed(seed: int, step: int, rank: int, micro_batch: int = 0) -> int:
    """Seed of torch's generator for one forward pass: what dropout draws follows from it."""
    # The same SplitMix64 in Python's integers: one number a step is not worth an array. A part is added to a mixed
    # key only, so that seed 1 at step 0 is not seed 0 at step 1.
    key = 0
    for part in (seed, step, rank, micro_batch):
        key = (key + part + 1 + int(_GOLDEN)) & _MASK
        key = ((key ^ (key >> 30)) * int(_MIX_1)) & _MASK
        key = ((key ^ (key >> 27)) * int(_MIX_2)) & _MASK
        key ^= key >> 31
    return key >> 1


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = x + _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))
