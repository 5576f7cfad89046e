"""What a search gives: the entries found, each with its scores, and whether one may answer with them."""

from dataclasses import dataclass
from typing import Any

from core.evaluation.decision import Verdict
from core.retrieval.entry import Entry


@dataclass(frozen=True)
class Hit:
    """One entry found.

    Args:
        entry: What was found.
        score: Fused; higher is better.
        word_score: BM25; None = not among its candidates.
        vector_score: Cosine in [-1, 1]; None = there is no encoder, or not among its candidates.
        rerank_score: Of the cross-encoder; None = not re-ranked.
        probability: Calibrated probability that this entry is the right one among those found.
    """

    entry: Entry
    score: float
    word_score: float | None
    vector_score: float | None
    rerank_score: float | None = None
    probability: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Identity, scores and link, JSON-ready."""
        return {
            "entry_id": self.entry.entry_id,
            "question": self.entry.question,
            "url": self.entry.url,
            "probability": round(self.probability, 4),
            "score": round(self.score, 4),
            "word_score": None if self.word_score is None else round(self.word_score, 4),
            "vector_score": None if self.vector_score is None else round(self.vector_score, 4),
            "rerank_score": None if self.rerank_score is None else round(self.rerank_score, 4),
        }


@dataclass(frozen=True)
class Retrieval:
    """The entries that may answer a question, best first.

    Args:
        hits: Best first; empty where nothing was found.
        verdict: Answered: the first entry answers. Unsure: one of several does (prediction_set holds the entry ids).
            Refused: there is no answer in the knowledge base.
        novelty: How unlike a question that the knowledge base answers; higher is stranger.
    """

    hits: tuple[Hit, ...]
    verdict: Verdict
    novelty: float

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**self.verdict.to_json(), "hits": [hit.to_json() for hit in self.hits]}
