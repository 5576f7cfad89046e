"""A bundle of a random bag of words, exported without an app's training."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from core.app import AppSpec, Recipe
from core.config import Config, dump_config
from core.data.vocabulary import learn_vocabulary
from core.data.vocabulary_config import VocabularyConfig
from core.evaluation.decision import DecisionPolicy
from core.export.bundle import FORMAT, Manifest, write_bundle
from core.tasks.text import TextTask
from core.tasks.text_schema import TextSchema
from core.texts import Text
from tests.core.backbones.text_export import to_onnx

LABELS = ("cancel", "parcel", "refund")
TEXTS = ("cancel my order", "where is my parcel", "I want my money back", "please cancel it", "parcel lost")
SCHEMA = TextSchema(
    labels=LABELS, label_counts=(2, 2, 1), vocabulary=learn_vocabulary(TEXTS, VocabularyConfig(max_words=16))
)


def _not_needed(*_: Any) -> Any:
    raise AssertionError


def _build_task(config: Config, schema: TextSchema) -> TextTask:
    return TextTask(schema, config.train)


SPEC = AppSpec(
    name="toy",
    title=Text("Toy", "玩具"),
    summary=Text("Toy.", "玩具。"),
    limits=(),
    recipes=(Recipe("intents", Config, TextSchema, _not_needed, _build_task, _not_needed),),
    configs=Path(),
    build_page=_not_needed,
    read_input=_not_needed,
)


class Graph(nn.Module):
    """Each word speaks for labels at random."""

    def __init__(self) -> None:
        super().__init__()
        assert SCHEMA.vocabulary is not None
        torch.manual_seed(0)
        self.table = nn.Parameter(torch.randn(SCHEMA.vocabulary.num_units, len(LABELS)))

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        words = inputs["units"].long()[:, :, 0]
        logits = (F.embedding(words, self.table) * (words > 0).unsqueeze(2)).sum(1)
        return {"probabilities": logits.softmax(1), "novelty": logits.square().sum(1)}


@dataclass(frozen=True)
class Teacher:
    """The bundle, and the same graph in PyTorch."""

    path: Path
    graph: Graph

    def probabilities(self, texts: list[str]) -> Tensor:
        arrays = TextTask(SCHEMA, Config().train).encode([{"text": text} for text in texts])
        with torch.no_grad():
            return self.graph(units=torch.from_numpy(arrays["units"]))["probabilities"]


def make_teacher(folder: Path) -> Teacher:
    """Writes the bundle."""
    graph = Graph().eval()
    task = TextTask(SCHEMA, Config().train)
    policy = DecisionPolicy(
        temperature=1,
        ece_before=None,
        ece_after=None,
        novelty_threshold=None,
        accepted_share=1,
        coverage=0.9,
        conformal_quantile=0.5,
        num_examples=5,
    )

    def write_files(aside: Path) -> None:
        units = task.encode([{"text": text} for text in TEXTS])["units"]
        to_onnx(graph, "units", units, aside / "model.onnx", ["probabilities", "novelty"])
        save_file({"nothing": torch.zeros(1)}, aside / "model.safetensors")
        (aside / "config.yaml").write_text(dump_config(Config()), encoding="utf-8")
        (aside / "schema.json").write_text(SCHEMA.model_dump_json(), encoding="utf-8")
        (aside / "decision.json").write_text(policy.model_dump_json(), encoding="utf-8")
        (aside / "metrics.json").write_text(json.dumps({}), encoding="utf-8")
        (aside / "README.md").write_text("A toy.", encoding="utf-8")

    def manifest(files: dict[str, str]) -> Manifest:
        return Manifest(
            format=FORMAT,
            app="toy",
            recipe="intents",
            created="2026-01-01T00:00:00+00:00",
            libraries={},
            data_fingerprint="0" * 64,
            inputs=task.inputs,
            outputs=task.outputs,
            files=files,
        )

    write_bundle(folder, manifest, write_files)
    return Teacher(folder, graph)
