"""Chooses on validation queries what a knowledge base holds and how it is searched."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from core.config import DecisionConfig
from core.retrieval.base_index import Encoder
from core.retrieval.entry import Entry
from core.retrieval.evaluate_retrieval import evaluate_retrieval
from core.retrieval.fit_retrieval import FEWEST_QUERIES, fit_retrieval
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.knowledge_tables import Query
from core.retrieval.policy import Reranker, RetrievalPolicy


class FittedKnowledge(NamedTuple):
    """What is to be kept.

    Args:
        knowledge: Ready to be searched; its `entries()` are what is saved.
        policy: How it is searched.
        knows_queries: Whether training queries became known queries of their entries.
    """

    knowledge: KnowledgeBase
    policy: RetrievalPolicy
    knows_queries: bool


def fit_knowledge(
    entries: Sequence[Entry],
    train: Sequence[Query],
    validation: Sequence[Query],
    encoder: Encoder | None,
    config: DecisionConfig,
    *,
    out_of_scope: Sequence[str] = (),
    reranker: Reranker | None = None,
) -> FittedKnowledge:
    """A knowledge base with the policy fitted on it.

    Training queries become known queries of their entries where validation queries then find theirs better. They do
    where customers ask alike; where each asks in words of his own, they only mislead.

    Args:
        entries: As the team wrote them.
        train: Queries that the encoder was trained on.
        validation: Queries that it was not.
        encoder: None = words alone.
        config: Coverage, and what the threshold of no answer may cost.
        out_of_scope: Texts that no entry answers, for validation.
        reranker: The one that will be searched with.
    """
    best: FittedKnowledge | None = None
    best_mrr = -1.0
    is_open = bool(train) and len(validation) >= FEWEST_QUERIES
    for knows in (False, True) if is_open else (False,):
        knowledge = KnowledgeBase(add_known_queries(entries, train) if knows else entries, None, encoder)
        policy = fit_retrieval(knowledge, validation, config, out_of_scope=out_of_scope, reranker=reranker)
        mrr = 0.0
        if is_open:
            mrr = evaluate_retrieval(knowledge, policy, validation, reranker=reranker).metrics["mrr"].value
        if mrr > best_mrr:
            best, best_mrr = FittedKnowledge(knowledge, policy, knows), mrr
    assert best is not None
    return best


def add_known_queries(entries: Sequence[Entry], queries: Sequence[Query]) -> list[Entry]:
    """The entries with these queries added to those that they are known to answer, each once."""
    asked: dict[str, list[str]] = defaultdict(list)
    for query in queries:
        asked[query.entry_id].append(query.query)
    return [
        entry.model_copy(
            update={"known_queries": tuple(dict.fromkeys([*entry.known_queries, *asked.get(entry.entry_id, ())]))}
        )
        for entry in entries
    ]
