"""Trains the encoder on queries with their entries, and writes it as it is served."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from torch import Tensor, nn

from core.backbones.matcher import Matcher
from core.config import ExportConfig, TrainConfig
from core.data.module import Example
from core.files import new_folder
from core.hardware import HardwarePlan
from core.retrieval.encoder import FACTS, GRAPH, TOKENIZER, VECTOR, EncoderFacts
from core.retrieval.encoder_config import EncoderConfig
from core.retrieval.entry import Entry
from core.retrieval.knowledge_tables import Query
from core.retrieval.proven_graph import export_proven
from core.retrieval.untrained import Untrained, build_untrained
from core.tasks.match import MatchTask
from core.tasks.task import ArraySpec
from core.training.progress import FitResult
from core.training.trainer import fit

MOST_VALIDATED = 2000
"""Validation queries, and entries that are no query's, that choose the best epoch, at most."""
PARITY_TEXTS = 64


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
    """Trains an encoder and writes it; None where there are too few queries to train on.

    Nothing is written then either, except a pretrained encoder, as it is.

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
    if not config.enabled:
        return None
    pairs = build_pairs(entries, train)
    is_trained = len(pairs) >= config.min_queries and len({example["label"] for example in pairs}) > 1
    if not is_trained and config.encoder == "bag":
        return None
    texts = [whole_text(entry) for entry in entries]
    encoder = build_untrained(config, [*texts, *(example["query"] for example in pairs)], seed)
    checked = build_pairs(entries, validation)[:MOST_VALIDATED] or pairs[:MOST_VALIDATED]
    result = None
    if is_trained:
        task = MatchTask(encoder.tokenise, encoder.specs, encoder.trim)
        result = fit(
            Matcher(encoder.module),
            task,
            task.encode(pairs),
            task.encode([*checked, *_distractors(entries, checked)]),
            config=config.training,
            plan=_whole_batches(plan, config.training),
            seed=seed,
            folder=work,
            resume=resume,
            console=console,
        )
    if plan.is_main:
        proven_on = [*(example["query"] for example in checked), *texts, ""][:PARITY_TEXTS]
        _write(encoder, proven_on, target, export or ExportConfig())
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


def _whole_batches(plan: HardwarePlan, config: TrainConfig) -> HardwarePlan:
    return plan.with_choice(
        "a query chooses among the texts of its batch, so that it is not cut",
        micro_batch_size=max(1, config.global_batch_size // plan.num_processes),
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


def _write(encoder: Untrained, texts: Sequence[str], target: Path, export: ExportConfig) -> None:
    """Exports a trained encoder and proves that the file gives the same vectors.

    Raises:
        UserError: It does not.
    """
    # Low-rank additions are served as part of the weights.
    module = getattr(encoder.module, "merged", lambda: encoder.module)().cpu().float().eval()
    arrays = encoder.trim(encoder.tokenise(texts), "")
    vector = ArraySpec(name=VECTOR, shape=("batch", "dimension"), dtype="float32", meaning="Unit vector.")
    with new_folder(target) as folder:
        parity, dimension = export_proven(_Served(module), arrays, encoder.specs, vector, folder / GRAPH, export)
        facts = EncoderFacts(**encoder.facts, dimension=dimension[1], parity=parity)
        (folder / FACTS).write_text(facts.model_dump_json(indent=2), encoding="utf-8")
        if encoder.tokenizer:
            (folder / TOKENIZER).write_text(encoder.tokenizer, encoding="utf-8")
