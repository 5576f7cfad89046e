"""The command line, the same for every app: train, evaluate, export, predict, demo; and the suite's own verbs."""

import argparse
import difflib
import errno
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from core.app import AppSpec, Listing, Recipe
from core.config import FieldHelp, describe_fields, resolve_config
from core.errors import UsageError, UserError
from core.hardware import current_rank

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
DEFAULT_PORT = 7860
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}
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


def app_main(spec: AppSpec, verb: str, argv: Sequence[str]) -> int:
    """Runs one verb of an app and gives the exit code: 0 done, 1 failed, 2 bad usage, 130 interrupted."""
    return _guarded(lambda: _run_verb(spec, verb, argv), debug="--debug" in argv)


def _run_verb(spec: AppSpec, verb: str, argv: Sequence[str]) -> int:
    arguments, overrides = parse_verb(spec, verb, argv)
    return VERB_FUNCTIONS[verb](spec, arguments, overrides)


def parse_verb(spec: AppSpec, verb: str, argv: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The arguments of a verb, and its `--dotted.key value` settings, whose keys are not checked yet.

    Raises:
        UsageError: The command line cannot be understood.
    """
    overrides, rest = split_overrides(argv, list(describe_fields(spec.recipes[0].config)))
    arguments = _parser(spec, verb).parse_args(rest)
    if overrides and verb in ("predict", "demo"):
        raise UsageError(
            f"`{verb}` takes no settings such as --{next(iter(overrides))}.",
            "A finished model is used as it was trained.",
            f"See {spec.command(verb)} --help.",
        )
    return arguments, overrides


# ---- verbs ---------------------------------------------------------------------------------------


def _train(spec: AppSpec, arguments: argparse.Namespace, overrides: dict[str, Any]) -> int:
    if arguments.seed is not None:
        overrides["seed"] = arguments.seed
    if arguments.device is not None:
        overrides["hardware.device"] = arguments.device
    if arguments.data is not None:
        overrides["data.path"] = arguments.data
    file, why = choose_config(spec, arguments.config, arguments.resume)
    if arguments.recipe:
        overrides["recipe"] = arguments.recipe
    recipe = spec.recipe(arguments.recipe)
    resolved = resolve_config(recipe.config, file, overrides)

    from core.hardware import is_one_of_several
    from core.run import leave_process_group, train

    train(
        spec,
        recipe,
        resolved,
        config_name=file.stem,
        config_reason=why,
        output_dir=arguments.output_dir,
        resume=arguments.resume,
        is_dry_run=arguments.dry_run,
    )
    if is_one_of_several():
        leave_process_group()
    return DONE


def _evaluate(spec: AppSpec, arguments: argparse.Namespace, overrides: dict[str, Any]) -> int:
    from core.run_finished import evaluate

    metrics = evaluate(
        spec,
        arguments.run,
        data=arguments.data,
        split=arguments.split,
        output_dir=arguments.output_dir,
        overrides=overrides,
    )
    print(json.dumps(metrics))
    return DONE


def _export(spec: AppSpec, arguments: argparse.Namespace, overrides: dict[str, Any]) -> int:
    from core.run_finished import export

    given = {name: getattr(arguments, name) for name in ("data", "output_dir", "quantize")}
    folder = export(spec, arguments.run, overrides=overrides, **given)
    print(folder)
    return DONE


def _predict(spec: AppSpec, arguments: argparse.Namespace, _: dict[str, Any]) -> int:
    from core.serving.predictor import build_answerer, load_predictor

    answer = build_answerer(load_predictor(arguments.run, spec), spec)
    failed = 0
    for text in arguments.input:
        record: dict[str, Any] = {"input": text}
        try:
            record |= answer(text)
        except UserError as error:
            failed += 1
            record["error"] = str(error)
        print(json.dumps(record, ensure_ascii=False), flush=True)
    if failed:
        print(f"{failed} of {len(arguments.input)} inputs could not be read.", file=sys.stderr)
    return FAILED if failed else DONE


def _demo(spec: AppSpec, arguments: argparse.Namespace, _: dict[str, Any]) -> int:
    run = arguments.run or Path("runs") / spec.name / "latest"
    if arguments.run is None and not run.exists():
        print(f"No finished run of {spec.name} yet: training the quick preset on sample data.", file=sys.stderr)
        code = app_main(spec, "train", ["--config", "quick"])
        if code != DONE:
            return code

    from core.ui.launch import launch_page

    launch_page(spec, run, host=arguments.host, port=arguments.port, store_url=arguments.store)
    return DONE


VERB_FUNCTIONS: Mapping[str, Callable[[AppSpec, argparse.Namespace, dict[str, Any]], int]] = {
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
    "predict": _predict,
    "demo": _demo,
}


def suite_main(listing: Listing, argv: Sequence[str]) -> int:
    """`python -m apps`: lists the apps, or runs the doctor."""
    return _guarded(lambda: _run_suite_verb(listing, argv), debug="--debug" in argv)


def parse_suite(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of `python -m apps`."""
    parser = Parser("python -m apps", description="An AI application suite.", allow_abbrev=False)
    parser.add_argument("verb", nargs="?", choices=["list", "doctor"], default="list", help="default: list")
    parser.add_argument("--debug", action="store_true", help="show a traceback when something fails")
    return parser.parse_args(argv)


def _run_suite_verb(listing: Listing, argv: Sequence[str]) -> int:
    if parse_suite(argv).verb == "doctor":
        from core.doctor import examine

        return DONE if examine(listing.apps, listing.broken) else FAILED
    for name, spec in listing.apps.items():
        print(f"{name}\n    {spec.title.en} / {spec.title.zh}\n    {spec.summary.en}")
        print(f"    {spec.command('train')} --help")
    for name, reason in listing.broken.items():
        print(f"{name}\n    cannot be loaded: {reason}", file=sys.stderr)
    return DONE


# ---- configs and overrides -----------------------------------------------------------------------


def choose_config(spec: AppSpec, asked: str | None, resume: str | None) -> tuple[Path, str]:
    """The config file of a run and why it was chosen.

    Raises:
        UsageError: No preset and no file of that name.
    """
    if asked is None and resume not in (None, "auto") and (Path(str(resume)) / "config.yaml").is_file():
        return Path(str(resume)) / "config.yaml", "the run that is resumed"
    presets = {file.stem: file for file in sorted(spec.configs.glob("*.yaml"))}
    if asked is None:
        return _preset_for_machine(spec, presets)
    if asked in presets:
        return presets[asked], "as asked"
    if Path(asked).is_file():
        return Path(asked), "as asked"
    near = difflib.get_close_matches(asked, presets, n=1, cutoff=0.4)
    raise UsageError(
        f"No preset and no file `{asked}`.",
        f"Presets of {spec.name}: {', '.join(presets)}.",
        f"Use --config {near[0] if near else next(iter(presets))}, or the path of a YAML file.",
    )


def _preset_for_machine(spec: AppSpec, presets: Mapping[str, Path]) -> tuple[Path, str]:
    from core.hardware import detect_machine, has_gpu_of

    needed = resolve_config(spec.recipes[0].config, presets["gpu"], {}).config.hardware.min_gpu_gb
    if has_gpu_of(detect_machine(), needed):
        return presets["gpu"], f"a GPU with at least {needed:g} GiB was found"
    return presets["cpu"], f"no GPU with {needed:g} GiB, which the gpu preset needs"


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


# ---- parsers -------------------------------------------------------------------------------------


def _parser(spec: AppSpec, verb: str) -> argparse.ArgumentParser:
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
        _add_run_argument(parser, spec, is_optional=verb == "demo")
    if verb in ("evaluate", "export"):
        parser.add_argument("--data", metavar="PATH", help="other data than it was trained on: sample, PATH or hub:ID")
        parser.add_argument("--output-dir", type=Path, metavar="DIR", help="default: beside the run")
    if verb == "evaluate":
        parser.add_argument(
            "--split", default="test", choices=["train", "validation", "test", "all"], help="default: test"
        )
    if verb == "export":
        told = "dynamic = also try int8 weights, kept if faster at hardly any loss; default: none"
        parser.add_argument("--quantize", default="none", choices=["none", "dynamic"], help=told)
    if verb == "predict":
        parser.add_argument("input", nargs="+", metavar="INPUT", help="files, or texts for apps that read text")
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


def _add_run_argument(parser: argparse.ArgumentParser, spec: AppSpec, *, is_optional: bool) -> None:
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


# ---- errors --------------------------------------------------------------------------------------


def _guarded(action: Callable[[], int], *, debug: bool) -> int:
    """Runs an action; what the user can mend is told without a traceback."""
    try:
        return action()
    except (UserError, KeyboardInterrupt, BrokenPipeError) as error:
        if debug:
            traceback.print_exc()
        return _tell(error)
    except Exception as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            return _tell(_of_disk(error))
        if not debug:
            print(f"Unexpected error, probably a bug: {type(error).__name__}: {error}", file=sys.stderr)
            print("To see where: the same command with --debug.", file=sys.stderr)
        return FAILED


def _of_disk(error: OSError) -> UserError:
    place = f"{error.filename} cannot be written" if error.filename else "A file cannot be written"
    return UserError(
        f"{place}: {error.strerror}.",
        "A disk with room, which this user may write to.",
        "Make room, or write elsewhere.",
    )


def _tell(error: BaseException) -> int:
    if isinstance(error, UserError) and current_rank() > 0:
        # The first process of several tells it for all.
        return USAGE if isinstance(error, UsageError) else FAILED
    if isinstance(error, UserError):
        print(f"Error: {error.what}", file=sys.stderr)
        for name, text in (("Right would be", error.allowed), ("What to do", error.fix)):
            if text:
                print(f"  {name}: {text}", file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILED
    if isinstance(error, KeyboardInterrupt):
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    # The reader of a pipe went away; keep the interpreter from complaining at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
