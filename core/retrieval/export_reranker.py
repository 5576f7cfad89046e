"""Writes a pretrained cross-encoder as it is served, with proof."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from core.backbones.pair_scorer import PairScorer, build_pair_scorer
from core.config import ExportConfig
from core.data.tokens import SEGMENTS, TOKENS, TokenEncoder
from core.files import new_folder
from core.retrieval.encoder_config import EncoderConfig
from core.retrieval.proven_graph import export_proven
from core.retrieval.reranker import FACTS, GRAPH, SCORE, TOKENIZER, RerankerFacts
from core.tasks.task import ArraySpec

PARITY_TEXTS = 32


def export_reranker(
    config: EncoderConfig, query: str, texts: Sequence[str], target: Path, export: ExportConfig | None = None
) -> None:
    """Exports the cross-encoder that a config names.

    Args:
        config: With `reranker`, which is not empty.
        query: A query as customers ask.
        texts: Texts as they are found; with the query they prove that the file gives the same scores.
        target: Folder that is written; it appears when it is whole.
        export: ONNX operator set, and how much the graph may differ; None = as by default.

    Raises:
        UserError: The model cannot be had or is no cross-encoder, or the file gives other scores.
    """
    scorer, found = build_pair_scorer(config.reranker, config.reranker_tokens)
    tokens = TokenEncoder(found.tokenizer, config.reranker_tokens)
    specs = _specs(tokens.num_tokens, scorer.reads_segments)
    arrays = tokens.trim(tokens.encode_pairs(query, [*texts[:PARITY_TEXTS], "", query]))
    score = ArraySpec(name=SCORE, shape=("batch",), dtype="float32", meaning="How well the text answers; any scale.")
    with new_folder(target) as folder:
        taken = {spec.name: arrays[spec.name] for spec in specs}
        parity, _ = export_proven(_Served(scorer), taken, specs, score, folder / GRAPH, export or ExportConfig())
        facts = RerankerFacts(
            max_tokens=config.reranker_tokens,
            reranked=config.reranked,
            reads_segments=scorer.reads_segments,
            parity=parity,
        )
        (folder / FACTS).write_text(facts.model_dump_json(indent=2), encoding="utf-8")
        (folder / TOKENIZER).write_text(found.tokenizer, encoding="utf-8")


class _Served(nn.Module):
    """The cross-encoder with named outputs."""

    def __init__(self, scorer: PairScorer) -> None:
        super().__init__()
        self.scorer = scorer

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        return {SCORE: self.scorer(**inputs)}


def _specs(num_tokens: int, reads_segments: bool) -> tuple[ArraySpec, ...]:
    shape = ("batch", "length")
    tokens = ArraySpec(name=TOKENS, shape=shape, dtype="int32", range=(0, num_tokens - 1), meaning="Tokens, padded.")
    segments = ArraySpec(name=SEGMENTS, shape=shape, dtype="int32", range=(0, 1), meaning="1 = of the second text.")
    return (tokens, segments) if reads_segments else (tokens,)
