"""How well a knowledge base answers: where the right entry stands, what is answered, and what is known to have none."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.evaluation.discrimination import Discrimination
from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.ranking import gains_of_lists, ranking_metrics
from core.evaluation.uncertainty import Estimate, FloatArray, bootstrap, proportion
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.knowledge_tables import Query
from core.retrieval.policy import Reranker, RetrievalPolicy, answer_without, search

DEPTH = 10


class _Judged(NamedTuple):
    ids: tuple[str, ...]
    decision: str
    in_set: bool
    novelty: float
    novelty_without: float


def evaluate_retrieval(
    knowledge: KnowledgeBase,
    policy: RetrievalPolicy,
    queries: Sequence[Query],
    *,
    out_of_scope: Sequence[str] = (),
    reranker: Reranker | None = None,
    resamples: int = 0,
    seed: int = 0,
) -> Evaluation:
    """`recall@k`, `mrr` and `ndcg@10`; `no_answer_auroc` and, of texts out of scope, `out_of_scope_auroc`.

    For `no_answer_auroc` each query is compared with those whose entry is taken out of the base; for
    `out_of_scope_auroc` with the texts given. `answered` is the share of queries that are answered at once,
    `answered_right` the share of these with the right entry first, `false_answers` the share of texts out of scope that
    are answered at once.

    Args:
        knowledge: Is searched, each query in the language of its entry.
        policy: Fitted on other queries.
        queries: Those of no entry count as missed.
        out_of_scope: Texts that no entry answers.
        reranker: The one that the policy was fitted with.
        resamples: Bootstrap resamples; 0 = no intervals.
        seed: Of the resamples.
    """
    judged = [_judge(knowledge, policy, query, reranker) for query in queries]
    gains_NC = gains_of_lists([one.ids for one in judged], [{query.entry_id} for query in queries], DEPTH)
    metrics = dict(ranking_metrics(gains_NC, resamples=resamples, seed=seed))
    familiar = [one.novelty for one in judged]
    if judged:
        without = [one.novelty_without for one in judged]
        metrics["no_answer_auroc"] = estimate_auroc(familiar, without, resamples, seed)
    strange = [search(knowledge, policy, text, reranker=reranker, limit=1) for text in out_of_scope]
    if judged and strange:
        metrics["out_of_scope_auroc"] = estimate_auroc(familiar, [one.novelty for one in strange], resamples, seed)
    right = [bool(one.ids) and one.ids[0] == query.entry_id for one, query in zip(judged, queries, strict=True)]
    is_answered = [one.decision == "answered" for one in judged]
    metrics["answered"] = proportion(is_answered)
    if any(is_answered):
        metrics["answered_right"] = proportion([r for r, a in zip(right, is_answered, strict=True) if a])
    if strange:
        metrics["false_answers"] = proportion([one.verdict.decision == "answered" for one in strange])
    return Evaluation(metrics, {"decisions": _decisions(judged, right)})


def _judge(knowledge: KnowledgeBase, policy: RetrievalPolicy, query: Query, reranker: Reranker | None) -> _Judged:
    entry = knowledge.get(query.entry_id)
    language = entry.language if entry else ""
    found = search(knowledge, policy, query.query, language, reranker=reranker, limit=DEPTH)
    without = answer_without(knowledge, policy, query.query, query.entry_id, language, reranker=reranker)
    ids = tuple(hit.entry.entry_id for hit in found.hits)
    is_in_set = query.entry_id in found.verdict.prediction_set
    return _Judged(ids, found.verdict.decision, is_in_set, found.novelty, without)


def estimate_auroc(familiar: Sequence[float], strange: Sequence[float], resamples: int, seed: int = 0) -> Estimate:
    """How well novelty tells the strange from the familiar, with its interval; needs some of both."""
    scores_N = np.array([*familiar, *strange])
    parted = Discrimination(scores_N, np.arange(len(scores_N)) >= len(familiar))

    def statistic(counts_NR: FloatArray) -> dict[str, FloatArray]:
        return {"auroc": parted.measure(counts_NR)[0]}

    return bootstrap(statistic, len(scores_N), resamples, seed)["auroc"]


def _decisions(judged: Sequence[_Judged], right: Sequence[bool]) -> Table:
    """For each decision how many queries met it, how many had the right entry first, and how many in the set."""
    rows = []
    for decision in ("answered", "unsure", "refused"):
        chosen = [place for place, one in enumerate(judged) if one.decision == decision]
        first = sum(right[place] for place in chosen)
        rows.append((decision, len(chosen), first, sum(judged[place].in_set for place in chosen)))
    return Table(("decision", "queries", "right_first", "right_in_set"), tuple(rows))
