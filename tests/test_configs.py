"""Each YAML file: well formed, says what it is for, extends two levels at most; and which preset a machine gets."""

from pathlib import Path

import pytest
import yaml

import core.hardware
from apps import available
from core.app import AppSpec
from core.cli import choose_config
from core.config import MAX_EXTENDS_DEPTH, SHARED_CONFIGS, describe_fields, resolve_config
from core.errors import UsageError
from core.hardware import Gpu, Machine

ROOT = Path(__file__).resolve().parents[1]

FOLDERS = {spec.configs: spec for spec in available().apps.values() if ROOT in spec.configs.parents}
FILES = [
    *((file, spec) for folder, spec in FOLDERS.items() for file in sorted(folder.glob("*.yaml"))),
    *((file, spec) for file in sorted(SHARED_CONFIGS.rglob("*.yaml")) for spec in FOLDERS.values()),
]
each_file = pytest.mark.parametrize(
    ("file", "spec"), FILES, ids=[f"{spec.name}-{file.relative_to(ROOT)}" for file, spec in FILES]
)


def parents(file: Path) -> list[Path]:
    named = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("extends", [])
    found = []
    for name in [named] if isinstance(named, str) else named:
        places = [file.parent / name, SHARED_CONFIGS / name]
        found.append(next(place for place in places if place.is_file()))
    return found


def depth(file: Path) -> int:
    return max((1 + depth(parent) for parent in parents(file)), default=0)


def test_there_are_configs_to_check() -> None:
    assert {"quick.yaml", "cpu.yaml", "gpu.yaml", "base.yaml"} <= {file.name for file, _ in FILES}


@each_file
def test_config_is_a_mapping_that_resolves(file: Path, spec: AppSpec) -> None:
    assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict)
    resolve_config(spec.recipes[0].config, file, {})


@each_file
def test_config_says_first_what_it_is_for(file: Path, spec: AppSpec) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith(".")
    assert len(first.split()) >= 4


@each_file
def test_config_extends_two_levels_at_most(file: Path, spec: AppSpec) -> None:
    assert depth(file) <= MAX_EXTENDS_DEPTH


@each_file
def test_config_names_no_path_and_no_executable_tag(file: Path, spec: AppSpec) -> None:
    text = file.read_text(encoding="utf-8")
    assert "!!" not in text
    assert not any(word.startswith(("/", "~")) for word in text.split())


@pytest.mark.parametrize("spec", FOLDERS.values(), ids=lambda spec: spec.name)
def test_presets_without_gpu_need_no_download(spec: AppSpec) -> None:
    for name in ("quick", "cpu"):
        config = resolve_config(spec.recipes[0].config, spec.configs / f"{name}.yaml", {}).config
        assert getattr(config.model, "pretrained", False) is False
        assert not config.data.path.startswith("hub:")


@pytest.mark.parametrize("spec", FOLDERS.values(), ids=lambda spec: spec.name)
def test_every_setting_has_a_help_line(spec: AppSpec) -> None:
    for recipe in spec.recipes:
        silent = [field.key for field in describe_fields(recipe.config) if not field.help.strip().endswith(".")]
        assert not silent


# ---- the preset of a machine ---------------------------------------------------------------------


def gpu(memory_gb: float) -> Gpu:
    return Gpu("a card", memory_gb, (8, 0))


@pytest.mark.parametrize(
    ("gpus", "preset", "reason"),
    [
        ((), "cpu", "no GPU with 8 GiB, which the gpu preset needs"),
        ((gpu(4),), "cpu", "no GPU with 8 GiB, which the gpu preset needs"),
        ((gpu(7.99),), "cpu", "no GPU with 8 GiB, which the gpu preset needs"),
        ((gpu(8),), "gpu", "a GPU with at least 8 GiB was found"),
        ((gpu(4), gpu(80)), "gpu", "a GPU with at least 8 GiB was found"),
    ],
    ids=["no GPU", "too small", "a little too small", "just enough", "the second is enough"],
)
def test_preset_follows_the_machine(
    gpus: tuple[Gpu, ...], preset: str, reason: str, medical: AppSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.hardware, "detect_machine", lambda: Machine(gpus=gpus))
    file, why = choose_config(medical, None, None)
    assert (file.stem, why) == (preset, reason)


def test_threshold_is_the_one_that_the_gpu_preset_states(
    medical: AppSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    (tmp_path / "cpu.yaml").write_text("# For a CPU, in a test.\n")
    (tmp_path / "gpu.yaml").write_text("# For a card, in a test.\nhardware: {min_gpu_gb: 40}\n")
    spec = replace(medical, configs=tmp_path)
    for memory_gb, preset in ((39, "cpu"), (40, "gpu")):
        monkeypatch.setattr(core.hardware, "detect_machine", lambda size=memory_gb: Machine(gpus=(gpu(size),)))
        assert choose_config(spec, None, None)[0].stem == preset


def test_preset_or_file_that_is_named_is_taken(medical: AppSpec, tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text("# Mine.\nseed: 3\n")
    assert choose_config(medical, "quick", None)[0] == medical.configs / "quick.yaml"
    assert choose_config(medical, str(own), None)[0] == own


def test_resumed_run_brings_its_config(medical: AppSpec, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 3\n")
    file, why = choose_config(medical, None, str(tmp_path))
    assert (file, why) == (tmp_path / "config.yaml", "the run that is resumed")


def test_unknown_preset_names_the_nearest(medical: AppSpec) -> None:
    with pytest.raises(UsageError, match="--config quick"):
        choose_config(medical, "quik", None)


@pytest.fixture
def medical() -> AppSpec:
    return available().apps["medical_imaging"]
