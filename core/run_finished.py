"""What is done with a finished run: evaluate it, export it anew."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from rich.console import Console

from core.app import AppSpec, Comparison
from core.config import Config, ExportConfig, Record, resolve_config
from core.console import open_console, show_heading, show_metrics, show_rows
from core.data.module import DataModule, Example
from core.errors import UserError
from core.export.bundle import ASSETS, MANIFEST
from core.export.exporter import Calibrated, Origin, evaluate_session, load_graph, make_bundle
from core.export.model_card import write_card
from core.optimization.gate import Trial, try_int8
from core.run import RESAMPLES, load_data, next_commands
from core.run_folder import check_replaceable, choose_result_folder, save_once
from core.run_report import Measured, write_run_report
from core.serving.predictor import Predictor, load_predictor
from core.tasks.task import Arrays, Task

R = TypeVar("R", bound=Record)


def evaluate(
    spec: AppSpec,
    run: Path,
    *,
    data: str | None = None,
    split: str = "test",
    output_dir: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    with_baselines: bool = False,
) -> dict[str, Any]:
    """Measures a bundle, through the graph that is served, and writes evaluation/ beside it.

    Args:
        spec: The app.
        run: A run or a bundle.
        data: Other data than it was trained on; None = the same.
        split: train, validation, test or all.
        output_dir: Where metrics.json and report.html go; None = in the run, or beside the bundle.
        overrides: Settings of the data, such as its columns.
        with_baselines: Also measure what others would use, where the recipe can.

    Returns:
        The metrics as in metrics.json.
    """
    console = open_console()
    predictor = load_predictor(run, spec)
    folder = choose_result_folder(run, predictor.bundle.path, "evaluation", output_dir)
    module = _reload_data(spec, predictor, data, overrides or {}, console)
    examples = _known_examples(_split_examples(module, split), predictor, console)
    arrays = predictor.task.encode(examples)
    evaluation, outputs = evaluate_session(
        predictor.session, predictor.task, arrays, predictor.policy, examples, resamples=RESAMPLES
    )
    compare = spec.recipe(predictor.bundle.manifest.recipe).compare
    if with_baselines and compare:
        show_heading(console, "Baselines")
        beside = compare(Comparison(predictor.config, module, split, predictor, outputs, console))
        evaluation = evaluation.joined(beside)
        for name, table in beside.tables.items():
            show_rows(console, name.replace("_", " "), table.columns, table.as_text())
    save_once(folder, "metrics.json", json.dumps(evaluation.to_json(), indent=2))
    measured = Measured(split, examples, arrays, outputs, evaluation)
    commands = next_commands(spec, run)
    write_run_report(folder, spec, predictor.config, predictor.task, module.report, measured, commands)
    show_metrics(console, f"{split} split, {len(examples):,} examples", evaluation.metrics)
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)
    return {name: estimate.to_json() for name, estimate in evaluation.metrics.items()}


def export(
    spec: AppSpec,
    run: Path,
    *,
    data: str | None = None,
    output_dir: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    quantize: Literal["none", "dynamic", "static"] = "none",
) -> Path:
    """Exports a run or bundle anew, with its proof on validation data.

    Args:
        spec: The app.
        run: A run or a bundle.
        data: Other data than it was trained on; None = the same.
        output_dir: The new bundle; None = in the run, or beside the bundle.
        overrides: Settings of the data, and of the export.
        quantize: Also try a graph in int8, which is kept if nothing speaks against it: dynamic = its weights; static =
            activations too, with scales that training examples tell.

    Returns:
        The folder of the new bundle.
    """
    console = open_console()
    predictor = load_predictor(run, spec)
    target = choose_result_folder(run, predictor.bundle.path, "export", output_dir)
    check_replaceable(target, MANIFEST)
    manifest = predictor.bundle.manifest
    recipe = spec.recipe(manifest.recipe)
    of_export = {key: value for key, value in (overrides or {}).items() if key.startswith("export.")}
    config = resolve_config(recipe.config, predictor.bundle.path / "config.yaml", of_export).config
    of_data = {key: value for key, value in (overrides or {}).items() if key not in of_export}
    module = _reload_data(spec, predictor, data, of_data, console)
    examples = _known_examples(list(module.splits["validation"]), predictor, console)
    validation = predictor.task.encode(examples)
    model = recipe.build_model(config.model_copy(update={"model": _untrained(config.model)}), predictor.schema)
    graph = load_graph(predictor.bundle, model, predictor.policy)
    metrics = {name: found for name, found in predictor.read_json("metrics.json").items() if name != "quantized"}
    trials: list[Trial] = []

    def add_variants(file: Path) -> dict[str, Any]:
        if quantize == "none":
            return {}
        calibration = _drawn(module.splits["train"], predictor.task, config) if quantize == "static" else None
        trials.append(try_int8(file, predictor.task, validation, predictor.policy, config.export, calibration))
        return {"quantized": trials[0].to_json(config.export)}

    bundle, parity = make_bundle(
        target,
        Calibrated(graph, predictor.policy),
        predictor.task,
        config,
        predictor.schema,
        Origin(spec.name, recipe.name, manifest.data_fingerprint),
        validation,
        measure=lambda _: metrics,
        write_card=lambda found: write_card(spec, config, predictor.task.labels, predictor.policy, found),
        assets=predictor.bundle.path / ASSETS,
        add_variants=add_variants,
    )
    console.print(parity.sentence())
    for trial in trials:
        _show_trial(console, trial, config.export)
    return bundle.path


def _drawn(examples: Sequence[Example], task: Task, config: Config) -> Arrays:
    """Some training examples, encoded."""
    rows = np.random.default_rng(config.seed).permutation(len(examples))[: config.export.calibration_examples]
    return task.encode([examples[int(row)] for row in np.sort(rows)])


def _show_trial(console: Console, trial: Trial, config: ExportConfig) -> None:
    """What was measured of the int8 graph, and whether it is served."""
    columns = ("figure", "model.onnx", "int8")
    title = f"int8 ({trial.method}) against the full graph, {trial.examples:,} validation examples"
    show_rows(console, title, columns, trial.rows())
    if objections := trial.objections(config):
        console.print(f"[yellow]! The int8 graph is not kept: {'; '.join(objections)}.[/yellow]", soft_wrap=True)
    else:
        console.print("The int8 graph is kept: the new bundle serves it.")


def _untrained(settings: R) -> R:
    """The same without pretrained weights and without a teacher: neither is needed again, nor may be here."""
    changes: dict[str, Any] = {}
    is_pretrained = "pretrained" in type(settings).model_fields
    for name, value in settings:
        if name == "pretrained":
            changes[name] = False
        elif (name == "name" and is_pretrained) or name == "teacher":
            changes[name] = ""
        elif isinstance(value, Record):
            changes[name] = _untrained(value)
    return settings.model_copy(update=changes)


def _reload_data(
    spec: AppSpec, predictor: Predictor, data: str | None, overrides: Mapping[str, Any], console: Console
) -> DataModule:
    """The data of a bundle's config, or other data read the same way."""
    recipe = spec.recipe(predictor.bundle.manifest.recipe)
    if wrong := [key for key in overrides if not key.startswith("data.")]:
        raise UserError(f"--{wrong[0]} after training.", "Only settings of the data.", "Train anew for other settings.")
    changes = {**overrides, **({"data.path": data} if data else {})}
    file = predictor.bundle.path / "config.yaml"
    config = resolve_config(recipe.config, file, changes).config
    module = load_data(recipe, _untrained(config), console)
    if not changes and module.fingerprint != predictor.bundle.manifest.data_fingerprint:
        console.print("[yellow]! The data has changed since this model was trained.[/yellow]")
    return module


def _split_examples(module: DataModule, split: str) -> list[Example]:
    if split == "all":
        return [example for examples in module.splits.values() for example in examples]
    return list(module.splits[split])  # type: ignore[index]


def _known_examples(examples: list[Example], predictor: Predictor, console: Console) -> list[Example]:
    """Examples whose label the model knows; the others are counted and left out."""
    labels = set(predictor.task.labels)
    known = [example for example in examples if predictor.task.is_measurable(example)]
    if len(known) < len(examples):
        unknown = sorted({str(example["label"]) for example in examples} - labels)
        console.print(
            f"! {len(examples) - len(known)} examples with unknown labels left out: {', '.join(unknown)}",
            style="yellow",
        )
    if not known:
        raise UserError(
            "No example has a label that this model knows.",
            f"Labels: {', '.join(sorted(labels))}.",
            "Give data with these labels.",
        )
    return known
