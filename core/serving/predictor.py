"""A bundle made callable: raw input in, typed answer out, by ONNX Runtime. Nothing here imports torch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.app import AppSpec
from core.config import Config, Record
from core.data.module import Example
from core.errors import UserError
from core.evaluation.decision import DecisionPolicy
from core.export.bundle import ASSETS, INT8_GRAPH, Bundle, load_bundle
from core.export.session import Session
from core.tasks.task import Answer, Task


class Predictor:
    """Answers from one bundle. Safe to call from several threads.

    Args:
        bundle: Checked.
        task: Rebuilt from the bundle's config and schema.
        policy: Of the bundle.
        config: The run's.
        schema: Facts of its training data.
        threads: Of ONNX Runtime; 0 = one a core.
    """

    def __init__(
        self, bundle: Bundle, task: Task, policy: DecisionPolicy, config: Config, schema: Record, *, threads: int = 0
    ) -> None:
        self.bundle, self.task, self.policy = bundle, task, policy
        self.config, self.schema = config, schema
        graph = INT8_GRAPH if INT8_GRAPH in bundle.manifest.files else "model.onnx"
        task.open_assets(bundle.path / ASSETS)
        self.session = Session(bundle.path / graph, [spec.name for spec in task.served_inputs], threads=threads)

    def predict(self, examples: Sequence[Example]) -> Sequence[Answer]:
        """A typed answer for each raw example.

        Raises:
            UserError: An example cannot be read.
        """
        if not examples:
            return []
        arrays = self.task.trim(self.task.encode(examples))
        return self.task.decode(self.session.run(self.task.as_served(arrays)), arrays, self.policy, examples)

    def read_json(self, name: str) -> Any:
        """A JSON file of the bundle, such as metrics.json."""
        return self.bundle.read_json(name)


def build_answerer(predictor: Predictor, spec: AppSpec) -> Callable[[str], dict[str, Any]]:
    """What answers one INPUT of `predict` with JSON: the app's own way, or the model's decoded answer."""
    if spec.build_answerer:
        return spec.build_answerer(predictor)
    return lambda text: predictor.predict([spec.read_input(text)])[0].to_json()


def load_predictor(path: Path, spec: AppSpec, *, threads: int = 0) -> Predictor:
    """Opens the bundle, or the bundle of a run folder, of an app.

    Raises:
        UserError: Not a whole bundle of this app.
    """
    bundle = load_bundle(path)
    manifest = bundle.manifest
    if manifest.app != spec.name:
        raise UserError(
            f"{path} was made by the app `{manifest.app}`.",
            f"This is `{spec.name}`.",
            f"Use python -m apps.{manifest.app}, or another bundle.",
        )
    if manifest.recipe not in (names := [recipe.name for recipe in spec.recipes]):
        raise UserError(
            f"{path} was made by the recipe `{manifest.recipe}`.",
            f"This version of `{spec.name}` has: {', '.join(names)}.",
            "Train again, or use the version that made the bundle.",
        )
    recipe = spec.recipe(manifest.recipe)
    try:
        config = recipe.config.model_validate(yaml.safe_load((bundle.path / "config.yaml").read_text(encoding="utf-8")))
        schema = recipe.schema.model_validate(bundle.read_json("schema.json"))
        policy = DecisionPolicy.model_validate(bundle.read_json("decision.json"))
    except (ValueError, yaml.YAMLError) as error:
        where = error.errors()[0]["loc"] if isinstance(error, ValidationError) else str(error).splitlines()[0]
        raise UserError(
            f"The bundle {bundle.path} holds settings that this version does not know: {where}.",
            "A bundle is read by the version that wrote it, or a later one of the same format.",
            "Export the model again.",
        ) from None
    return Predictor(bundle, recipe.build_task(config, schema), policy, config, schema, threads=threads)
