"""Which of the entries found answers a query, how surely, and whether none does: search under the one decision policy.

Legend: C candidates, F features of a candidate.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from core.config import Record
from core.evaluation.calibration import softmax
from core.evaluation.decision import DecisionPolicy, Verdict
from core.retrieval.entry import Entry
from core.retrieval.knowledge_base import Candidate, KnowledgeBase
from core.retrieval.retrieval import Hit, Retrieval
from core.texts import Text

FloatArray = npt.NDArray[np.float64]
Reranker = Callable[[str, Sequence[str]], Sequence[float]]
"""A cross-encoder: how well each of the texts answers the query; any scale."""
NO_ANSWER = Text("The knowledge base has no answer to this.", "知识库中没有这个问题的答案。")
NOTHING_FOUND = Text("Nothing in the knowledge base resembles this.", "知识库中没有与此相近的内容。")
FEATURES = ("word_score", "word_coverage", "vector_score", "rerank_score")
SIGNS = ("word_coverage", "vector_score", "word_score", "margin", "rerank_score")
"""What tells whether the first candidate answers at all; see `answer_signs`."""


class RetrievalPolicy(Record):
    """How candidates are weighed and when there is no answer; retrieval.json. Fitted by `fit_retrieval`."""

    weights: tuple[float, float, float, float]
    """What each of word score, word coverage, vector score and re-ranker's score adds to a candidate's logit."""
    sign_weights: tuple[float, float, float, float, float]
    """What each sign of an answer adds to the logit that there is one."""
    sign_bias: float
    """Added to that logit."""
    pool: int
    """Candidates that are weighed."""
    decision: DecisionPolicy
    """Temperature of the logits, prediction sets, and the novelty above which there is no answer."""
    fitted_on: str
    """queries, pseudo_queries where there were too few, or nothing."""

    def logits(self, features_CF: FloatArray) -> FloatArray:
        """One logit a candidate, not yet divided by the temperature."""
        return np.asarray(features_CF @ np.array(self.weights), np.float64)

    def novelty(self, features_CF: FloatArray) -> float:
        """Probability, as fitted, that no candidate answers; 1 where there is none."""
        if len(features_CF) == 0:
            return 1.0
        signs = answer_signs(features_CF, self.logits(features_CF))
        return float(1 / (1 + np.exp(np.clip(signs @ np.array(self.sign_weights) + self.sign_bias, -50, 50))))


def unfitted_policy() -> RetrievalPolicy:
    """For a base that was empty when it was made: BM25, and an answer where an entry holds six tenths of the query."""
    return RetrievalPolicy(
        weights=(1.0, 0.0, 0.0, 0.0),
        sign_weights=(10.0, 0.0, 0.0, 0.0, 0.0),
        sign_bias=-6.0,
        pool=20,
        decision=unfitted_decision(0.5),
        fitted_on="nothing",
    )


def unfitted_decision(coverage: float) -> DecisionPolicy:
    """For when no query tells: what is probably no answer is refused, and a set holds what the coverage leaves."""
    return DecisionPolicy(
        temperature=1.0,
        ece_before=None,
        ece_after=None,
        novelty_threshold=0.5,
        accepted_share=1.0,
        coverage=coverage,
        conformal_quantile=coverage,
        num_examples=0,
    )


def search(
    knowledge: KnowledgeBase,
    policy: RetrievalPolicy,
    query: str,
    language: str = "",
    *,
    reranker: Reranker | None = None,
    limit: int = 10,
) -> Retrieval:
    """The entries that may answer a query, best first, and whether one may answer with them.

    Args:
        knowledge: Is searched.
        policy: Fitted on it.
        query: As the customer wrote it.
        language: en or zh, where known; see `KnowledgeBase.search`.
        reranker: The one that the policy was fitted with.
        limit: Hits that are given, at most.
    """
    candidates = knowledge.search(query, policy.pool, language)
    if not candidates:
        return Retrieval((), Verdict("refused", (NOTHING_FOUND,), ()), 1.0)
    features_CF = candidate_features(query, candidates, reranker)
    logits_C, novelty = policy.logits(features_CF), policy.novelty(features_CF)
    order_C = np.argsort(-logits_C, kind="stable")
    probabilities_C = softmax(logits_C[None, order_C], policy.decision.temperature)[0]
    is_familiar = bool(policy.decision.is_familiar(np.array([novelty]), 1)[0])
    ids = [candidates[place].entry.entry_id for place in order_C]
    verdict = policy.decision.judge(probabilities_C[None], None, ids, [() if is_familiar else (NO_ANSWER,)])[0]
    hits = [
        Hit(
            entry=candidates[place].entry,
            score=float(logits_C[place]),
            word_score=candidates[place].word_score,
            vector_score=candidates[place].vector_score,
            rerank_score=float(features_CF[place, 3]) if reranker else None,
            probability=float(probability),
        )
        for place, probability in zip(order_C[:limit], probabilities_C, strict=False)
    ]
    return Retrieval(tuple(hits), verdict, novelty)


def answer_without(
    knowledge: KnowledgeBase,
    policy: RetrievalPolicy,
    query: str,
    entry_id: str,
    language: str = "",
    *,
    reranker: Reranker | None = None,
) -> float:
    """The novelty of a query if the base had no such entry."""
    candidates = knowledge.search(query, policy.pool + 1, language)
    rest = [found for found in candidates if found.entry.entry_id != entry_id][: policy.pool]
    return policy.novelty(candidate_features(query, rest, reranker))


def candidate_features(query: str, candidates: Sequence[Candidate], reranker: Reranker | None) -> FloatArray:
    """(C, F) in the order of FEATURES; 0 for what there is not."""
    features_CF = np.zeros((len(candidates), len(FEATURES)))
    for row, found in enumerate(candidates):
        features_CF[row, :3] = found.word_score, found.word_coverage, found.vector_score or 0.0
    if reranker and candidates:
        features_CF[:, 3] = np.asarray(reranker(query, [text_of(found.entry) for found in candidates]), np.float64)
    return features_CF


def text_of(entry: Entry) -> str:
    """What a cross-encoder reads of an entry."""
    return f"{entry.question}\n{entry.answer}".strip()


def answer_signs(features_CF: FloatArray, logits_C: FloatArray) -> FloatArray:
    """Signs that the first candidate answers, in the order of SIGNS; its margin is that over the second one."""
    order_C = np.argsort(-logits_C, kind="stable")
    first, second = order_C[0], order_C[min(1, len(order_C) - 1)]
    word_score, coverage, vector_score, rerank_score = features_CF[first]
    margin = logits_C[first] - logits_C[second]
    return np.array([coverage, vector_score, np.log1p(word_score), np.tanh(margin / 4), rerank_score])
