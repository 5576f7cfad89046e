"""Search under the policy: what answers, how surely, and what has no answer."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from core.config import DecisionConfig
from core.retrieval.entry import Entry
from core.retrieval.evaluate_retrieval import evaluate_retrieval
from core.retrieval.fit_knowledge import add_known_queries, fit_knowledge
from core.retrieval.fit_retrieval import fit_retrieval
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.knowledge_tables import Query
from core.retrieval.policy import RetrievalPolicy, search, unfitted_policy

from .shop import CUSTOMERS, FRAMES, OUT_OF_SCOPE, TEAM, TRAIN, VALIDATION, make_entries

CONFIG = DecisionConfig()


class WordsOfBoth:
    """Knows which words of customers mean which of the team: the n-th of each lies on the n-th axis."""

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        words = list(zip(CUSTOMERS, TEAM, strict=True))
        rows = np.array([[*(float(c in text or t in text) for c, t in words), 0.1] for text in texts], np.float32)
        vectors: npt.NDArray[np.float32] = rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))
        return vectors


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeBase:
    return KnowledgeBase(make_entries(), None, WordsOfBoth())


@pytest.fixture(scope="module")
def policy(knowledge: KnowledgeBase) -> RetrievalPolicy:
    return fit_retrieval(knowledge, [*TRAIN, *VALIDATION], CONFIG, out_of_scope=OUT_OF_SCOPE)


def test_entry_is_found_by_meaning_and_answered(knowledge: KnowledgeBase, policy: RetrievalPolicy) -> None:
    found = search(knowledge, policy, "my coupon does nothing", "en")
    assert found.hits[0].entry.entry_id == "e2"
    assert found.verdict.decision == "answered"
    assert found.verdict.prediction_set == ("e2",)
    assert found.hits[0].probability > 0.9
    assert sum(hit.probability for hit in found.hits) == pytest.approx(1, abs=1e-6)
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)


def test_question_that_no_entry_answers_is_refused(knowledge: KnowledgeBase, policy: RetrievalPolicy) -> None:
    found = search(knowledge, policy, "which team won the cup", "en")
    assert found.verdict.decision == "refused"
    assert found.novelty > search(knowledge, policy, "coupon", "en").novelty


def test_empty_base_refuses_and_invents_nothing(policy: RetrievalPolicy) -> None:
    found = search(KnowledgeBase([]), policy, "coupon")
    assert (found.hits, found.verdict.decision, found.novelty) == ((), "refused", 1.0)
    assert found.verdict.reasons
    assert found.to_json()["hits"] == []


def test_policy_of_an_empty_base_serves_entries_added_later() -> None:
    knowledge = KnowledgeBase([])
    policy = fit_retrieval(knowledge, (), CONFIG)
    knowledge.put(make_entries()[0])
    assert search(knowledge, policy, "shipment matters").hits[0].entry.entry_id == "e0"
    assert search(knowledge, policy, "elephants").verdict.decision == "refused"


def test_policy_is_read_back_as_it_was(policy: RetrievalPolicy) -> None:
    assert RetrievalPolicy.model_validate_json(policy.model_dump_json()) == policy


def test_without_queries_the_order_is_that_of_the_words(knowledge: KnowledgeBase) -> None:
    words = KnowledgeBase(make_entries())
    policy = fit_retrieval(words, VALIDATION[:5], CONFIG, out_of_scope=OUT_OF_SCOPE)
    assert policy.fitted_on == "pseudo_queries"
    query = "voucher matters team 4"
    ids = [candidate.entry.entry_id for candidate in words.search(query, 10)]
    assert [hit.entry.entry_id for hit in search(words, policy, query).hits] == ids
    assert search(words, policy, "What about voucher matters?").hits[0].entry.entry_id == "e2"


def test_encoder_counts_without_queries_too(knowledge: KnowledgeBase) -> None:
    policy = fit_retrieval(knowledge, (), CONFIG, out_of_scope=OUT_OF_SCOPE)
    assert policy.fitted_on == "pseudo_queries"
    assert search(knowledge, policy, "my coupon does nothing", "en").hits[0].entry.entry_id == "e2"


def test_vectors_get_weight_where_words_find_nothing(policy: RetrievalPolicy) -> None:
    assert policy.fitted_on == "queries"
    assert policy.weights[2] > 1
    assert min(policy.weights) >= 0
    assert min(policy.sign_weights) >= 0


def test_reranker_decides_where_it_knows_better() -> None:
    words = KnowledgeBase(
        add_known_queries(make_entries(), [Query(query="item help", entry_id=f"e{n}") for n in range(10)])
    )
    queries = [Query(query="item help", entry_id="e7") for _ in range(20)]

    def reranker(query: str, texts: Sequence[str]) -> list[float]:
        return [float("pickup" in text) for text in texts]

    policy = fit_retrieval(words, queries, CONFIG, reranker=reranker)
    found = search(words, policy, "item help", reranker=reranker)
    assert found.hits[0].entry.entry_id == "e7"
    assert found.hits[0].rerank_score == 1.0


def test_evaluation_measures_rank_and_refusal(knowledge: KnowledgeBase, policy: RetrievalPolicy) -> None:
    evaluation = evaluate_retrieval(knowledge, policy, VALIDATION, out_of_scope=OUT_OF_SCOPE, resamples=20)
    metrics = evaluation.metrics
    assert metrics["recall@1"].value == 1.0
    assert metrics["no_answer_auroc"].value > 0.9
    assert metrics["out_of_scope_auroc"].value > 0.9
    assert metrics["answered"].value > 0.8
    counts = evaluation.tables["decisions"].column("queries")
    assert sum(count for count in counts if isinstance(count, int)) == len(VALIDATION)


def test_queries_of_no_entry_count_as_missed(knowledge: KnowledgeBase, policy: RetrievalPolicy) -> None:
    evaluation = evaluate_retrieval(knowledge, policy, [Query(query="coupon", entry_id="gone")])
    assert evaluation.metrics["mrr"].value == 0.0


def test_training_queries_are_known_where_they_help() -> None:
    assert fit_knowledge(make_entries(), TRAIN, VALIDATION, None, CONFIG).knows_queries


def test_training_queries_that_mislead_are_not_known() -> None:
    frames = FRAMES[5:]
    direct = [Query(query=f.format(word), entry_id=f"e{n}") for f in frames for n, word in enumerate(TEAM)]
    # Each training query names what belongs to the next entry.
    wrong = [Query(query=query.query, entry_id=f"e{(int(query.entry_id[1:]) + 1) % 10}") for query in direct]
    fitted = fit_knowledge(make_entries(), wrong, direct, None, CONFIG)
    assert not fitted.knows_queries
    assert fitted.knowledge.entries() == make_entries()


def test_base_that_was_empty_answers_from_what_was_added_and_from_nothing_else() -> None:
    knowledge, policy = KnowledgeBase([]), unfitted_policy()
    assert search(knowledge, policy, "where is my parcel").verdict.decision == "refused"
    knowledge.put(Entry(entry_id="a", question="Where is my parcel?", answer="Look at the tracking page."))
    assert search(knowledge, policy, "where is my parcel").verdict.decision == "answered"
    assert search(knowledge, policy, "do you sell blue elephants").verdict.decision == "refused"
