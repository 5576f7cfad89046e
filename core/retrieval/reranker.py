"""A cross-encoder as it is served: a query with the texts that were found, to scores, by ONNX Runtime."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.config import Record
from core.data.tokens import SEGMENTS, TOKENS, TokenEncoder
from core.export.session import Session
from core.retrieval.served_model import reading_model

GRAPH, FACTS, TOKENIZER = "reranker.onnx", "reranker.json", "tokenizer.json"
SCORE = "score"
BATCH = 8
"""Pairs of like length share a batch; larger ones gain nothing on a CPU, and are padded more."""


class RerankerFacts(Record):
    """What its graph takes, and how it was proven; reranker.json."""

    max_tokens: int
    """Tokens of a pair that are read."""
    reranked: int
    """Texts that are read for one query, the first ones."""
    reads_segments: bool
    """Whether the graph is told which tokens are of the second text."""
    parity: float
    """Largest difference of a score between the graph and the pretrained model."""


class CrossEncoder:
    """How well each of some texts answers a query. Safe to call from several threads.

    Args:
        session: Of the graph.
        tokens: Of its tokenizer.
        facts: Of the graph.
    """

    def __init__(self, session: Session, tokens: TokenEncoder, facts: RerankerFacts) -> None:
        self.session, self.tokens, self.facts = session, tokens, facts

    def __call__(self, query: str, texts: Sequence[str]) -> list[float]:
        """Scores of texts, which stand best first; those that are too many get the least of the others'."""
        read = texts[: self.facts.reranked]
        scores = [0.0] * len(read)
        order = sorted(range(len(read)), key=lambda place: len(read[place]))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            arrays = self.tokens.trim(self.tokens.encode_pairs(query, [read[place] for place in places]))
            for place, score in zip(places, self.session.run(arrays)[SCORE].tolist(), strict=True):
                scores[place] = score
        return scores + [min(scores, default=0.0)] * (len(texts) - len(read))


def load_reranker(folder: Path, *, threads: int = 1) -> CrossEncoder:
    """Reads a cross-encoder that `export_reranker` wrote.

    Args:
        folder: With reranker.onnx, reranker.json and tokenizer.json.
        threads: Inside one call; 0 = one a core.

    Raises:
        UserError: A file is missing or damaged.
    """
    with reading_model("cross-encoder", folder, f"{GRAPH}, {FACTS} and {TOKENIZER}"):
        facts = RerankerFacts.model_validate_json((folder / FACTS).read_text(encoding="utf-8"))
        tokens = TokenEncoder((folder / TOKENIZER).read_text(encoding="utf-8"), facts.max_tokens)
        inputs = (TOKENS, SEGMENTS) if facts.reads_segments else (TOKENS,)
        session = Session(folder / GRAPH, inputs, threads=threads)
    return CrossEncoder(session, tokens, facts)


def remember_scores(
    reranker: Callable[[str, Sequence[str]], list[float]],
) -> Callable[[str, Sequence[str]], list[float]]:
    """The same, asked once only for the same query and texts: fitting and measuring ask the same again and again."""
    known: dict[tuple[str, tuple[str, ...]], list[float]] = {}

    def scores(query: str, texts: Sequence[str]) -> list[float]:
        asked = (query, tuple(texts))
        if asked not in known:
            known[asked] = list(reranker(query, texts))
        return known[asked]

    return scores
