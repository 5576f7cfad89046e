"""Training from a config to a bundle as one plain function: the place where the rooms of the core meet."""

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from core.app import AppSpec, AssetJob, Recipe
from core.config import Config, Resolved, dump_config
from core.console import (
    open_console,
    progress_bar,
    show_commands,
    show_config,
    show_heading,
    show_metrics,
    show_plan,
)
from core.data.arrays import encode_split
from core.data.module import DataModule, Example
from core.data.report import render_report
from core.evaluation.evaluation import Evaluation
from core.export.bundle import ASSETS
from core.export.exporter import Origin, calibrate, evaluate_session, make_bundle
from core.export.model_card import write_card
from core.export.session import Session
from core.hardware import HardwarePlan, current_rank, detect_machine, plan_hardware
from core.run_environment import check_trackers, describe_environment
from core.run_folder import (
    FINGERPRINT,
    as_measured,
    check_same_data,
    check_same_run,
    choose_folder,
    link_latest,
    save_once,
)
from core.run_report import Measured, write_run_report
from core.tasks.task import Arrays, Task
from core.training.measure import measure_plan
from core.training.process import decided_by_first
from core.training.progress import FitResult, describe
from core.training.trainer import fit

RUNS = Path("runs")
RESAMPLES = 1000


@dataclass(frozen=True)
class Prepared:
    """Everything that training needs, built from a config."""

    data: DataModule
    task: Task
    model: torch.nn.Module
    train: Arrays
    validation: Arrays


def train(
    spec: AppSpec,
    recipe: Recipe,
    resolved: Resolved[Any],
    *,
    config_name: str,
    config_reason: str = "as asked",
    output_dir: Path | None = None,
    resume: str | None = None,
    is_dry_run: bool = False,
) -> Path:
    """Trains, evaluates and bundles a model.

    Args:
        spec: The app.
        recipe: What it trains.
        resolved: The config and where its values came from.
        config_name: Of the preset or file, for the folder's name.
        config_reason: Why this one.
        output_dir: Of the run; None = runs/<app>/<time>-<config>.
        resume: None, `auto`, or the folder of the run to go on with.
        is_dry_run: Stop before training.

    Returns:
        The folder of the run.

    Raises:
        UserError: Anything that the user can mend.
    """
    check_trackers(resolved.config.train.trackers)
    console = open_console(is_main=current_rank() == 0)
    machine = detect_machine()
    plan = plan_hardware(resolved.config.hardware, resolved.config.train, machine)
    environment = describe_environment()
    console.print(f"[bold]{spec.title.en}[/bold]: config {config_name} ({config_reason})")
    show_plan(console, environment, plan)
    folder = decided_by_first(plan, lambda: choose_folder(RUNS, spec.name, config_name, output_dir, resume))
    if resume:
        config = as_measured(folder, resolved.config)
        check_same_run(folder, config)
        plan = plan_hardware(config.hardware, config.train, machine)
        resolved = Resolved(config, resolved.sources)
        if (folder / "bundle" / "bundle.json").exists():
            console.print(f"{folder} is finished already: nothing to resume.")
            return folder
    if is_dry_run:
        _load_checked(recipe, resolved.config, console)
        show_config(console, resolved.config, resolved.sources)
        show_heading(console, "Dry run: stopped before training.")
        with contextlib.suppress(OSError):  # a folder that is not empty stays
            folder.rmdir()
        return folder
    with console.kept_in(folder / "train.log"):
        _train_in(folder, spec, recipe, resolved, plan, environment, console, is_resumed=resume is not None)
    return folder


def _train_in(
    folder: Path,
    spec: AppSpec,
    recipe: Recipe,
    resolved: Resolved[Any],
    plan: HardwarePlan,
    environment: Mapping[str, str],
    console: Console,
    *,
    is_resumed: bool,
) -> None:
    """Trains and finishes in a folder that may be used."""
    config = resolved.config
    data = _load_checked(recipe, config, console)
    check_same_data(folder, data.fingerprint)
    show_config(console, config, resolved.sources)
    show_heading(console, f"Results go to {folder}")
    prepared = _prepare(recipe, config, data, plan, console)
    plan, config = _settle_plan(plan, config, prepared, console)
    if plan.is_main:
        save_once(folder, "config.yaml", dump_config(config))
        save_once(folder, "environment.json", json.dumps({**environment, "plan": plan.to_json()}, indent=2))
        save_once(folder, FINGERPRINT, f"{data.fingerprint}\n")
        save_once(folder, "data_report.json", data.report.model_dump_json(indent=2))
    show_heading(console, "Training")
    result = fit(
        prepared.model,
        prepared.task,
        prepared.train,
        prepared.validation,
        config=config.train,
        plan=plan,
        seed=config.seed,
        folder=folder,
        resume=is_resumed,
        console=console,
    )
    job = AssetJob(config, data, prepared.model, prepared.task, folder, plan, console)
    found = recipe.make_assets(job) if recipe.make_assets else {}
    if plan.is_main:
        _finish(spec, recipe, config, prepared, result, found, folder, environment, console)


