"""The command line, the same for every app: train, evaluate, export, predict, demo; and the suite's own verbs."""

import argparse
import difflib
import errno
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.app import AppSpec, Listing
from core.cli_arguments import DEFAULT_PORT, Parser, asked_inputs, build_parser, split_overrides
from core.config import describe_fields, resolve_config
from core.errors import UsageError, UserError
from core.hardware import current_rank

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
FIRST_TELLS_WITHIN_S = 5
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}


def app_main(spec: AppSpec, verb: str, argv: Sequence[str]) -> int:
    """Runs one verb of an app and gives the exit code: 0 done, 1 failed, 2 bad usage, 130 interrupted."""
    return guarded(lambda: _run_verb(spec, verb, argv), debug="--debug" in argv)


def _run_verb(spec: AppSpec, verb: str, argv: Sequence[str]) -> int:
    arguments, overrides = parse_verb(spec, verb, argv)
    return VERB_FUNCTIONS[verb](spec, arguments, overrides)


def parse_verb(spec: AppSpec, verb: str, argv: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The arguments of a verb, and its `--dotted.key value` settings, whose keys are not checked yet.

    Raises:
        UsageError: The command line cannot be understood.
    """
    overrides, rest = split_overrides(argv, list(describe_fields(spec.recipes[0].config)))
    arguments = build_parser(spec, verb).parse_args(rest)
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
        with_baselines=getattr(arguments, "baselines", False),
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

    inputs = asked_inputs(spec, arguments)
    answer = build_answerer(load_predictor(arguments.run, spec), spec)
    failed = 0
    for text in inputs:
        record: dict[str, Any] = {"input": text}
        try:
            record |= answer(text)
        except UserError as error:
            failed += 1
            record["error"] = str(error)
        print(json.dumps(record, ensure_ascii=False), flush=True)
    if failed:
        print(f"{failed} of {len(inputs)} inputs could not be read.", file=sys.stderr)
    return FAILED if failed else DONE


def _demo(spec: AppSpec, arguments: argparse.Namespace, _: dict[str, Any]) -> int:
    run = arguments.run or Path("runs") / spec.name / "latest"
    if arguments.run is None and (code := _trained_once(spec)) != DONE:
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
    """`python -m apps`: lists the apps, serves all of them on one page, or runs the doctor."""
    return guarded(lambda: _run_suite_verb(listing, argv), debug="--debug" in argv)


def parse_suite(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of `python -m apps`."""
    parser = Parser("python -m apps", description="An AI application suite.", allow_abbrev=False)
    parser.add_argument("verb", nargs="?", choices=["list", "serve", "doctor"], default="list", help="default: list")
    parser.add_argument(
        "--host", default="127.0.0.1", help="of serve: address to listen on; default: this machine only"
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"of serve; default: {DEFAULT_PORT}")
    parser.add_argument("--debug", action="store_true", help="show a traceback when something fails")
    return parser.parse_args(argv)


def _run_suite_verb(listing: Listing, argv: Sequence[str]) -> int:
    arguments = parse_suite(argv)
    if arguments.verb == "serve":
        return _serve_all(listing, arguments)
    if arguments.verb == "doctor":
        from core.doctor import examine

        return DONE if examine(listing.apps, listing.broken) else FAILED
    for name, spec in listing.apps.items():
        print(f"{name}\n    {spec.title.en} / {spec.title.zh}\n    {spec.summary.en}")
        print(f"    {spec.command('train')} --help")
    for name, reason in listing.broken.items():
        print(f"{name}\n    cannot be loaded: {reason}", file=sys.stderr)
    return DONE


def _serve_all(listing: Listing, arguments: argparse.Namespace) -> int:
    """One page that leads to every app; those without a run are trained on sample data first."""
    for spec in listing.apps.values():
        code = _trained_once(spec)
        if code != DONE:
            return code

    from core.ui.hub import launch_hub

    launch_hub(list(listing.apps.values()), host=arguments.host, port=arguments.port)
    return DONE


def _trained_once(spec: AppSpec) -> int:
    """Trains the quick preset where an app has no finished run yet."""
    if (Path("runs") / spec.name / "latest").exists():
        return DONE
    print(f"No finished run of {spec.name} yet: training the quick preset on sample data.", file=sys.stderr)
    return app_main(spec, "train", ["--config", "quick"])


# ---- configs --------------------------------------------------------------------------------------


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


# ---- errors --------------------------------------------------------------------------------------


def guarded(action: Callable[[], int], *, debug: bool) -> int:
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
        # The first process of several tells it for all. Its launcher stops every process as soon as one has ended, so
        # this one waits for that; whoever is still here then met an error that the first did not.
        time.sleep(FIRST_TELLS_WITHIN_S)
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
