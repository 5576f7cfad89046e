"""Layers of a config, its errors, its help, and every YAML that is shipped."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import apps
from apps.medical_imaging.app import MedicalImagingConfig
from core.config import SHARED_CONFIGS, Config, describe_fields, dump_config, resolve_config
from core.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
CONFIG_CLASSES = {
    f"{spec.name}.{recipe.name}": recipe.config for spec in apps.available().apps.values() for recipe in spec.recipes
}
PRESETS = sorted((ROOT / "apps").glob("*/configs/*.yaml"))
SHARED = sorted(SHARED_CONFIGS.rglob("*.yaml"))


def write(path: Path, **layer: Any) -> Path:
    path.write_text(yaml.safe_dump(layer))
    return path


def resolve(file: Path | None = None, **overrides: Any) -> MedicalImagingConfig:
    given_keys = {key.replace("__", "."): value for key, value in overrides.items()}
    return resolve_config(MedicalImagingConfig, file, given_keys).config


# ---- layers ------------------------------------------------------------------------------------------


def test_layers_are_read_in_order_and_the_last_wins(tmp_path: Path) -> None:
    write(tmp_path / "first.yaml", train={"epochs": 1, "learning_rate": 0.1, "weight_decay": 0.1, "mixup": 0.1})
    write(tmp_path / "second.yaml", train={"epochs": 2, "learning_rate": 0.2, "weight_decay": 0.2})
    file = write(
        tmp_path / "own.yaml", extends=["first.yaml", "second.yaml"], train={"epochs": 3, "learning_rate": 0.3}
    )
    config = resolve(file, train__epochs=4).train
    assert (config.epochs, config.learning_rate, config.weight_decay, config.mixup) == (4, 0.3, 0.2, 0.1)
    assert config.global_batch_size == Config().train.global_batch_size


def test_extends_may_be_two_levels_deep(tmp_path: Path) -> None:
    write(tmp_path / "grandparent.yaml", seed=1, train={"epochs": 1})
    write(tmp_path / "parent.yaml", extends="grandparent.yaml", train={"epochs": 2})
    config = resolve(write(tmp_path / "own.yaml", extends="parent.yaml"))
    assert (config.seed, config.train.epochs) == (1, 2)


def test_extends_three_levels_deep_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "great.yaml", seed=1)
    write(tmp_path / "grandparent.yaml", extends="great.yaml")
    write(tmp_path / "parent.yaml", extends="grandparent.yaml")
    with pytest.raises(UsageError, match="third level"):
        resolve(write(tmp_path / "own.yaml", extends="parent.yaml"))


def test_extends_of_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="third level"):
        resolve(write(tmp_path / "own.yaml", extends="own.yaml"))


def test_extends_finds_shared_configs_and_prefers_its_own_folder(tmp_path: Path) -> None:
    file = write(tmp_path / "own.yaml", extends="train/finetune.yaml")
    assert resolve(file).train.freeze_backbone_epochs == 1
    (tmp_path / "train").mkdir()
    write(tmp_path / "train" / "finetune.yaml", train={"freeze_backbone_epochs": 7})
    assert resolve(file).train.freeze_backbone_epochs == 7


def test_extends_of_a_missing_file_names_both_places(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(write(tmp_path / "own.yaml", extends="nowhere.yaml"))
    assert str(tmp_path / "nowhere.yaml") in str(caught.value)
    assert str(SHARED_CONFIGS / "nowhere.yaml") in str(caught.value)


def test_sources_say_where_each_value_came_from(tmp_path: Path) -> None:
    write(tmp_path / "parent.yaml", seed=1, train={"epochs": 2, "mixup": 0.1})
    file = write(tmp_path / "own.yaml", extends="parent.yaml", train={"epochs": 3})
    sources = resolve_config(MedicalImagingConfig, file, {"train.mixup": 0.2}).sources
    assert sources == {"seed": "parent.yaml", "train.epochs": "own.yaml", "train.mixup": "--train.mixup"}


# ---- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("train.deterministic", False, False),
        ("train.deterministic", "false", False),
        ("train.epochs", "7", 7),
        ("train.learning-rate", "3e-4", 3e-4),
        ("train.trackers", [], ()),
        ("train.trackers", ["tensorboard", "wandb"], ("tensorboard", "wandb")),
        ("hardware.micro_batch_size", "auto", "auto"),
        ("hardware.micro_batch_size", 4, 4),
        ("hardware.channels-last", True, True),
        ("model.pretrained", "weights.safetensors", "weights.safetensors"),
        ("model.pretrained", True, True),
        ("model.options", {"stem_width": 8}, {"stem_width": 8}),
        ("model.options.stem_width", 8, {"stem_width": 8}),
        ("decision.positive_labels", ["melanoma"], ("melanoma",)),
        ("data.columns.image", "file", "file"),
        ("data.columns.label", 3, "3"),
    ],
)
def test_overrides_of_every_kind_are_understood(key: str, value: object, expected: object) -> None:
    found: Any = resolve_config(MedicalImagingConfig, None, {key: value}).config
    for part in key.replace("-", "_").split(".")[: 2 if "options" in key else None]:
        found = getattr(found, part)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train.epochs", "many", "valid integer"),
        ("train.epochs", 0, "greater than or equal to 1"),
        ("train.mixup", -1, "greater than or equal to 0"),
        ("train.optimizer", "adam", "'adamw' or 'sgd'"),
        ("train.deterministic", "perhaps", "valid boolean"),
        ("train.trackers", "tensorboard", "valid tuple"),
        ("hardware.micro_batch_size", "big", "'auto'"),
        ("hardware.precision", "fp8", "'bf16'"),
        ("decision.coverage", 1.0, "less than 1"),
        ("data.image_px", 8, "greater than or equal to 16"),
        ("model.options", 3, "valid dictionary"),
    ],
)
def test_wrong_values_are_refused_in_words(key: str, value: object, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_config(MedicalImagingConfig, None, {key: value})
    assert caught.value.what == f"`{key}` is {value!r} (from --{key})."
    assert words in caught.value.allowed
    assert f"--{key}" in caught.value.fix


def test_wrong_item_of_a_list_is_named() -> None:
    with pytest.raises(UsageError, match=r"`train.trackers` is 'mlflow' .*\n.*'tensorboard' or 'wandb'"):
        resolve(train__trackers=["tensorboard", "mlflow"])


def test_wrong_value_in_a_file_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`train.epochs` is 'x' \(from own.yaml\)"):
        resolve(write(tmp_path / "own.yaml", train={"epochs": "x"}))


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("train.epoch", "train.epochs"),
        ("train.learningrate", "train.learning_rate"),
        ("learning_rate", "train.learning_rate"),
        ("lerning_rate", "train.learning_rate"),
        ("model.backbonne", "model.backbone"),
        ("hardware.micro-batch", "hardware.micro_batch_size"),
        ("data.column.image", "data.columns.image"),
    ],
)
def test_unknown_keys_name_the_nearest_one(key: str, nearest: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_config(MedicalImagingConfig, None, {key: 1})
    assert "Unknown key" in caught.value.what
    assert nearest in caught.value.allowed


def test_unknown_key_in_a_file_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Unknown key `train.epoch` in .*own.yaml"):
        resolve(write(tmp_path / "own.yaml", train={"epoch": 1}))


@pytest.mark.parametrize("value", [3, "fast", [1], {}, None])
def test_a_section_is_no_setting(value: object) -> None:
    with pytest.raises(UsageError, match="`train` in the command line is a section") as caught:
        resolve_config(MedicalImagingConfig, None, {"train": value})
    assert "train.epochs" in caught.value.allowed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"train: [", "not readable YAML"),
        (b"- 1\n- 2\n", "holds a list"),
        (b"just words", "holds a str"),
        (b"\xff\xfe\x00", "not readable YAML"),
    ],
)
def test_files_that_are_no_config_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "own.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        resolve(tmp_path / "own.yaml")


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("# nothing\n")
    assert resolve(tmp_path / "own.yaml") == MedicalImagingConfig()


def test_options_of_layers_are_merged_and_an_empty_mapping_clears_them(tmp_path: Path) -> None:
    write(tmp_path / "parent.yaml", model={"options": {"stem_width": 16}})
    file = write(tmp_path / "own.yaml", extends="parent.yaml", model={"options": {"depth": 2}})
    assert resolve(file).model.options == {"stem_width": 16, "depth": 2}
    assert resolve(file, model__options={}).model.options == {}
    file = write(tmp_path / "own.yaml", extends="parent.yaml", model={"options": {}})
    assert resolve(file).model.options == {}


def test_config_is_frozen_and_closed() -> None:
    config = MedicalImagingConfig()
    with pytest.raises(ValidationError, match="frozen"):
        config.train.epochs = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        MedicalImagingConfig.model_validate({"trains": {}})


# ---- the record of a run -----------------------------------------------------------------------------


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    epochs=st.integers(1, 1000),
    rate=st.floats(1e-9, 10),
    trackers=st.lists(st.sampled_from(["tensorboard", "wandb"]), max_size=2),
    path=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20),
    micro=st.one_of(st.just("auto"), st.integers(1, 64)),
    options=st.dictionaries(
        st.text("abc", min_size=1), st.one_of(st.integers(), st.booleans(), st.lists(st.integers()))
    ),
)
def test_dumped_config_resolves_to_the_same(tmp_path_factory: pytest.TempPathFactory, **values: Any) -> None:
    names = {
        "train.epochs": "epochs", "train.learning_rate": "rate", "train.trackers": "trackers", "data.path": "path",
        "hardware.micro_batch_size": "micro", "model.options": "options",
    }  # fmt: skip
    config = resolve_config(MedicalImagingConfig, None, {key: values[name] for key, name in names.items()}).config
    file = tmp_path_factory.getbasetemp() / "dumped.yaml"
    file.write_text(dump_config(config), encoding="utf-8")
    assert resolve(file) == config


@pytest.mark.parametrize("config_class", [Config, *CONFIG_CLASSES.values()])
def test_dumped_defaults_resolve_to_the_defaults(tmp_path: Path, config_class: type[Config]) -> None:
    (tmp_path / "dumped.yaml").write_text(dump_config(config_class()))
    assert resolve_config(config_class, tmp_path / "dumped.yaml", {}).config == config_class()


# ---- what is shipped ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONFIG_CLASSES)
def test_every_setting_has_a_help_text_and_every_key_resolves(name: str) -> None:
    config_class = CONFIG_CLASSES[name]
    fields = list(describe_fields(config_class))
    assert len({field.key for field in fields}) == len(fields)
    silent = [field.key for field in fields if not field.help.strip().endswith(".")]
    assert silent == []
    dumped = yaml.safe_load(dump_config(config_class()))
    for field in fields:
        value = dumped
        for part in field.key.split("."):
            value = value[part]
        assert resolve_config(config_class, None, {field.key: value}).config == config_class()


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_every_preset_loads_and_says_what_it_is_for(file: Path) -> None:
    for recipe in apps.load(file.parts[-3]).recipes:
        resolve_config(recipe.config, file, {})
    assert file.read_text().startswith("# ")


@pytest.mark.parametrize("file", SHARED, ids=lambda file: str(file.relative_to(SHARED_CONFIGS)))
def test_every_shared_config_loads_for_every_app(file: Path) -> None:
    for config_class in (Config, *CONFIG_CLASSES.values()):
        resolve_config(config_class, file, {})


def test_every_app_ships_the_three_presets() -> None:
    for name in {file.parts[-3] for file in PRESETS} & set(apps.available().apps):
        assert {"quick", "cpu", "gpu"} <= {file.stem for file in PRESETS if file.parts[-3] == name}


@pytest.mark.parametrize("name", ["quick", "cpu"])
def test_presets_without_a_gpu_need_no_download(name: str) -> None:
    for file in (file for file in PRESETS if file.stem == name):
        for recipe in apps.load(file.parts[-3]).recipes:
            config: Any = resolve_config(recipe.config, file, {}).config
            assert getattr(config.model, "pretrained", False) is False
            assert getattr(config.model, "encoder", "") in ("", "text_cnn")
            assert config.data.path == "sample"
