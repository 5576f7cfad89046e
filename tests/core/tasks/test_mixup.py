"""Blending neighbours: shares, labels and masks stay consistent."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from .pictures import make_batch, make_draws, make_task

STEADY = settings(deadline=None, derandomize=True, max_examples=25)
BOTH = [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}]


@STEADY
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(BOTH))
def test_the_larger_share_stays_with_the_example(seed: int, kind: dict[str, float]) -> None:
    batch, task = make_batch(), make_task(**kind)
    mixed = task.augment(batch, make_draws(6, task.num_draws, seed), 1.0)
    assert mixed["share"].min() >= 0.5 - 1e-6
    assert mixed["share"].max() <= 1
    assert torch.equal(mixed["label"], batch["label"])
    assert torch.equal(mixed["other_label"], batch["label"].roll(1))


def test_mixed_pixels_are_the_pair_by_its_share() -> None:
    batch, task = make_batch(), make_task(mixup=0.4)
    mixed = task.augment(batch, make_draws(6, task.num_draws), 1.0)
    share = mixed["share"].view(-1, 1, 1, 1)
    own = batch["image"].float()
    torch.testing.assert_close(mixed["image"], share * own + (1 - share) * own.roll(1, 0), atol=0.02, rtol=0)
    assert ((mixed["share"] > 0.5) & (mixed["share"] < 0.99)).any()


def test_cut_pixels_come_from_one_of_the_pair_and_the_share_counts_them() -> None:
    batch, task = make_batch(), make_task(cutmix=1.0)
    mixed = task.augment(batch, make_draws(6, task.num_draws, seed=3), 1.0)
    own, other = batch["image"].float(), batch["image"].float().roll(1, 0)
    is_own = (mixed["image"] - own).abs().amax(3) < 0.1
    is_other = (mixed["image"] - other).abs().amax(3) < 0.1
    assert (is_own | is_other).all()
    torch.testing.assert_close(is_own.float().mean(dim=(1, 2)), mixed["share"], atol=0.02, rtol=0)
    assert mixed["share"].min() < 0.95


def test_a_mask_counts_only_where_both_of_a_blended_pair_have_one() -> None:
    batch, task = make_batch(), make_task(mixup=0.4, mix_probability=1.0)
    batch["has_mask"] = torch.tensor([1.0, 1, 0, 0, 1, 1])
    mixed = task.augment(batch, make_draws(6, task.num_draws), 1.0)
    assert mixed["has_mask"].tolist() == [1, 1, 0, 0, 0, 1]


def test_examples_that_are_not_drawn_stay_as_they_are() -> None:
    batch, task = make_batch(), make_task(mixup=0.4, mix_probability=0.5)
    draws = make_draws(6, task.num_draws)
    draws[:, -1] = torch.tensor([0.1, 0.9, 0.1, 0.9, 0.1, 0.9])
    mixed = task.augment(batch, draws, 1.0)
    kept = torch.tensor([False, True] * 3)
    assert (mixed["share"][kept] == 1).all()
    torch.testing.assert_close(mixed["image"][kept], batch["image"][kept].float(), atol=0.02, rtol=0)
    assert torch.equal(mixed["has_mask"][kept], batch["has_mask"][kept])


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_loss_of_a_mixed_pair_is_that_of_both_labels_by_share(share: float) -> None:
    task = make_task()
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    one, other = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 1, 0, 2])
    mixed = task.loss({"logits": logits}, {"label": one, "other_label": other, "share": torch.full((4,), share)})
    parts = [task.loss({"logits": logits}, {"label": label}) for label in (one, other)]
    torch.testing.assert_close(mixed, share * parts[0] + (1 - share) * parts[1])
