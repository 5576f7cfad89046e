"""Variation of images: nothing when nothing is asked, otherwise what the draws say and no more."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.errors import UsageError
from core.tasks.image import ImageTask

from .pictures import SIDE, make_batch, make_draws, make_schema, make_task

STEADY = settings(deadline=None, derandomize=True, max_examples=30)
EVERYTHING = {
    "flip": True, "rotation_degrees": 180, "zoom": 0.5, "shear": 0.3, "translation": 0.3, "brightness": 0.5,
    "contrast": 0.5, "saturation": 0.9, "hue_degrees": 180, "erase": 1.0,
}  # fmt: skip
EACH = [{name: value} for name, value in EVERYTHING.items()]
COLOURS = ("brightness", "contrast", "saturation", "hue_degrees")


def vary(task: ImageTask, batch: dict[str, Tensor], seed: int = 0, progress: float = 1.0) -> dict[str, Tensor]:
    columns = max(task.num_draws, 22)
    return task.augment(batch, make_draws(len(batch["image"]), columns, seed), progress)


def test_nothing_asked_changes_nothing() -> None:
    task, batch = make_task(), make_batch()
    assert task.num_draws == 0
    varied = vary(task, batch)
    torch.testing.assert_close(varied["image"], batch["image"].float(), atol=0.02, rtol=0)
    assert torch.equal(varied["mask"], batch["mask"].float())


@pytest.mark.parametrize("change", EACH, ids=lambda change: next(iter(change)))
def test_each_range_alone_changes_the_images(change: dict[str, object]) -> None:
    task, batch = make_task(augment=change), make_batch()
    assert task.num_draws
    varied = vary(task, batch)
    assert (varied["image"] - batch["image"].float()).abs().max() > 2
    assert not any(torch.equal(varied["image"][0], varied["image"][row]) for row in range(1, 6))


@pytest.mark.parametrize("change", EACH, ids=lambda change: next(iter(change)))
def test_masks_move_with_geometry_and_not_with_colour(change: dict[str, object]) -> None:
    batch = make_batch()
    varied = vary(make_task(augment=change), batch)
    is_moved = not torch.equal(varied["mask"], batch["mask"].float())
    assert is_moved == (next(iter(change)) not in (*COLOURS, "erase"))


@STEADY
@given(seed=st.integers(0, 10_000))
def test_image_and_mask_move_together(seed: int) -> None:
    batch = make_batch()
    # The picture is its own mask: wherever both are certain they must still agree.
    batch["image"] = (batch["mask"][..., None] * 255).expand(-1, -1, -1, 3).contiguous()
    geometry = {name: value for name, value in EVERYTHING.items() if name not in (*COLOURS, "erase")}
    varied = vary(make_task(augment=geometry), batch, seed)
    share = varied["image"].mean(dim=3) / 255
    certain = (share < 0.05) | (share > 0.95)
    assert certain.float().mean() > 0.3
    assert torch.equal((share > 0.5)[certain], (varied["mask"] > 0.5)[certain])


@STEADY
@given(seed=st.integers(0, 10_000))
def test_values_stay_in_range(seed: int) -> None:
    varied = vary(make_task(augment=EVERYTHING, mixup=0.4, cutmix=1.0), make_batch(), seed)
    assert varied["image"].min() >= 0
    assert varied["image"].max() <= 255
    assert varied["image"].isfinite().all()
    assert varied["image"].shape == (6, SIDE, SIDE, 3)
    assert varied["mask"].min() >= 0
    assert varied["mask"].max() <= 1


@STEADY
@given(seed=st.integers(0, 10_000), first=st.integers(0, 5))
def test_draws_alone_determine_the_result(seed: int, first: int) -> None:
    task, batch = make_task(augment=EVERYTHING), make_batch()
    torch.manual_seed(seed)
    whole = vary(task, batch, seed)
    torch.manual_seed(seed + 1)
    again = vary(task, batch, seed)
    assert torch.equal(whole["image"], again["image"])
    # An example's variation depends on its own draws, not on its place in the batch.
    draws = make_draws(6, 22, seed)
    alone = task.augment({name: value[first:] for name, value in batch.items()}, draws[first:], 1.0)
    torch.testing.assert_close(alone["image"], whole["image"][first:], atol=1e-2, rtol=0)


@STEADY
@given(seed=st.integers(0, 10_000))
def test_hue_and_saturation_keep_grey_grey(seed: int) -> None:
    batch = make_batch()
    batch["image"] = batch["image"][..., :1].expand(-1, -1, -1, 3).contiguous()
    varied = vary(make_task(augment={"hue_degrees": 180, "saturation": 0.9}), batch, seed)
    torch.testing.assert_close(varied["image"], batch["image"].float(), atol=0.05, rtol=0)


def test_a_third_of_a_turn_of_the_hue_exchanges_the_channels() -> None:
    batch = make_batch(1)
    draws = torch.full((1, 22), 0.5)
    # 0.5 is no change; 5/6 of the range of plus or minus 180 degrees is plus 120.
    draws[:, 10] = 0.5 + 120 / 360
    varied = make_task(augment={"hue_degrees": 180}).augment(batch, draws, 1.0)["image"]
    expected = batch["image"].float()[..., [2, 0, 1]]
    torch.testing.assert_close(varied, expected, atol=0.1, rtol=0)


def test_flips_are_exact_and_each_happens_half_the_time() -> None:
    batch, task = make_batch(1), make_task(augment={"flip": True})
    image = batch["image"].float()
    for mirrored_x, mirrored_y in ((False, False), (True, False), (False, True), (True, True)):
        draws = torch.full((1, 22), 0.5)
        draws[:, 5], draws[:, 6] = 0.4 if mirrored_x else 0.6, 0.4 if mirrored_y else 0.6
        dims = [dim for dim, flag in ((2, mirrored_x), (1, mirrored_y)) if flag]
        varied = task.augment(batch, draws, 1.0)["image"]
        torch.testing.assert_close(varied, image.flip(dims), atol=0.02, rtol=0)


def test_erasing_covers_between_a_fiftieth_and_a_fifth_with_the_mean_colour() -> None:
    batch = make_batch(64)
    varied = vary(make_task(augment={"erase": 1.0}), batch)
    changed = (varied["image"] - batch["image"].float()).abs().amax(dim=3) > 0.5
    share = changed.float().mean(dim=(1, 2))
    assert share.max() <= 0.25
    assert share.mean() > 0.03
    colour = batch["image"].float().mean(dim=(1, 2))
    for row in range(64):
        hole = varied["image"][row][changed[row]]
        torch.testing.assert_close(hole, colour[row].expand_as(hole), atol=0.1, rtol=0)
    assert torch.equal(varied["mask"], batch["mask"].float())


def test_early_epochs_train_at_the_early_size() -> None:
    task = make_task(augment={"early_px": 12, "early_share": 0.5})
    for progress, side in ((0.0, 12), (0.49, 12), (0.5, SIDE), (1.0, SIDE)):
        varied = vary(task, make_batch(), progress=progress)
        assert varied["image"].shape[1:3] == varied["mask"].shape[1:] == (side, side)


def test_an_early_size_above_the_full_one_is_refused() -> None:
    with pytest.raises(UsageError, match=r"augment\.early_px is 48, data\.image_px is 24"):
        make_task(augment={"early_px": 48})


def test_metadata_are_hidden_whole_and_as_often_as_asked() -> None:
    schema = make_schema(uses_metadata=True, sexes=("female", "male"), sites=("arm",))
    task = make_task(schema, augment={"drop_metadata": 0.3})
    batch = {**make_batch(2000), "metadata": torch.ones(2000, 5)}
    shown = vary(task, batch)["metadata"]
    rows = shown.mean(dim=1)
    assert set(rows.tolist()) == {0.0, 1.0}
    # Four standard errors of a share of 0.7 among 2000.
    assert abs(rows.mean() - 0.7) < 4 * (0.7 * 0.3 / 2000) ** 0.5
