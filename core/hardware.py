"""What this machine will do, each choice with its reason; the only place that asks what the machine has."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from core.config import HardwareConfig, TrainConfig
from core.errors import UsageError

Precision = Literal["fp32", "bf16", "fp16"]
BF16_CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
BF16_CAPABILITY = (8, 0)
BYTES_PER_GB = 2**30


@dataclass(frozen=True)
class Gpu:
    """One accelerator."""

    name: str
    memory_gb: float
    capability: tuple[int, int]


@dataclass(frozen=True)
class Machine:
    """The facts that a plan is made of."""

    cpu: str = "unknown CPU"
    cores: int = 1
    memory_gb: float = 4.0
    cpu_flags: frozenset[str] = frozenset()
    gpus: tuple[Gpu, ...] = ()
    has_mps: bool = False
    num_processes: int = 1
    rank: int = 0
    local_rank: int = 0
    processes_per_node: int = 1


@dataclass(frozen=True)
class HardwarePlan:
    """The choices; `reasons` says why for each, and `to_measure` names those that a measurement decides."""

    device: str
    precision: Precision
    micro_batch_size: int
    accumulation_steps: int
    num_processes: int
    rank: int
    threads: int
    channels_last: bool
    compile: bool
    memory_gb: float
    """Memory of one process that encoded data may take, in GiB."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    to_measure: tuple[str, ...] = ()

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def with_choice(self, reason: str, **choice: Any) -> "HardwarePlan":
        """The plan with some choices changed for a reason."""
        reasons = {**self.reasons, **dict.fromkeys(choice, reason)}
        left = tuple(name for name in self.to_measure if name not in choice)
        return replace(self, **choice, reasons=reasons, to_measure=left)

    def to_json(self) -> dict[str, Any]:
        names = ("device", "precision", "micro_batch_size", "accumulation_steps", "num_processes", "threads")
        choices = {name: getattr(self, name) for name in (*names, "channels_last", "compile")}
        return {name: {"value": value, "reason": self.reasons.get(name, "")} for name, value in choices.items()}


def detect_machine() -> Machine:
    """Asks the operating system and torch what there is."""
    import torch

    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    properties = [torch.cuda.get_device_properties(index) for index in devices]
    return Machine(
        cpu=_cpu_name(),
        cores=restricted_cores() or os.cpu_count() or 1,
        memory_gb=_memory_gb(),
        cpu_flags=_cpu_flags(),
        gpus=tuple(Gpu(p.name, p.total_memory / BYTES_PER_GB, (p.major, p.minor)) for p in properties),
        has_mps=torch.backends.mps.is_available(),
        num_processes=int(os.environ.get("WORLD_SIZE", "1")),
        rank=current_rank(),
        local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        processes_per_node=int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("WORLD_SIZE", "1"))),
    )


