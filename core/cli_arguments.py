"""What may stand on a command line: the arguments of each verb, and `--dotted.key value` settings."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from core.app import AppSpec, Recipe
from core.config import FieldHelp, describe_fields
from core.errors import UsageError

DEFAULT_PORT = 7860
OVERRIDE = re.compile(r"--([A-Za-z_][\w-]*(?:\.[\w-]+)+)(?:=(.*))?$", re.DOTALL)
VERBS = {
    "train": "Train a model, evaluate it, and write its bundle.",
    "evaluate": "Measure a finished run or a bundle on a split of its data or of other data.",
    "export": "Make a bundle anew from a finished run or a bundle, with its proof.",
    "predict": "Answer for files or texts: JSON lines on standard output.",
    "demo": "Open the page in a browser.",
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors have the three parts that all errors have."""

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", usage, f"See {self.prog} --help.")


def split_overrides(argv: Sequence[str], fields: Sequence[FieldHelp]) -> tuple[dict[str, Any], list[str]]:
    """Takes `--dotted.key value` pairs out of the arguments.

    A value follows the key or an equals sign; a yes-or-no setting may stand alone for yes.
    """
    type_of = {field.key: field.type_name for field in fields}
    overrides: dict[str, Any] = {}
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        match = OVERRIDE.match(word)
        if not match:
            rest.append(word)
            continue
        key, value = match.group(1).replace("-", "_"), match.group(2)
        if value is None:
            is_switch = "bool" in type_of.get(key, "") and not (words and _is_value(words[0], type_of[key]))
            if not is_switch and (not words or OVERRIDE.match(words[0])):
                raise UsageError(
                    f"--{key} has no value.", f"It takes: {type_of.get(key, 'a value')}.", f"Write --{key} VALUE."
                )
            value = "true" if is_switch else words.pop(0)
        overrides[key] = _parsed(key, value, type_of.get(key, ""))
    return overrides, rest


def _is_value(word: str, type_name: str) -> bool:
    """Does this word belong to the yes-or-no setting before it? One that also takes a text takes any word."""
    if "str" in type_name.split("|"):
        return not word.startswith("-")
    return word.lower() in ("true", "false", "yes", "no", "on", "off", "0", "1", "auto")


def _parsed(key: str, text: str, type_name: str) -> Any:
    """Text as the setting reads it: lists and mappings as YAML, everything else as it stands."""
    if type_name.startswith("[") and not text.startswith("["):
        return text if "|" in type_name and text in type_name.split("|") else [part for part in text.split(",") if part]
    if text.startswith(("[", "{")):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            raise UsageError(
                f"--{key} is `{text}`.", "A list is [a, b], a mapping is {key: value}.", "Close its brackets."
            ) from None
    if "bool" in type_name.split("|") and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return None if text in ("null", "~") else text


def build_parser(spec: AppSpec, verb: str) -> argparse.ArgumentParser:
    """What a verb of an app takes, settings aside."""
    parser = Parser(
        spec.command(verb),
        description=f"{VERBS[verb]}\n{spec.title.en}: {spec.summary.en}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if verb == "train":
        _add_train_arguments(parser, spec)
        parser.epilog = _settings_help(spec.recipes[0])
    else:
        add_run_argument(parser, spec, is_optional=verb == "demo")
    if verb in ("evaluate", "export"):
        parser.add_argument("--data", metavar="PATH", help="other data than it was trained on: sample, PATH or hub:ID")
        parser.add_argument("--output-dir", type=Path, metavar="DIR", help="default: beside the run")
    if verb == "evaluate":
        parser.add_argument(
            "--split", default="test", choices=["train", "validation", "test", "all"], help="default: test"
        )
        if any(recipe.compare for recipe in spec.recipes):
            parser.add_argument("--baselines", action="store_true", help="also tune and measure what others would use")
    if verb == "export":
        told = "also try int8, kept if faster at hardly any loss: dynamic for texts, static for images; default: none"
        parser.add_argument("--quantize", default="none", choices=["none", "dynamic", "static"], help=told)
    if verb == "predict":
        _add_predict_arguments(parser, spec)
    if verb == "demo":
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default: this machine only")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"default: {DEFAULT_PORT}")
        parser.add_argument(
            "--store", default=f"runs/{spec.name}/store.sqlite", help="SQLite file or database URL for feedback"
        )
    parser.add_argument("--debug", action="store_true", help="show a traceback when something fails")
    return parser


def _add_train_arguments(parser: argparse.ArgumentParser, spec: AppSpec) -> None:
    presets = "|".join(file.stem for file in sorted(spec.configs.glob("*.yaml")))
    parser.add_argument("--config", metavar=f"{presets}|FILE", help="default: gpu where there is one, else cpu")
    parser.add_argument("--data", metavar="sample|PATH|hub:ID", help="data set; same as --data.path")
    parser.add_argument("--output-dir", type=Path, metavar="DIR", help=f"default: runs/{spec.name}/<time>-<config>")
    parser.add_argument(
        "--resume", metavar="auto|DIR", help="go on with a stopped run; auto starts anew if there is none"
    )
    parser.add_argument("--recipe", default="", choices=["", *(r.name for r in spec.recipes)], help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help="same as --seed in the config")
    parser.add_argument("--device", metavar="auto|cpu|cuda|cuda:N|mps", help="same as --hardware.device")
    parser.add_argument("--dry-run", action="store_true", help="show plan, data and config, and stop before training")


def _add_predict_arguments(parser: argparse.ArgumentParser, spec: AppSpec) -> None:
    if not spec.asks:
        parser.add_argument("input", nargs="+", metavar="INPUT", help="files, or texts for apps that read text")
        return
    told = "one question as NAME=VALUE pairs joined by &; or name them by the options below"
    parser.add_argument("input", nargs="*", metavar="INPUT", help=told)
    for name, text in spec.asks:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=f"ask_{name}", metavar="VALUE", help=text)


def asked_inputs(spec: AppSpec, arguments: argparse.Namespace) -> list[str]:
    """The inputs of `predict`: those that stand there as they are, and one made of the options, if any is given.

    Raises:
        UsageError: There is none.
    """
    given = {name: getattr(arguments, f"ask_{name}") for name, _ in spec.asks}
    asked = "&".join(f"{name}={value}" for name, value in given.items() if value is not None)
    inputs = [*arguments.input, *([asked] if asked else [])]
    if not inputs:
        options = ", ".join(f"--{name.replace('_', '-')}" for name, _ in spec.asks)
        raise UsageError(
            "Nothing is asked.", f"An INPUT, or some of {options}.", f"See {spec.command('predict')} --help."
        )
    return inputs


def add_run_argument(parser: argparse.ArgumentParser, spec: AppSpec, *, is_optional: bool = False) -> None:
    """Which run or bundle a verb works on."""
    help_text = f"folder of a finished run or of a bundle, such as runs/{spec.name}/latest"
    if is_optional:
        parser.add_argument("run", nargs="?", type=Path, metavar="RUN_OR_BUNDLE", help=f"{help_text} (the default)")
    else:
        parser.add_argument("run", type=Path, metavar="RUN_OR_BUNDLE", help=help_text)


def _settings_help(recipe: Recipe) -> str:
    lines = ["settings, each as --KEY VALUE:"]
    for field in describe_fields(recipe.config):
        if field.key not in ("recipe", "seed"):
            lines.append(f"  --{field.key}  {field.type_name}, default {field.default or 'empty'}")
            lines.append(f"        {field.help}")
    return "\n".join(lines)
