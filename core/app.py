"""The contract of an app: what it is, what it can train, what page it shows.

An app is one `AppSpec`, found by name. Everything heavy is behind functions, so that apps are
listed without importing torch. See `apps/medical_imaging/app.py` for one to copy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import Config, Record
from core.errors import UsageError
from core.texts import Text

if TYPE_CHECKING:
    import gradio as gr
    from rich.console import Console
    from torch import nn

    from core.data.module import DataModule, Example
    from core.evaluation.evaluation import Evaluation
    from core.hardware import HardwarePlan
    from core.serving.predictor import Predictor
    from core.serving.store import Store
    from core.tasks.task import Arrays, Task


Progress = Callable[[int, int], None]
"""Called with (done, total) while something long goes on."""


@dataclass(frozen=True)
class Recipe:
    """One trainable question: a config class and three pure functions.

    Args:
        name: Lower snake case.
        config: The config class of a run.
        schema: The record of facts learnt from the training split.
        build_data: Reads, checks and splits the data of a config.
        build_task: Rebuilds the task from config and schema alone; must not import torch.
        build_model: A fresh, untrained network for config and schema.
        start_model: Gives a fresh model, before it is trained, what the data tells without training.
        make_assets: Makes what serving needs beside the model, such as an index; None = nothing.
        compare: Measures on a split what others would use, for `evaluate --baselines`; None = there is no such option.
        check_training: Raises UserError before a training for what would fail, or have no effect, later in it.
    """

    name: str
    config: type[Config]
    schema: type[Record]
    build_data: Callable[[Any, Progress], "DataModule"]
    build_task: Callable[[Any, Any], "Task"]
    build_model: Callable[[Any, Any], "nn.Module"]
    start_model: "Callable[[Any, DataModule, nn.Module], None] | None" = None
    make_assets: "Callable[[AssetJob], Mapping[str, Evaluation]] | None" = None
    check_training: "Callable[[Any, DataModule], None] | None" = None
    compare: "Callable[[Comparison], Evaluation] | None" = None


@dataclass(frozen=True)
class AssetJob:
    """What `make_assets` is asked for, on every process of a training, after the model was trained.

    It writes `assets/` in the folder of the run, which is copied into the bundle, and gives what it measured, by name.

    Args:
        config: Of the run.
        data: Of the run.
        model: Trained, with the weights that are kept.
        task: Of the run.
        folder: Of the run; what was made before an interruption may lie there.
        plan: Of this machine.
        console: Where progress is shown.
    """

    config: Any
    data: "DataModule"
    model: "nn.Module"
    task: "Task"
    folder: Path
    plan: "HardwarePlan"
    console: "Console"


@dataclass(frozen=True)
class Comparison:
    """What `compare` is asked for.

    Args:
        config: Of the run.
        data: Of the run, or other data.
        split: Which split to measure on.
        predictor: Of the bundle.
        outputs: What the served graph gave for the examples of that split, in their order.
        console: Where progress is shown.
    """

    config: Any
    data: "DataModule"
    split: str
    predictor: "Predictor"
    outputs: "Arrays"
    console: "Console"


@dataclass(frozen=True)
class AppSpec:
    """What an app is.

    Args:
        name: The folder and command name, lower snake case.
        title: Shown as the heading of its page.
        summary: One sentence that says what it answers.
        limits: What it must not be used for, shown on the page and in the model card.
        recipes: What it can train, the first being the default.
        configs: The folder of its preset YAML files.
        build_page: Makes its Gradio page from a loaded predictor and a store.
        read_input: Turns one INPUT of `predict` (a path, a text) into a raw example.
        asks: Options of `predict` with their help, for questions of several parts: the answerer gets one INPUT of
            NAME=VALUE pairs joined by `&`.
        build_answerer: Makes what gives `predict` its JSON for one INPUT; None = the decoded answer of the model.
        package: Holds train, evaluate, export, predict and demo; empty = apps.<name>.
    """

    name: str
    title: Text
    summary: Text
    limits: tuple[Text, ...]
    recipes: tuple[Recipe, ...]
    configs: Path
    build_page: Callable[["Predictor", "Store"], "gr.Blocks"]
    read_input: Callable[[str], "Example"]
    build_answerer: Callable[["Predictor"], Callable[[str], dict[str, Any]]] | None = None
    asks: tuple[tuple[str, str], ...] = ()
    package: str = ""

    def recipe(self, name: str) -> Recipe:
        """The recipe of that name; the first one for an empty name.

        Raises:
            UsageError: There is none.
        """
        for recipe in self.recipes:
            if name in ("", recipe.name):
                return recipe
        offered = ", ".join(recipe.name for recipe in self.recipes)
        raise UsageError(f"{self.name} has no recipe `{name}`.", f"Recipes: {offered}.", "Use one of these.")

    def command(self, verb: str) -> str:
        """What a user types for a verb."""
        return f"python -m {self.package or f'apps.{self.name}'}.{verb}"


@dataclass(frozen=True)
class Listing:
    """What apps there are: those that load, and for each that does not, why."""

    apps: dict[str, AppSpec]
    broken: dict[str, str]
