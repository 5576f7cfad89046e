"""The record of a run: one frozen, closed, typed config, and how its layers become one."""

import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import UsageError

SHARED_CONFIGS = Path(__file__).resolve().parent.parent / "shared_configs"
MAX_EXTENDS_DEPTH = 2


class Record(BaseModel):
    """A frozen, closed group of settings; the docstring under each field is its help text."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, coerce_numbers_to_str=True, protected_namespaces=()
    )


class TrainConfig(Record):
    """The science of training: the same on every machine."""

    epochs: int = Field(default=20, ge=1)
    """Passes over the training split."""
    max_minutes: float = Field(default=0.0, ge=0)
    """Stop after this many minutes of training and keep the best weights; 0 = no limit."""
    global_batch_size: int = Field(default=64, ge=1)
    """Examples per optimiser step, over all processes."""
    min_micro_batch_size: int = Field(default=8, ge=1)
    """Smallest number of examples in one forward pass (BatchNorm needs several)."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """adamw, or sgd with Nesterov momentum 0.9."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Peak learning rate, reached after warm-up."""
    min_learning_rate_ratio: float = Field(default=0.01, ge=0, le=1)
    """Learning rate at the end of the schedule, as a share of the peak."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Shape of the learning rate after warm-up."""
    warmup_epochs: float = Field(default=1.0, ge=0)
    """Epochs over which the learning rate rises from zero."""
    weight_decay: float = Field(default=0.05, ge=0)
    """Decay of weights; biases and normalisation parameters are exempt."""
    gradient_clip_norm: float = Field(default=1.0, ge=0)
    """Largest norm of the gradient; 0 = no clipping."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Probability mass spread over the other labels."""
    class_weighting: Literal["none", "balanced", "sqrt"] = "none"
    """Weight of a label in the loss: none, inverse frequency, or its square root."""
    balanced_sampling: float = Field(default=0.0, ge=0, le=1)
    """0 = draw examples as they come, 1 = draw every label equally often; values between interpolate."""
    mixup: float = Field(default=0.0, ge=0)
    """Alpha of the Beta distribution that blends pairs of examples (Zhang et al. 2018); 0 = off."""
    cutmix: float = Field(default=0.0, ge=0)
    """Alpha of the Beta distribution of the area kept when a part of another example is pasted in; 0 = off."""
    mix_probability: float = Field(default=0.5, ge=0, le=1)
    """Probability that an example is blended, by mixup or cutmix, evenly where both are on."""
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    """Decay per step of the exponential moving average of weights used for evaluation; 0 = off."""
    freeze_backbone_epochs: int = Field(default=0, ge=0)
    """Epochs during which a backbone stays frozen before it is fine-tuned."""
    backbone_learning_rate_scale: float = Field(default=1.0, gt=0)
    """Learning rate of the backbone as a multiple of the head's."""
    early_stopping_epochs: int = Field(default=0, ge=0)
    """Stop after this many epochs without a better monitored value; 0 = never."""
    monitor: str = "loss"
    """Validation metric that chooses the best weights: loss (lower is better) or a metric (higher is better)."""
    checkpoint_every_steps: int = Field(default=0, ge=0)
    """Optimiser steps between checkpoints inside an epoch; 0 = one at the end of each epoch."""
    deterministic: bool = True
    """Use only deterministic kernels, so that a resumed run equals an uninterrupted one bit for bit."""
    trackers: tuple[Literal["tensorboard", "wandb"], ...] = ("tensorboard",)
    """Where curves go besides metrics.csv; wandb needs the extra `wandb`."""


