"""Which examples a step sees: a pure function of where training stands."""

import numpy as np
import pytest
import torch
from faults.train_worker import make_arrays, make_task
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tasks.augment_config import AugmentConfig
from core.training.batches import Batch, TrainBatches, sampling_weights, split_batch, take

from .small_run import make_config

STEADY = settings(deadline=None, derandomize=True, max_examples=20)
ARRAYS = {**make_arrays(50, 0), "row": np.arange(50)}
CPU = torch.device("cpu")


def batches(
    *, size: int = 12, rank: int = 0, processes: int = 1, balance: float = 0.0, rows: int = 50, augment: bool = False
) -> TrainBatches:
    still = AugmentConfig(
        flip=False, rotation_degrees=0, zoom=0, translation=0, brightness=0, contrast=0, saturation=0, hue_degrees=0
    )
    return TrainBatches(
        {name: array[:rows] for name, array in ARRAYS.items()},
        make_task(make_config(), AugmentConfig() if augment else still),
        global_batch_size=size,
        seed=3,
        rank=rank,
        num_processes=processes,
        device=CPU,
        balance=balance,
        epochs=4,
    )


def rows_of(made: TrainBatches, epoch: int, first_step: int = 0, micro: int = 12) -> list[list[int]]:
    return [
        [int(row) for batch in step for row in batch["row"]] for step in made.epoch(epoch, first_step, lambda: micro)
    ]


def test_an_epoch_visits_each_example_at_most_once_in_another_order_each_time() -> None:
    made = batches()
    epochs = [rows_of(made, epoch) for epoch in range(3)]
    for steps in epochs:
        flat = [row for step in steps for row in step]
        assert [len(step) for step in steps] == [12] * 4
        assert len(set(flat)) == 48
    assert epochs[0] != epochs[1] != epochs[2]
    # What is left over is another part each time.
    assert len({row for steps in epochs for step in steps for row in step}) == 50


def test_an_epoch_begun_in_the_middle_goes_on_as_the_whole_one_does() -> None:
    whole = rows_of(batches(), 1)
    for first in range(5):
        assert rows_of(batches(), 1, first_step=first) == whole[first:]


@STEADY
@given(processes=st.sampled_from([1, 2, 3, 4, 6]), micro=st.integers(1, 12), epoch=st.integers(0, 20))
def test_processes_and_micro_batches_cut_the_same_varied_examples(processes: int, micro: int, epoch: int) -> None:
    whole = next(iter(batches(augment=True).epoch(epoch, 2, lambda: 12)))[0]
    parts: list[Batch] = []
    for rank in range(processes):
        made = batches(rank=rank, processes=processes, augment=True)
        parts += next(iter(made.epoch(epoch, 2, lambda: micro)))
    assert all(len(part["row"]) <= micro for part in parts)
    assert torch.equal(torch.cat([part["row"] for part in parts]), whole["row"])
    torch.testing.assert_close(torch.cat([part["image"] for part in parts]), whole["image"], atol=1e-2, rtol=0)


def test_micro_batch_size_is_asked_anew_at_each_step() -> None:
    sizes = iter([12, 6, 4, 3])
    counts = [len(step) for step in batches().epoch(0, 0, lambda: next(sizes))]
    assert counts == [1, 2, 3, 4]


@pytest.mark.parametrize(("rows", "size", "processes", "expected"), [(10, 64, 1, 10), (11, 64, 2, 10), (12, 12, 2, 12)])
def test_split_smaller_than_a_batch_is_one_batch_that_processes_can_share(
    rows: int, size: int, processes: int, expected: int
) -> None:
    made = batches(rows=rows, size=size, processes=processes)
    assert (made.batch_size, made.steps_per_epoch, made.share) == (expected, 1, expected // processes)


@pytest.mark.parametrize(("balance", "share"), [(0.0, None), (1.0, 0.5), (0.5, 0.75)])
def test_balanced_sampling_interpolates_between_frequencies(balance: float, share: float | None) -> None:
    strata = np.repeat([0, 1], [90, 10])
    weights = sampling_weights(strata, balance)
    if share is None:
        assert weights is None
    else:
        # By hand: 90^(1 - b) / (90^(1 - b) + 10^(1 - b)); 1/2 for b = 1 and 3/4 for b = 1/2.
        assert weights is not None
        assert weights[strata == 0].sum() / weights.sum() == pytest.approx(share)


def test_tasks_without_classes_are_not_balanced() -> None:
    assert sampling_weights(None, 1.0) is None


def test_balanced_epochs_draw_rare_labels_more_often() -> None:
    made = batches(balance=1.0)
    made.arrays["label"][:] = 0
    rare = np.arange(50) < 5
    made.weights = sampling_weights(rare.astype(np.int64), 1.0)
    drawn = [row for epoch in range(20) for step in rows_of(made, epoch) for row in step]
    # Half of 960 draws, within four standard errors.
    assert abs(np.mean([rare[row] for row in drawn]) - 0.5) < 4 * 0.5 / np.sqrt(len(drawn))


def test_taken_and_split_rows_are_those_asked_for() -> None:
    batch = take(ARRAYS, np.array([5, 3, 9]), CPU)
    assert batch["row"].tolist() == [5, 3, 9]
    assert [part["row"].tolist() for part in split_batch(batch, 2)] == [[5, 3], [9]]
