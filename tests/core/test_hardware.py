"""What the plan decides for machines that are described, not owned."""

from pathlib import Path

import pytest

import apps
from core.config import HardwareConfig, TrainConfig, resolve_config
from core.errors import UsageError
from core.hardware import Gpu, HardwarePlan, Machine, detect_machine, has_gpu_of, plan_hardware

ROOT = Path(__file__).resolve().parents[2]
A100 = Gpu("NVIDIA A100", 80.0, (8, 0))
V100 = Gpu("NVIDIA V100", 16.0, (7, 0))
MACHINES = {
    "laptop": Machine(cpu="Laptop CPU", cores=8, memory_gb=16),
    "laptop_bf16": Machine(cpu="New CPU", cores=8, memory_gb=16, cpu_flags=frozenset({"avx512_bf16", "avx2"})),
    "old_gpu": Machine(cores=8, memory_gb=32, gpus=(V100,)),
    "a100": Machine(cores=32, memory_gb=256, gpus=(A100,)),
    "four_gpus": Machine(
        cores=64, memory_gb=512, gpus=(A100,) * 4, num_processes=4, rank=2, local_rank=2, processes_per_node=4
    ),
    "apple": Machine(cpu="Apple M3", cores=10, memory_gb=36, has_mps=True),
}
EXPECTED = {
    "laptop": ("cpu", "fp32", False, ("channels_last",), 8),
    "laptop_bf16": ("cpu", "fp32", False, ("precision", "channels_last"), 8),
    "old_gpu": ("cuda:0", "fp16", True, (), 8),
    "a100": ("cuda:0", "bf16", True, (), 32),
    "four_gpus": ("cuda:2", "bf16", True, (), 16),
    "apple": ("mps", "fp32", False, ("channels_last",), 10),
}
PRESETS = sorted((ROOT / "apps").glob("*/configs/*.yaml"))


def plan(machine: Machine, batch: int = 64, **hardware: object) -> HardwarePlan:
    return plan_hardware(HardwareConfig.model_validate(hardware), TrainConfig(global_batch_size=batch), machine)


@pytest.mark.parametrize("name", MACHINES)
def test_plan_of_each_machine_is_as_expected(name: str) -> None:
    found = plan(MACHINES[name])
    assert (found.device, found.precision, found.channels_last, found.to_measure, found.threads) == EXPECTED[name]
    assert not found.compile


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("file", PRESETS, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_every_preset_is_planned_on_every_machine_with_reasons(file: Path, name: str) -> None:
    machine = MACHINES[name]
    for recipe in apps.load(file.parts[-3]).recipes:
        config = resolve_config(recipe.config, file, {}).config
        found = plan_hardware(config.hardware, config.train, machine)
        assert found == plan_hardware(config.hardware, config.train, machine)
        together = found.micro_batch_size * found.accumulation_steps * found.num_processes
        assert together == config.train.global_batch_size
        listed = found.to_json()
        assert set(listed) == set(found.reasons)
        # A sentence with words in it; sums such as `64 = 16 x 1 x 4` are spelled out too.
        assert all(len(choice["reason"].split()) >= 2 for choice in listed.values()), listed


def test_plan_asks_the_machine_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: plan(machine) for name, machine in MACHINES.items()}
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setattr("os.sched_getaffinity", None)
    monkeypatch.setattr("torch.cuda.is_available", None)
    assert {name: plan(machine) for name, machine in MACHINES.items()} == before


@pytest.mark.parametrize(
    ("machine", "hardware", "words"),
    [
        ("laptop", {"precision": "fp16"}, "fp16 on a CPU"),
        ("a100", {"precision": "fp16", "device": "cpu"}, "fp16 on a CPU"),
        ("laptop", {"device": "cuda"}, "`cuda` is not there"),
        ("a100", {"device": "cuda:1"}, "`cuda:1` is not there"),
        ("laptop", {"device": "mps"}, "`mps` is not there"),
        ("laptop", {"device": "tpu"}, "Device `tpu`"),
        ("a100", {"device": "cuda:x"}, "Device `cuda:x`"),
        ("laptop", {"micro_batch_size": 7}, "does not divide 64"),
        ("four_gpus", {"micro_batch_size": 5}, "does not divide 16"),
        ("laptop", {"micro_batch_size": 0}, "does not divide 64"),
    ],
)
def test_impossible_wishes_are_refused(machine: str, hardware: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        plan(MACHINES[machine], **hardware)
    assert caught.value.allowed
    assert caught.value.fix


@pytest.mark.parametrize(("batch", "proposal"), [(63, 64), (66, 64), (2, 4), (1, 4), (7, 8)])
def test_batch_that_processes_cannot_share_is_refused_with_one_that_they_can(batch: int, proposal: int) -> None:
    with pytest.raises(UsageError, match=f"global_batch_size {batch} over 4 processes") as caught:
        plan(MACHINES["four_gpus"], batch)
    assert caught.value.fix == f"Use --train.global_batch_size {proposal}."
    plan(MACHINES["four_gpus"], proposal)


@pytest.mark.parametrize(
    ("machine", "micro", "expected"),
    [("laptop", "auto", (64, 1)), ("laptop", 16, (16, 4)), ("laptop", 100, (64, 1)), ("four_gpus", 4, (4, 4))],
)
def test_micro_batch_and_accumulation_make_the_global_batch(
    machine: str, micro: int | str, expected: tuple[int, int]
) -> None:
    found = plan(MACHINES[machine], micro_batch_size=micro)
    assert (found.micro_batch_size, found.accumulation_steps) == expected


def test_configured_choices_are_kept_and_not_measured() -> None:
    found = plan(MACHINES["laptop_bf16"], precision="bf16", channels_last=True, compile=True, threads=3, device="cpu")
    assert (found.precision, found.channels_last, found.compile, found.threads) == ("bf16", True, True, 3)
    assert found.to_measure == ()
    for name in ("device", "precision", "channels_last", "compile", "threads"):
        assert found.reasons[name] == "as configured"


def test_nothing_is_measured_where_measuring_is_off() -> None:
    assert plan(MACHINES["laptop_bf16"], measure=False).to_measure == ()


def test_a_choice_made_later_brings_its_reason_and_is_no_longer_open() -> None:
    before = plan(MACHINES["laptop_bf16"])
    after = before.with_choice("measured", precision="bf16")
    assert after.precision == "bf16"
    assert after.reasons["precision"] == "measured"
    assert after.to_measure == ("channels_last",)
    assert before.precision == "fp32"


def test_processes_of_a_node_share_cores_and_memory() -> None:
    alone, shared = plan(MACHINES["a100"]), plan(MACHINES["four_gpus"])
    assert alone.memory_gb == 256 / 4
    assert shared.memory_gb == 512 / 4 / 4
    assert not shared.is_main
    assert alone.is_main


def test_gpu_memory_decides_which_preset_fits() -> None:
    assert has_gpu_of(MACHINES["old_gpu"], 16)
    assert not has_gpu_of(MACHINES["old_gpu"], 17)
    assert not has_gpu_of(MACHINES["laptop"], 0)


def test_this_machine_is_detected_and_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("LOCAL_RANK", "1")
    machine = detect_machine()
    assert (machine.num_processes, machine.rank, machine.local_rank, machine.processes_per_node) == (2, 1, 1, 2)
    assert machine.cores >= 1
    assert machine.memory_gb > 0
    assert machine.cpu
    assert plan(machine).num_processes == 2