class HardwareConfig(Record):
    """The plumbing: `auto` lets the hardware plan decide and say why."""

    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format of forward and backward passes."""
    micro_batch_size: int | Literal["auto"] = "auto"
    """Examples in one forward pass of one process."""
    channels_last: bool | Literal["auto"] = "auto"
    """Memory layout of images."""
    compile: bool | Literal["auto"] = "auto"
    """Compile the model with torch.compile."""
    threads: int | Literal["auto"] = "auto"
    """CPU threads of each process."""
    measure: bool = True
    """Let `auto` choices be decided by a short measurement of one training step."""
    min_gpu_gb: float = Field(default=0.0, ge=0)
    """GPU memory, in GiB, below which this preset is not chosen by itself."""


class DecisionConfig(Record):
    """When to answer, when to be unsure, when to refuse; fitted on validation data."""

    coverage: float = Field(default=0.9, gt=0, lt=1)
    """Share of cases in which the prediction set must hold the right label."""
    accepted_share: float = Field(default=0.98, gt=0, le=1)
    """Share of validation examples that the novelty gate must let pass."""
    accuracy_given_up: float | None = Field(default=None, ge=0, lt=1)
    """Share of validation examples, answered rightly, that the novelty gate may cost; none = accepted_share rules."""
    positive_labels: tuple[str, ...] | Literal["auto"] = "auto"
    """Labels that must not be missed; the operating point is chosen for them."""
    sensitivity: float = Field(default=0.9, gt=0, lt=1)
    """Sensitivity for the positive labels that the operating point must reach on validation data."""


class ExportConfig(Record):
    """How the bundle is made."""

    opset: int = Field(default=20, ge=18)
    """ONNX operator set."""
    parity_examples: int = Field(default=64, ge=1)
    """Validation examples on which ONNX must equal PyTorch."""
    parity_tolerance: float = Field(default=1e-3, gt=0)
    """Largest difference allowed between the two, in probability."""
    calibration_examples: int = Field(default=256, ge=1)
    """Training examples that tell the scales of activations in a static int8 graph."""
    quantize_speedup: float = Field(default=1.1, ge=0)
    """How many times as fast an int8 graph must be, one example and a batch alike; 0 = speed does not matter."""
    quantize_accuracy_given_up: float = Field(default=0.003, ge=0, le=1)
    """Share of validation accuracy that an int8 graph may cost, and of the sensitivity of an alarm."""
    quantize_accepted_change: float = Field(default=0.01, ge=0, le=1)
    """Largest change, by an int8 graph, in the share of validation examples that the novelty gate lets pass."""


class DataConfig(Record):
    """Where the data is and how it is split; apps add their own fields."""

    path: str = "sample"
    """`sample`, a folder, a file, or hub:ID."""
    allow_leakage: bool = False
    """Train although the same group or the same content stands in two splits."""
    validation_share: float = Field(default=0.15, gt=0, lt=1)
    """Share split off for validation when the data has no such split."""
    test_share: float = Field(default=0.15, gt=0, lt=1)
    """Share split off for testing when the data has no such split."""
    limit: int = Field(default=0, ge=0)
    """Use at most this many examples a split, for a trial; 0 = all."""


class ModelConfig(Record):
    """What is trained; apps add their own fields."""


class Config(Record):
    """A whole run. An app's config narrows `data` and `model` to its own classes."""

    extends: tuple[str, ...] = Field(default=(), exclude=True)
    """Config files read before this one: beside it, or in shared_configs/."""
    recipe: str = ""
    """Which of the app's recipes; empty = its first."""
    seed: int = Field(default=0, ge=0)
    """Everything random follows from it."""
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    hardware: HardwareConfig = HardwareConfig()
    decision: DecisionConfig = DecisionConfig()
    export: ExportConfig = ExportConfig()


C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Resolved(Generic[C]):
    """A config and, for each dotted key that is not a default, where its value came from."""

    config: C
    sources: dict[str, str]


@dataclass(frozen=True)
class FieldHelp:
    """One setting as `--help` shows it."""

    key: str
    type_name: str
    default: str
    help: str


def resolve_config(config_class: type[C], file: Path | None, overrides: Mapping[str, Any]) -> Resolved[C]:
    """Builds a config: class defaults < files in `extends` < the file < overrides.

    Args:
        config_class: The app's config class.
        file: A YAML file, or None for the class defaults.
        overrides: Dotted key to value, as given on the command line.

    Raises:
        UsageError: An unknown key (with the nearest one that exists) or a value of the wrong type.
    """
    # A group whose default differs from its own class keeps that default where a layer sets only some of its keys.
    values: dict[str, Any] = config_class().model_dump()
    sources: dict[str, str] = {}
    for path, layer in _layers(file):
        _check_keys(config_class, _flatten(layer), str(path))
        _merge(values, layer)
        sources |= dict.fromkeys(_flatten(layer), path.name)
    known = {key.replace("-", "_"): value for key, value in overrides.items()}
    _check_keys(config_class, known, "the command line")
    for key, value in known.items():
        _merge(values, _nest(key, value))
        sources[key] = f"--{key}"
    try:
        return Resolved(config_class.model_validate(values), sources)
    except ValidationError as error:
        raise _readable(error, sources) from None


def dump_config(config: Config) -> str:
    """The whole config as YAML, from which the same run can be started again."""
    # A section without settings would be read back as an unknown key.
    empty = {name for name, field in type(config).model_fields.items() if not _holds_settings(field.annotation)}
    return yaml.safe_dump(config.model_dump(mode="json", exclude=empty), sort_keys=False, allow_unicode=True)


