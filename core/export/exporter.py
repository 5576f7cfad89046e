"""From a trained model to a bundle: calibrate, fit the policy, export, prove, evaluate, write."""

import datetime
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from core.config import Config, Record, dump_config
from core.data.module import Example
from core.errors import UserError
from core.evaluation.decision import DecisionPolicy, fit_policy, without_classes
from core.evaluation.evaluation import Evaluation
from core.export.bundle import ASSETS, FORMAT, Bundle, Manifest, write_bundle
from core.export.graph import PlainGraph, ServingGraph
from core.export.novelty import Seen, build_novelty, fit_distance, fit_novelty, score_all
from core.export.onnx import Parity, check_parity, export_onnx
from core.export.session import Session
from core.tasks.task import Arrays, Task

FEATURE_EXAMPLES = 20_000
"""Training examples whose features the novelty is fitted on, at most."""
BATCH = 32
LIBRARIES = ("torch", "timm", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Origin:
    """What a bundle says of where it comes from."""

    app: str
    recipe: str
    data_fingerprint: str


@dataclass(frozen=True)
class Calibrated:
    """A graph ready to export and the policy that goes with it."""

    graph: ServingGraph | PlainGraph
    policy: DecisionPolicy


def calibrate(
    model: nn.Module, task: Task, train: Arrays, validation: Arrays, config: Config, schema: Any
) -> Calibrated:
    """Fits novelty on training features, and temperature and policy on validation data, where there are classes."""
    # Low-rank additions are served as part of the weights.
    model = getattr(model, "merged", lambda: model)().cpu().float().eval()
    strata, targets = task.strata(train), task.strata(validation)
    if strata is None or targets is None:
        return Calibrated(PlainGraph(model).eval(), without_classes(config.decision))
    chosen = np.sort(np.random.default_rng(config.seed).permutation(len(strata))[:FEATURE_EXAMPLES])
    seen = _see(model, task, {name: array[chosen] for name, array in train.items()}, strata[chosen])
    checked = _see(model, task, validation, targets)
    novelty = fit_novelty(seen, checked) if task.novelty == "answers" else fit_distance(seen)
    score = score_all(novelty, checked)
    inside = targets >= 0
    policy = fit_policy(
        checked.logits_NK[inside],
        targets[inside],
        score[inside],
        schema.labels,
        config.decision,
        schema.positive_labels,
    ).model_copy(update={"novelty_score": novelty.name})
    return Calibrated(ServingGraph(model, novelty, policy.temperature).eval(), policy)


def make_bundle(
    target: Path,
    calibrated: Calibrated,
    task: Task,
    config: Config,
    schema: Record,
    origin: Origin,
    validation: Arrays,
    measure: Callable[[Session], Mapping[str, Any]],
    write_card: Callable[[Mapping[str, Any]], str],
    assets: Path,
    add_variants: Callable[[Path], Mapping[str, Any]] = lambda _: {},
) -> tuple[Bundle, Parity]:
    """Exports a graph with its proof and everything that serving needs.

    Args:
        target: Folder of the bundle.
        calibrated: Graph and policy.
        task: Names inputs and outputs.
        config: Of the run.
        schema: Of the run.
        origin: App, recipe and data.
        validation: Encoded, for the proof of parity.
        measure: Gives metrics.json from the exported graph, so that what is served is what was measured.
        write_card: Makes the model card from these metrics.
        assets: Folder of what serving needs beside the model; it need not be there.
        add_variants: Writes other forms of a graph beside it and tells what metrics.json shall say of them.
    """
    parity_of: list[Parity] = []

    def write_files(folder: Path) -> None:
        names = [spec.name for spec in task.served_inputs]
        served = task.as_served({name: array[: config.export.parity_examples] for name, array in validation.items()})
        examples = {name: served[name] for name in names}
        file = folder / "model.onnx"
        export_onnx(
            calibrated.graph, _first(examples), task.served_inputs, task.outputs, file, opset=config.export.opset
        )
        parity_of.append(check_parity(calibrated.graph, file, examples, config.export.parity_tolerance))
        metrics = {**measure(Session(file, names)), "parity": parity_of[0].to_json(), **add_variants(file)}
        weights = {name: value.detach().contiguous().clone() for name, value in calibrated.graph.state_dict().items()}
        save_file(weights, folder / "model.safetensors")
        (folder / "config.yaml").write_text(dump_config(config), encoding="utf-8")
        (folder / "schema.json").write_text(schema.model_dump_json(indent=2), encoding="utf-8")
        (folder / "decision.json").write_text(calibrated.policy.model_dump_json(indent=2), encoding="utf-8")
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=2), encoding="utf-8")
        (folder / "README.md").write_text(write_card(metrics), encoding="utf-8")
        if assets.is_dir():
            shutil.copytree(assets, folder / ASSETS)

    def manifest(files: dict[str, str]) -> Manifest:
        return Manifest(
            format=FORMAT,
            app=origin.app,
            recipe=origin.recipe,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            libraries={name: version(name) for name in LIBRARIES},
            data_fingerprint=origin.data_fingerprint,
            inputs=task.served_inputs,
            outputs=task.outputs,
            files=files,
        )

    return write_bundle(target, manifest, write_files), parity_of[0]


def load_graph(bundle: Bundle, model: nn.Module, policy: DecisionPolicy) -> ServingGraph | PlainGraph:
    """The PyTorch graph of a bundle, from a fresh model of its config.

    Raises:
        UserError: The weights are not of this model.
    """
    weights = load_file(bundle.path / "model.safetensors")
    try:
        graph: ServingGraph | PlainGraph = PlainGraph(model)
        if policy.has_classes:
            graph = ServingGraph(model, build_novelty(policy.novelty_score, weights), policy.temperature)
        graph.load_state_dict(weights)
    except (KeyError, RuntimeError) as error:
        raise UserError(
            f"The weights of {bundle.path} do not fit its config: {str(error).splitlines()[0]}",
            "A bundle written by this version of the suite and of timm.",
            "Train again, or install the versions named in bundle.json.",
        ) from None
    return graph.eval()


def evaluate_session(
    session: Session,
    task: Task,
    arrays: Arrays,
    policy: DecisionPolicy,
    examples: Sequence[Example],
    *,
    resamples: int,
) -> tuple[Evaluation, Arrays]:
    """What the served graph does on a split, and its raw outputs."""
    outputs = session.run_all(arrays, lambda batch: task.as_served(task.trim(batch)))
    return task.evaluate(outputs, arrays, policy, examples, resamples=resamples), outputs


def _see(model: nn.Module, task: Task, arrays: Arrays, label_N: npt.NDArray[np.int64]) -> Seen:
    """Logits and embedding of a whole split, from the model in PyTorch."""
    names = [spec.name for spec in task.inputs]
    rows = len(arrays[names[0]])
    kept: dict[str, list[Any]] = {"logits": [], "embedding": []}
    with torch.no_grad():
        for start in range(0, rows, BATCH):
            batch = task.trim({name: np.asarray(arrays[name][start : start + BATCH]) for name in names})
            outputs = model.serve(  # type: ignore[operator]
                **{name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch.items()}
            )
            for name, parts in kept.items():
                parts.append(outputs[name].float().numpy())
    return Seen(np.concatenate(kept["logits"]), np.concatenate(kept["embedding"]), label_N)


def _first(examples: Arrays) -> Arrays:
    """Two examples to trace with: with one, the exporter would take the batch for a constant."""
    return {name: np.concatenate([array, array])[:2] for name, array in examples.items()}
