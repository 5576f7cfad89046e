"""The loss of texts: labels, texts of no label, a teacher's opinion."""

import pytest
import torch
import torch.nn.functional as F

from core.config import TrainConfig
from core.tasks.text_loss import OUT_OF_SCOPE_WEIGHT, text_loss
from core.tasks.text_schema import TextSchema

SCHEMA = TextSchema(labels=("a", "b", "c"), label_counts=(10, 20, 30))
LOGITS = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([0, 1, 2, 0, 1, 2])


def loss_of(logits: torch.Tensor, train: TrainConfig | None = None, **batch: torch.Tensor) -> torch.Tensor:
    return text_loss({"logits": logits}, batch, SCHEMA, train or TrainConfig())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_is_cross_entropy(smoothing: float) -> None:
    expected = F.cross_entropy(LOGITS, LABEL, label_smoothing=smoothing)
    assert torch.allclose(loss_of(LOGITS, TrainConfig(label_smoothing=smoothing), label=LABEL), expected)


def test_it_adds_up_over_micro_batches() -> None:
    label = torch.tensor([0, -1, 2, 0, 1, -1])
    parts = [loss_of(LOGITS[rows], label=label[rows]) for rows in (slice(0, 2), slice(2, 6))]
    assert torch.allclose(loss_of(LOGITS, label=label), parts[0] / 3 + parts[1] * 2 / 3)


def test_out_of_scope_texts_want_every_label_equally_likely() -> None:
    outside = torch.tensor([-1])
    even, sure = torch.zeros(1, 3), torch.tensor([[9.0, 0.0, 0.0]])
    assert loss_of(even, label=outside) < loss_of(sure, label=outside)
    even.requires_grad_()
    loss_of(even, label=outside).backward()  # type: ignore[no-untyped-call]
    assert even.grad is not None
    assert even.grad.abs().max() < 1e-6
    assert loss_of(sure, label=outside) == pytest.approx(6.0 * OUT_OF_SCOPE_WEIGHT, abs=1e-3)


def test_a_teacher_is_followed_and_alone_where_no_label_is_known() -> None:
    soft = torch.tensor([[0.2, 0.5, 0.3]])
    said = soft.log()
    assert loss_of(said, label=torch.tensor([-1]), soft_label=soft) == pytest.approx(-(soft * said).sum().item())
    near = loss_of(said, label=torch.tensor([1]), soft_label=soft)
    assert near < loss_of(said.flip(1) * 3, label=torch.tensor([1]), soft_label=soft)


def test_members_learn_each_by_itself() -> None:
    members = torch.stack([LOGITS, LOGITS.flip(1)], dim=1)
    outputs = {"logits": members.mean(dim=1), "member_logits": members}
    both = text_loss(outputs, {"label": LABEL}, SCHEMA, TrainConfig())
    assert torch.allclose(both, (loss_of(LOGITS, label=LABEL) + loss_of(LOGITS.flip(1), label=LABEL)) / 2)


def test_rare_labels_weigh_more_when_asked() -> None:
    train = TrainConfig(class_weighting="balanced")
    even = torch.zeros(1, 3)
    rare, common = (loss_of(even, train, label=torch.tensor([k])) for k in (0, 2))
    assert rare == pytest.approx(3 * common.item())