def load_data(recipe: Recipe, config: Config, console: Console) -> DataModule:
    """Reads, checks and splits the data of a config, and shows the report."""
    show_heading(console, "Data")
    with progress_bar(console, "Reading") as progress:
        data = recipe.build_data(config, progress)
    console.print(render_report(data.report))
    return data


def _load_checked(recipe: Recipe, config: Config, console: Console) -> DataModule:
    """The same, for a training: what would fail after it must fail now."""
    data = load_data(recipe, config, console)
    if recipe.check_training:
        recipe.check_training(config, data)
    return data


def _prepare(recipe: Recipe, config: Config, data: DataModule, plan: HardwarePlan, console: Console) -> Prepared:
    task = recipe.build_task(config, data.schema)
    torch.manual_seed(config.seed)
    model = recipe.build_model(config, data.schema)
    if recipe.start_model:
        recipe.start_model(config, data, model)
    with progress_bar(console, "Encoding") as progress:
        train = encode_split(task.encode, data.splits["train"], memory_gb=plan.memory_gb, progress=progress)
    validation = encode_split(task.encode, data.splits["validation"], memory_gb=plan.memory_gb)
    count = sum(parameter.numel() for parameter in model.parameters())
    console.print(f"Model: {count:,} parameters")
    return Prepared(data, task, model, train, validation)


def _settle_plan(
    plan: HardwarePlan, config: Config, prepared: Prepared, console: Console
) -> tuple[HardwarePlan, Config]:
    """Measures what is open; the config then names what was chosen, so that it repeats the run bit for bit."""
    names = plan.to_measure
    if not names:
        return plan, config
    plan = measure_plan(prepared.model, prepared.task, prepared.train, plan)
    chosen = {name: getattr(plan, name) for name in names}
    told = ", ".join(f"{name} {value}" for name, value in chosen.items())
    console.print(f"Plan: {told} ({plan.reasons[names[0]]})", soft_wrap=True)
    return plan, config.model_copy(update={"hardware": config.hardware.model_copy(update=chosen)})


def _finish(
    spec: AppSpec,
    recipe: Recipe,
    config: Config,
    prepared: Prepared,
    result: FitResult,
    found: Mapping[str, Evaluation],
    folder: Path,
    environment: Mapping[str, str],
    console: Console,
) -> None:
    """Everything after the last step: calibration, export with proof, evaluation, report, next commands."""
    console.print(
        f"Trained {len(result.history)} epochs in {result.seconds / 60:.1f} min ({result.stopped_by}); "
        f"epoch {result.best_epoch + 1} is kept.",
        soft_wrap=True,
    )
    data, task = prepared.data, prepared.task
    task.open_assets(folder / ASSETS)
    calibrated = calibrate(prepared.model, task, prepared.train, prepared.validation, config, data.schema)
    examples: list[Example] = list(data.splits["test"])
    test = task.encode(examples)
    measured: list[tuple[Evaluation, Arrays]] = []

    def measure(session: Session) -> dict[str, Any]:
        tested, served = evaluate_session(session, task, test, calibrated.policy, examples, resamples=RESAMPLES)
        checked, _ = evaluate_session(
            session, task, prepared.validation, calibrated.policy, data.splits["validation"], resamples=RESAMPLES
        )
        measured.append((tested, served))
        beside = {name: evaluation.to_json() for name, evaluation in found.items()}
        return {"test": tested.to_json(), "validation": checked.to_json(), "training": describe(result), **beside}

    show_heading(console, "Exporting and evaluating on the test split")
    _, parity = make_bundle(
        folder / "bundle",
        calibrated,
        task,
        config,
        data.schema,
        Origin(spec.name, recipe.name, data.fingerprint),
        prepared.validation,
        measure=measure,
        write_card=lambda metrics: write_card(spec, config, task.labels, calibrated.policy, metrics),
        assets=folder / ASSETS,
    )
    evaluation, outputs = measured[0]
    save_once(folder, "metrics.json", (folder / "bundle" / "metrics.json").read_text(encoding="utf-8"))
    commands = next_commands(spec, folder)
    tested = Measured("test", examples, test, outputs, evaluation)
    write_run_report(folder, spec, config, task, data.report, tested, commands, result=result, environment=environment)
    link_latest(RUNS, spec.name, folder)
    console.print(parity.sentence())
    show_metrics(console, f"Test split, {len(examples):,} examples", evaluation.metrics)
    for name, beside in found.items():
        show_metrics(console, name.capitalize(), beside.metrics)
    show_commands(console, [*commands, f"open {folder / 'report.html'}"])


def next_commands(spec: AppSpec, run: Path) -> list[str]:
    """What to type after a run."""
    return [
        f"{spec.command('demo')} {run}",
        f"{spec.command('predict')} {run} INPUT...",
        f"{spec.command('evaluate')} {run}",
        f"{spec.command('export')} {run}",
    ]


def leave_process_group() -> None:
    """Ends a process of several at once, with everything flushed.

    gloo's threads abort the interpreter at exit in about one run of four; nothing is left to do here.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