def describe_fields(
    config_class: type[Record], prefix: str = "", defaults: Record | None = None
) -> Iterator[FieldHelp]:
    """Every setting of a config class, dotted, in order, for `--help` and for key checks.

    Args:
        config_class: Of the settings.
        prefix: Of their keys.
        defaults: What they are by default; None = as the class says.
    """
    defaults = defaults or config_class()
    for name, field in config_class.model_fields.items():
        key, default = f"{prefix}{name}", getattr(defaults, name)
        nested = _record_class(field.annotation)
        if nested:
            yield from describe_fields(nested, f"{key}.", default)
        elif not field.exclude:
            yield FieldHelp(key, _type_name(field.annotation), str(default), field.description or "")


def _layers(file: Path | None, depth: int = 0) -> Iterator[tuple[Path, dict[str, Any]]]:
    if file is None:
        return
    layer = _read_yaml(file)
    parents = layer.pop("extends", ())
    for parent in [parents] if isinstance(parents, str) else parents:
        if depth == MAX_EXTENDS_DEPTH:
            raise UsageError(
                f"{file} extends {parent}, which is the third level.",
                "Configs extend at most two levels deep.",
                f"Copy what you need from {parent} into {file}.",
            )
        yield from _layers(_find_parent(file, parent), depth + 1)
    yield file, layer


def _find_parent(file: Path, parent: str) -> Path:
    places = [file.parent / parent, SHARED_CONFIGS / parent]
    for place in places:
        if place.is_file():
            return place
    raise UsageError(
        f"{file} extends {parent}, which does not exist.",
        f"It was looked for at {places[0]} and {places[1]}.",
        "Correct the name in `extends`.",
    )


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        layer = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} is not readable YAML: {error}", "A config is a YAML file in UTF-8.", "Correct the file."
        ) from None
    if layer is None:
        return {}
    if not isinstance(layer, dict):
        raise UsageError(
            f"{file} holds a {type(layer).__name__}.",
            "A config is a mapping of keys to values.",
            "Write `key: value` lines.",
        )
    return layer


def _flatten(layer: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in layer.items():
        if isinstance(value, Mapping) and value:
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _nest(dotted: str, value: Any) -> dict[str, Any]:
    for part in reversed(dotted.split(".")):
        value = {part: value}
    return typing.cast(dict[str, Any], value)


def _merge(target: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Lays a layer over what is there; an empty mapping clears one that was there."""
    for key, value in layer.items():
        if isinstance(value, Mapping) and value and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = dict(value) if isinstance(value, Mapping) else value


def _check_keys(config_class: type[Record], given: Mapping[str, Any], where: str) -> None:
    fields = {field.key: field for field in describe_fields(config_class)}
    free = tuple(f"{key}." for key, field in fields.items() if field.type_name.startswith("mapping"))
    for key in given:
        if key in fields or key.startswith(free) or key == "extends":
            continue
        section = [name for name in fields if name.startswith(f"{key}.")]
        if section:
            raise UsageError(
                f"`{key}` in {where} is a section, not a setting.",
                f"It holds: {', '.join(section)}.",
                "Set one of these.",
            )
        near = difflib.get_close_matches(key, fields, n=3, cutoff=0.5) or _same_last_part(key, fields)
        raise UsageError(
            f"Unknown key `{key}` in {where}.",
            f"Nearest keys: {', '.join(near)}." if near else "No key is like it.",
            "Correct the key, or see all of them with --help.",
        )


def _same_last_part(key: str, fields: Sequence[str] | Mapping[str, Any]) -> list[str]:
    last = {name.rsplit(".", 1)[-1]: name for name in fields}
    return [last[name] for name in difflib.get_close_matches(key.rsplit(".", 1)[-1], last, n=3, cutoff=0.6)]


def _readable(error: ValidationError, sources: Mapping[str, str]) -> UsageError:
    first = error.errors()[0]
    parts = [str(part) for part in first["loc"]]
    key = next(
        (".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in sources), ".".join(parts)
    )
    others = [e["msg"] for e in error.errors() if [str(p) for p in e["loc"]][: key.count(".") + 1] == key.split(".")]
    return UsageError(
        f"`{key}` is {first['input']!r} (from {sources.get(key, 'the defaults')}).",
        f"{'; or '.join(dict.fromkeys(others))}.",
        f"Give another value: --{key} VALUE.",
    )


def _record_class(annotation: Any) -> type[Record] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Record) else None


def _holds_settings(annotation: Any) -> bool:
    """Does a field hold anything: a setting of its own, or a section with some?"""
    nested = _record_class(annotation)
    return nested is None or bool(nested.model_fields)


def _type_name(annotation: Any) -> str:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return "|".join(str(arg) for arg in args)
    if origin in (typing.Union, types.UnionType):
        return "|".join(_type_name(arg) for arg in args)
    if origin in (tuple, list):
        return f"[{_type_name(args[0])}, ...]"
    if origin is dict:
        return "mapping"
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))
