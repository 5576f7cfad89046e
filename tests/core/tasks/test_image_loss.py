"""The loss adds up over any cut of a batch, and its settings act."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.config import TrainConfig
from core.tasks.image_loss import image_loss, label_loss, mask_loss

from .pictures import make_schema

STEADY = settings(deadline=None, derandomize=True, max_examples=50)
ROWS = 12


def make_case(*, mixed: bool, masks: bool, learnt: bool) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    outputs = {"logits": torch.randn(ROWS, 3, generator=generator, dtype=torch.float32)}
    batch = {"label": torch.arange(ROWS) % 3}
    if mixed:
        batch |= {"other_label": batch["label"].roll(1), "share": torch.rand(ROWS, generator=generator)}
    if masks:
        outputs["mask_logits"] = torch.randn(ROWS, 6, 6, generator=generator)
        batch |= {"mask": (torch.rand(ROWS, 24, 24, generator=generator) > 0.5).float()}
        batch |= {"has_mask": (torch.arange(ROWS) % 3 > 0).float()}
    if learnt:
        outputs["log_variance"] = torch.tensor([0.3, -0.2])
    return outputs, batch


@STEADY
@given(
    cuts=st.lists(st.integers(1, ROWS - 1), max_size=6, unique=True).map(sorted),
    mixed=st.booleans(),
    masks=st.booleans(),
    learnt=st.booleans(),
    weighting=st.sampled_from(["none", "balanced", "sqrt"]),
    smoothing=st.sampled_from([0.0, 0.1]),
)
def test_loss_of_a_batch_is_the_mean_over_any_cut(
    cuts: list[int], mixed: bool, masks: bool, learnt: bool, weighting: str, smoothing: float
) -> None:
    outputs, batch = make_case(mixed=mixed, masks=masks, learnt=learnt)
    schema = make_schema(mask_share=0.6)
    train = TrainConfig.model_validate({"class_weighting": weighting, "label_smoothing": smoothing})
    whole = image_loss(outputs, batch, schema, train)
    total = torch.zeros(())
    for start, end in zip([0, *cuts], [*cuts, ROWS], strict=True):
        cut_outputs = {n: v if n == "log_variance" else v[start:end] for n, v in outputs.items()}
        cut_batch = {name: value[start:end] for name, value in batch.items()}
        total += image_loss(cut_outputs, cut_batch, schema, train) * (end - start) / ROWS
    torch.testing.assert_close(total, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weighting", ["none", "balanced", "sqrt"])
def test_class_weights_average_to_one_over_the_training_examples(weighting: str) -> None:
    schema = make_schema()
    label = torch.repeat_interleave(torch.arange(3), torch.tensor(schema.label_counts))
    train = TrainConfig.model_validate({"class_weighting": weighting})
    loss = label_loss(torch.zeros(len(label), 3), {"label": label}, schema, train)
    weights = loss / torch.log(torch.tensor(3.0))
    torch.testing.assert_close(weights.mean(), torch.tensor(1.0))
    of_label = [weights[label == k][0].item() for k in range(3)]
    expected = {"none": [1, 1, 1], "balanced": [1, 2, 6], "sqrt": [1, 2**0.5, 6**0.5]}[weighting]
    torch.testing.assert_close(torch.tensor(of_label) / of_label[0], torch.tensor(expected, dtype=torch.float32))


def test_label_loss_is_that_of_torch_with_smoothing() -> None:
    outputs, batch = make_case(mixed=False, masks=False, learnt=False)
    for smoothing in (0.0, 0.2):
        found = image_loss(outputs, batch, make_schema(), TrainConfig(label_smoothing=smoothing))
        expected = F.cross_entropy(outputs["logits"], batch["label"], label_smoothing=smoothing)
        torch.testing.assert_close(found, expected)


def test_mask_loss_is_small_for_a_right_mask_and_large_for_a_wrong_one() -> None:
    mask = torch.zeros(3, 8, 8)
    mask[0, 2:6, 2:6] = 1
    mask[1] = 1
    right, wrong = mask_loss((mask - 0.5) * 40, mask), mask_loss((0.5 - mask) * 40, mask)
    assert right.max() < 1e-3
    assert wrong.min() > 10


def test_mask_loss_worked_by_hand() -> None:
    # Logit 0 everywhere: entropy ln 2; probability 1/2, so Dice is (2 * 8 * 0.5 + 1) / (16 * 0.5 + 8 + 1).
    mask = torch.zeros(1, 4, 4)
    mask[:, :2] = 1
    expected = torch.log(torch.tensor(2.0)) + 1 - (2 * 8 * 0.5 + 1) / (16 * 0.5 + 8 + 1)
    torch.testing.assert_close(mask_loss(torch.zeros(1, 4, 4), mask)[0], expected)


def test_examples_without_a_mask_do_not_pull_at_the_mask() -> None:
    outputs, batch = make_case(mixed=False, masks=True, learnt=False)
    outputs["mask_logits"].requires_grad_()
    image_loss(outputs, batch, make_schema(mask_share=0.6), TrainConfig()).backward()
    pulled = outputs["mask_logits"].grad.abs().sum(dim=(1, 2)) > 0  # type: ignore[union-attr]
    assert torch.equal(pulled, batch["has_mask"] > 0)


def test_learnt_weights_worked_by_hand() -> None:
    outputs, batch = make_case(mixed=False, masks=True, learnt=False)
    schema, train = make_schema(mask_share=0.6), TrainConfig()
    label = image_loss({"logits": outputs["logits"]}, batch, schema, train)
    mask = image_loss(outputs, batch, schema, train) - label
    found = image_loss({**outputs, "log_variance": torch.tensor([0.5, -0.5])}, batch, schema, train)
    half = torch.tensor(0.5)
    torch.testing.assert_close(found, torch.exp(-half) * label + 0.5 + torch.exp(half) * mask - 0.5)