def restricted_cores() -> int:
    """How many cores this process is kept to, by taskset or a container; 0 = it may use all."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    return 0 if allowed == os.cpu_count() else allowed


def current_rank() -> int:
    """Rank of this process as torchrun and accelerate launch state it; 0 when alone."""
    return int(os.environ.get("RANK", "0"))


def is_one_of_several() -> bool:
    """Was this process launched together with others?"""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MiB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if platform.system() == "Darwin" else 2**10)


def plan_hardware(hardware: HardwareConfig, train: TrainConfig, machine: Machine) -> HardwarePlan:
    """Decides everything that depends on the machine; a pure function of its arguments.

    Raises:
        UsageError: A device that is not there, or a batch that cannot be divided among the processes.
    """
    device, device_reason = _plan_device(hardware.device, machine)
    on_gpu = device.startswith("cuda")
    precision, precision_reason, measure_precision = _plan_precision(hardware, device, machine)
    micro, accumulation, micro_reason = _plan_batch(hardware, train, machine)
    layout, layout_reason, measure_layout = _plan_layout(hardware, on_gpu)
    threads, threads_reason = _plan_threads(hardware, machine)
    compiled, compile_reason = _plan_compile(hardware)
    measured = (("precision", measure_precision), ("channels_last", measure_layout))
    return HardwarePlan(
        device=device,
        precision=precision,
        micro_batch_size=micro,
        accumulation_steps=accumulation,
        num_processes=machine.num_processes,
        rank=machine.rank,
        threads=threads,
        channels_last=layout,
        compile=compiled,
        memory_gb=machine.memory_gb / 4 / machine.processes_per_node,
        reasons={
            "device": device_reason,
            "precision": precision_reason,
            "micro_batch_size": micro_reason,
            "accumulation_steps": f"{train.global_batch_size} = {micro} x {accumulation} x {machine.num_processes}",
            "num_processes": _processes_reason(machine),
            "threads": threads_reason,
            "channels_last": layout_reason,
            "compile": compile_reason,
        },
        to_measure=tuple(name for name, open_ in measured if open_ and hardware.measure),
    )


def has_gpu_of(machine: Machine, min_gpu_gb: float) -> bool:
    """Is there a GPU with at least this much memory?"""
    return any(gpu.memory_gb >= min_gpu_gb for gpu in machine.gpus)


def _plan_device(wanted: str, machine: Machine) -> tuple[str, str]:
    if wanted == "auto":
        if machine.gpus:
            index = machine.local_rank % len(machine.gpus)
            return f"cuda:{index}", f"{machine.gpus[index].name}, {machine.gpus[index].memory_gb:.0f} GiB"
        if machine.has_mps:
            return "mps", "Apple GPU found"
        return "cpu", f"no GPU found; {machine.cpu}, {machine.cores} cores"
    kind, _, index_text = wanted.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index_text and not index_text.isdigit()):
        raise UsageError(f"Device `{wanted}`.", "Devices are auto, cpu, cuda, cuda:N and mps.", "Use --device auto.")
    if kind == "cuda" and not int(index_text or machine.local_rank) < len(machine.gpus):
        raise UsageError(
            f"Device `{wanted}` is not there.",
            f"This machine has {len(machine.gpus)} CUDA device(s).",
            "Use --device auto, or install a driver and a CUDA build of torch.",
        )
    if kind == "mps" and not machine.has_mps:
        raise UsageError("Device `mps` is not there.", "It exists on Apple machines only.", "Use --device auto.")
    return (f"cuda:{index_text or machine.local_rank}" if kind == "cuda" else kind), "as configured"


def _plan_precision(hardware: HardwareConfig, device: str, machine: Machine) -> tuple[Precision, str, bool]:
    if hardware.precision != "auto":
        if hardware.precision == "fp16" and device == "cpu":
            raise UsageError(
                "Precision fp16 on a CPU.", "A CPU trains in fp32 or bf16.", "Use --hardware.precision auto."
            )
        return hardware.precision, "as configured", False
    if device.startswith("cuda"):
        gpu = machine.gpus[int(device.partition(":")[2] or 0)]
        if gpu.capability >= BF16_CAPABILITY:
            return "bf16", f"{gpu.name} computes bf16 natively", False
        return "fp16", f"{gpu.name} has no bf16; fp16 with a loss scaler", False
    if device == "cpu" and BF16_CPU_FLAGS & machine.cpu_flags:
        flag = sorted(BF16_CPU_FLAGS & machine.cpu_flags)[0]
        return "fp32", f"the CPU has {flag}, not measured", True
    return "fp32", "no native bf16 here", False


def _plan_batch(hardware: HardwareConfig, train: TrainConfig, machine: Machine) -> tuple[int, int, str]:
    share, rest = divmod(train.global_batch_size, machine.num_processes)
    if rest or share == 0:
        nearest = max(1, round(train.global_batch_size / machine.num_processes)) * machine.num_processes
        raise UsageError(
            f"global_batch_size {train.global_batch_size} over {machine.num_processes} processes.",
            "Each process must get the same whole number of examples.",
            f"Use --train.global_batch_size {nearest}.",
        )
    if hardware.micro_batch_size == "auto":
        return share, 1, "the whole share of a process; halved if it does not fit"
    micro = min(hardware.micro_batch_size, share)
    if micro < 1 or share % micro:
        raise UsageError(
            f"hardware.micro_batch_size {hardware.micro_batch_size} does not divide {share}, the share of a process.",
            f"Divisors: {', '.join(str(n) for n in range(1, share + 1) if share % n == 0)}.",
            "Choose one of these, or auto.",
        )
    return micro, share // micro, "as configured"


def _plan_layout(hardware: HardwareConfig, on_gpu: bool) -> tuple[bool, str, bool]:
    if hardware.channels_last != "auto":
        return hardware.channels_last, "as configured", False
    if on_gpu:
        return True, "tensor cores read images this way", False
    return False, "not measured", True


def _plan_threads(hardware: HardwareConfig, machine: Machine) -> tuple[int, str]:
    if hardware.threads != "auto":
        return hardware.threads, "as configured"
    threads = max(1, machine.cores // machine.processes_per_node)
    return threads, f"{machine.cores} cores for {machine.processes_per_node} process(es) here"


def _plan_compile(hardware: HardwareConfig) -> tuple[bool, str]:
    if hardware.compile != "auto":
        return hardware.compile, "as configured"
    return False, "8 to 20 s to compile a shape, little gain for small nets: turn on for long runs"


def _processes_reason(machine: Machine) -> str:
    if machine.num_processes == 1:
        return "started alone; use torchrun or accelerate launch for more"
    return f"as launched, {machine.processes_per_node} on this node"


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _cpu_flags() -> frozenset[str]:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return frozenset()
    flags = [line.partition(":")[2].split() for line in info.read_text().splitlines() if line.startswith("flags")]
    return frozenset(flags[0]) if flags else frozenset()


def _memory_gb() -> float:
    """Physical memory, or the container's limit where that is smaller."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return total / BYTES_PER_GB
