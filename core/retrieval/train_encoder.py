"""Trains the encoder on queries with their entries, and writes it as it is served."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn

from core.backbones.matcher import Matcher
from core.backbones.text_bag import TextBag
from core.config import ExportConfig
from core.data.hashed_units import IDS, WEIGHTS, UnitConfig, hash_units, trim_units, unit_rarity
from core.data.module import Example
from core.errors import UserError
from core.export.onnx import export_onnx
from core.export.session import Session
from core.files import new_folder
from core.hardware import HardwarePlan
from core.retrieval.encoder import FACTS, GRAPH, VECTOR, EncoderFacts
from core.retrieval.encoder_config import EncoderConfig
from core.retrieval.entry import Entry
from core.retrieval.knowledge_tables import Query
from core.tasks.match import MatchTask
from core.tasks.task import ArraySpec
from core.training.progress import FitResult
from core.training.trainer import fit

MOST_VALIDATED = 2000
"""Validation queries, and entries that are no query's, that choose the best epoch, at most."""
PARITY_TEXTS = 64


def unit_specs(config: UnitConfig) -> tuple[ArraySpec, ArraySpec]:
    """The arrays that the network takes."""
    ids = ArraySpec(
        name=IDS, shape=("batch", "length"), dtype="int32", range=(0, config.buckets), meaning="Units; 0 = none."
    )
    weights = ArraySpec(name=WEIGHTS, shape=("batch", "length"), dtype="float32", meaning="1 + ln(count) of each unit.")
    return ids, weights


def fit_encoder(
    entries: Sequence[Entry],
    train: Sequence[Query],
    validation: Sequence[Query],
    config: EncoderConfig,
    plan: HardwarePlan,
    *,
    work: Path,
    target: Path,
    seed: int,
    resume: bool = False,
    console: Console | None = None,
    export: ExportConfig | None = None,
) -> FitResult | None:
    """Trains an encoder from scratch; None, and nothing is written, where there are too few queries.

    Args:
        entries: The knowledge base; known queries of entries are trained on too.
        train: Queries to learn from; those of no entry are left aside.
        validation: Queries that choose the best epoch; none = training queries do.
        config: Network and training.
        plan: Of the machine.
        work: Folder of checkpoints and metrics.csv.
        target: Folder that is written; it appears when it is whole.
        seed: Everything random follows from it.
        resume: Go on from a checkpoint in `work`.
        console: Where progress is shown; None = nowhere.
        export: ONNX operator set, and how much the graph may differ; None = as by default.
    """
    pairs = build_pairs(entries, train)
    numbers = {example["label"] for example in pairs}
    if not config.enabled or len(pairs) < config.min_queries or len(numbers) < 2:
        return None
    units = config.bag.units
    task = MatchTask(lambda texts: hash_units(texts, units), unit_specs(units), trim_units)
    checked = build_pairs(entries, validation)[:MOST_VALIDATED] or pairs[:MOST_VALIDATED]
    texts = [whole_text(entry) for entry in entries]
    known = hash_units([*texts, *(example["query"] for example in pairs)], units)[IDS]
    encoder = TextBag(config.bag, unit_rarity(known, units.buckets), seed)
    result = fit(
        Matcher(encoder),
        task,
        task.encode(pairs),
        task.encode([*checked, *_distractors(entries, checked)]),
        config=config.train,
        plan=_whole_batches(plan, config),
        seed=seed,
        folder=work,
        resume=resume,
        console=console,
    )
    if plan.is_main:
        asked = [example["query"] for example in checked]
        _write(encoder, units, [*asked, *texts][:PARITY_TEXTS], target, export or ExportConfig())
    return result


def build_pairs(entries: Sequence[Entry], queries: Sequence[Query]) -> list[Example]:
    """Queries, and the known queries of entries, each with the whole text of its entry."""
    number = {entry.entry_id: row for row, entry in enumerate(entries)}
    asked = [(query.query, number[query.entry_id]) for query in queries if query.entry_id in number]
    return [{"query": text, "text": whole_text(entries[row]), "label": row} for text, row in dict.fromkeys(asked)]


def queries_of_intents(
    entries: Sequence[Entry], utterances: Sequence[tuple[str, str]], language: str = ""
) -> list[Query]:
    """Utterances with an intent that exactly one entry answers, as queries of that entry; others say nothing of it.

    Args:
        entries: The knowledge base.
        utterances: (text, intent) of the training split.
        language: Of these texts: entries of another one are not theirs; empty = all entries.
    """
    answering: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.intent and (not language or entry.language in ("", language)):
            answering[entry.intent].append(entry.entry_id)
    only = {intent: ids[0] for intent, ids in answering.items() if len(ids) == 1}
    return [Query(query=text, entry_id=only[intent]) for text, intent in utterances if intent in only]


def whole_text(entry: Entry) -> str:
    """Question and answer."""
    return f"{entry.question} {entry.answer}".strip()


def _distractors(entries: Sequence[Entry], checked: Sequence[Example]) -> list[Example]:
    """Entries that no validation query asks for, so that the right one is sought among all of them."""
    asked = {example["label"] for example in checked}
    rest = [row for row in range(len(entries)) if row not in asked][:MOST_VALIDATED]
    texts = {row: whole_text(entries[row]) for row in rest}
    return [{"query": text, "text": text, "label": row, "is_query": False} for row, text in texts.items()]


def _whole_batches(plan: HardwarePlan, config: EncoderConfig) -> HardwarePlan:
    return plan.with_choice(
        "a query chooses among the texts of its batch, so that it is not cut",
        micro_batch_size=max(1, config.train.global_batch_size // plan.num_processes),
        accumulation_steps=1,
        precision="fp32",
        channels_last=False,
    )


class _Served(nn.Module):
    """The encoder with named outputs."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        return {VECTOR: self.encoder(**inputs)}


def _write(encoder: TextBag, units: UnitConfig, texts: Sequence[str], target: Path, export: ExportConfig) -> None:
    """Exports the encoder and proves that the file gives the same vectors.

    Raises:
        UserError: It does not.
    """
    served = _Served(encoder.cpu().float()).eval()
    arrays = hash_units(texts, units)
    vector = ArraySpec(name=VECTOR, shape=("batch", "dimension"), dtype="float32", meaning="Unit vector.")
    with new_folder(target) as folder:
        export_onnx(served, arrays, unit_specs(units), (vector,), folder / GRAPH, opset=export.opset)
        found = Session(folder / GRAPH, (IDS, WEIGHTS)).run(arrays)[VECTOR]
        with torch.no_grad():
            wanted = encoder(**{name: torch.from_numpy(array) for name, array in arrays.items()}).numpy()
        parity = float(np.abs(found - wanted).max())
        if not parity <= export.parity_tolerance:
            raise UserError(
                f"ONNX and PyTorch differ by {parity:.2g} in a vector.",
                f"At most {export.parity_tolerance:g} is allowed.",
                "Try another export.opset.",
            )
        facts = EncoderFacts(units=units, dimension=wanted.shape[1], parity=parity)
        (folder / FACTS).write_text(facts.model_dump_json(indent=2), encoding="utf-8")
