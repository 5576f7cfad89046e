"""A tiny BERT that knows three intents, as it is served: calibrated, with a distance for novelty, in one ONNX file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core.backbones.transformer import build_transformer_classifier
from core.backbones.transformer_config import TransformerConfig
from core.backbones.transformer_files import load_text_encoder
from core.config import Config
from core.data.module import Example
from core.evaluation.decision import DecisionPolicy
from core.export.exporter import calibrate
from core.export.graph import ServingGraph
from core.export.onnx import export_onnx
from core.tasks.task import Arrays
from core.tasks.text import TextTask
from core.tasks.text_schema import TextSchema
from tests.core.backbones.tiny_bert import make_tiny_bert

LABELS = ("cancel", "refund", "track")
KEYWORDS = {"cancel": "cancel cancelled", "refund": "refund money", "track": "where parcel"}
STRANGE = ("? ? ?", "is the is the", "please please")


@dataclass(frozen=True)
class IntentGraph:
    """The file, and all that goes with it.

    Args:
        file: model.onnx.
        arrays: Encoded examples, three of them out of scope.
    """

    file: Path
    graph: ServingGraph
    task: TextTask
    arrays: Arrays
    policy: DecisionPolicy


def make_intent_graph(folder: Path) -> IntentGraph:
    """Trains it for some steps on a few dozen texts."""
    name = str(make_tiny_bert(folder / "tiny"))
    facts = load_text_encoder(name)
    schema = TextSchema(labels=LABELS, label_counts=(12, 12, 12), tokenizer=facts.tokenizer, max_tokens=16)
    config = Config()
    task = TextTask(schema, config.train)
    torch.manual_seed(0)
    model = build_transformer_classifier(TransformerConfig(name=name, max_tokens=16), len(LABELS), facts)
    arrays = task.encode(make_texts())
    inside = {array: values[arrays["label"] >= 0] for array, values in arrays.items()}
    _train(model, inside)
    calibrated = calibrate(model, task, inside, arrays, config, schema)
    file = folder / "model.onnx"
    write_graph(calibrated.graph, task, arrays, file)
    return IntentGraph(file, calibrated.graph, task, arrays, calibrated.policy)


def make_texts() -> list[Example]:
    """Each label's words among others."""
    texts: list[Example] = [
        {"text": f"{before} {word} {after}", "label": label}
        for label, words in KEYWORDS.items()
        for word in words.split()
        for before in ("please", "the", "my")
        for after in ("", "please ?")
    ]
    return texts + [{"text": text, "label": ""} for text in STRANGE]


def write_graph(graph: ServingGraph, task: TextTask, arrays: Arrays, file: Path) -> None:
    """As an export writes it."""
    tokens = {"tokens": np.ascontiguousarray(arrays["tokens"][:2])}
    export_onnx(graph, tokens, task.inputs, task.outputs, file, opset=Config().export.opset)


def _train(model: nn.Module, arrays: Arrays) -> None:
    tokens, label = torch.from_numpy(arrays["tokens"]), torch.from_numpy(arrays["label"])
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model.train()(tokens)["logits"], label).backward()
        optimizer.step()
