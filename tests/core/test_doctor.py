"""The doctor: what it looks at, what counts as missing, and that each finding says how to mend it."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

import core.doctor
from apps.medical_imaging.app import SPEC
from core.doctor import BASE, OPTIONAL, examine
from core.hardware import Gpu, Machine


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(core.doctor, "detect_machine", lambda: Machine(cpu="a CPU", cores=2, memory_gb=16))


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets packages look as if they were not installed, and all others as if they were."""

    def hide(*names: str) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in names else object())

    return hide


def test_whole_machine_is_told_and_passes(without: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    without()
    assert examine({SPEC.name: SPEC}, {})
    told = capsys.readouterr().out
    assert "a CPU, 2 cores, 16.0 GiB of memory" in told
    assert "no GPU" in told
    assert f"app medical_imaging: {SPEC.title.en}; not trained yet: python -m apps.medical_imaging.train" in told
    assert "missing " not in told


@pytest.mark.parametrize("name", BASE)
def test_missing_package_fails_with_the_command_that_installs_it(
    name: str, without: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    without(name)
    assert not examine({}, {})
    assert f"missing package {name}\n        -> pip install" in capsys.readouterr().out


@pytest.mark.parametrize("name", OPTIONAL)
def test_missing_extra_is_only_noted(
    name: str, without: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    without(name)
    assert examine({}, {})
    told = capsys.readouterr().out
    assert f"note    package {name} is not installed; it is for {OPTIONAL[name][0]}" in told
    assert f".[{OPTIONAL[name][1]}]" in told


def test_broken_app_fails_by_name(without: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    without()
    assert not examine({}, {"recommender": "ImportError: no moon"})
    assert "missing app recommender cannot be loaded: ImportError: no moon" in capsys.readouterr().out


def test_full_disk_fails(
    without: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without()
    usage = type("Usage", (), {"free": 2**30})
    monkeypatch.setattr(core.doctor.shutil, "disk_usage", lambda path: usage)
    assert not examine({}, {})
    assert "missing 1 GiB free" in capsys.readouterr().out


def test_little_memory_is_noted(
    without: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without()
    monkeypatch.setattr(core.doctor, "detect_machine", lambda: Machine(memory_gb=2))
    assert examine({}, {})
    assert "train.global_batch_size" in capsys.readouterr().out


def test_gpu_is_named_and_trained_app_too(
    without: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without()
    card = Gpu("a card", 80, (9, 0))
    monkeypatch.setattr(core.doctor, "detect_machine", lambda: Machine(gpus=(card,)))
    Path("runs/medical_imaging/latest").mkdir(parents=True)
    assert examine({SPEC.name: SPEC}, {})
    told = capsys.readouterr().out
    assert "GPU a card, 80 GiB" in told
    assert "no GPU" not in told
    assert f"{SPEC.title.en}; trained" in told
