"""Choices that a measurement makes."""

import pytest
import torch
from faults.train_worker import make_arrays, make_model, make_task

from core.config import HardwareConfig
from core.hardware import HardwarePlan, Machine, plan_hardware
from core.training.measure import measure_plan

from .small_run import make_config

BF16 = frozenset({"avx512_bf16"})


def make_plan(*, processes: int = 1, flags: frozenset[str] = frozenset(), **hardware: object) -> HardwarePlan:
    machine = Machine(cpu_flags=flags, num_processes=processes, processes_per_node=processes)
    return plan_hardware(HardwareConfig.model_validate({"device": "cpu", **hardware}), make_config(), machine)


def measure(plan: HardwarePlan) -> tuple[HardwarePlan, torch.nn.Module]:
    model = make_model(plain=True)
    return measure_plan(model, make_task(make_config(), has_masks=False), make_arrays(16, 0), plan), model


@pytest.mark.parametrize(("flags", "count"), [(frozenset(), 2), (BF16, 4)])
def test_every_combination_is_timed_and_the_times_are_the_reason(flags: frozenset[str], count: int) -> None:
    plan, model = measure(make_plan(flags=flags))
    assert plan.to_measure == ()
    reason = plan.reasons["channels_last"]
    assert reason.startswith("measured a step: fp32 plain " if flags else "measured a step: plain ")
    assert reason.count(" ms") == count
    # Only a copy was trained.
    fresh = make_model(plain=True)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), fresh.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_nothing_open_changes_nothing() -> None:
    plan = make_plan(measure=False)
    assert measure(plan)[0] is plan


def test_several_processes_do_not_measure_so_that_they_agree() -> None:
    before = make_plan(processes=2, flags=BF16)
    plan, _ = measure(before)
    assert (plan.precision, plan.channels_last, plan.to_measure) == ("fp32", False, ())
    assert plan.reasons["precision"] == "plain, so that all processes agree"
