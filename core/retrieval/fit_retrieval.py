"""Learns from validation queries how to weigh words against vectors, and when the knowledge base has no answer.

Legend: N queries, C candidates, F features.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.config import DecisionConfig
from core.evaluation.decision import fit_policy
from core.retrieval.entry import Entry
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.knowledge_tables import Query
from core.retrieval.policy import (
    FEATURES,
    SIGNS,
    Reranker,
    RetrievalPolicy,
    answer_signs,
    candidate_features,
    unfitted_decision,
)

FloatArray = npt.NDArray[np.float64]
POOL = 20
FEWEST_QUERIES = 20
"""Validation queries that find their entry; with fewer, the entries' own questions stand in."""
MOST_QUERIES = 2000
WORD_WEIGHTS = (1.0, 0.0, 0.0, 0.0)
"""The order of BM25."""
BOTH_WEIGHTS = (0.5, 0.0, 10.0, 0.0)
"""Where the weights of words and vectors start from."""
MOST_ENTRIES = 5000
"""Entries among whose answers the entries' own questions are sought, at most."""
WEIGHT_PRIOR, SIGN_PRIOR = 0.01, 1.0
"""Strength of the pull of weights to where they start."""


class Asked(NamedTuple):
    """One query with what it found.

    Args:
        features_CF: Of the candidates.
        right: Place of the right one among them; None = it is not there.
    """

    features_CF: FloatArray
    right: int | None

    def without_right(self) -> "Asked":
        """As if the base had no such entry."""
        if self.right is None:
            return self
        return Asked(np.delete(self.features_CF, self.right, axis=0), None)


def fit_retrieval(
    knowledge: KnowledgeBase,
    validation: Sequence[Query],
    config: DecisionConfig,
    *,
    out_of_scope: Sequence[str] = (),
    reranker: Reranker | None = None,
) -> RetrievalPolicy:
    """Weights, temperature, sets and the threshold of no answer.

    What has no answer is learnt from the same queries, their own entry taken away, and from texts out of scope. With
    too few queries the entries' own questions, sought among the answers alone, take their place; where there is no
    encoder either, candidates keep the order of BM25.

    Args:
        knowledge: Holds no validation query; its encoder was not trained on them.
        validation: Queries with their entries.
        config: Coverage, and what the threshold may cost.
        out_of_scope: Texts that no entry answers.
        reranker: The one that will be searched with.
    """
    asked = [_ask(knowledge, query.query, query.entry_id, reranker) for query in validation[:MOST_QUERIES]]
    found = [one for one in asked if one.right is not None]
    strange = [_ask(knowledge, text, None, reranker) for text in out_of_scope[:MOST_QUERIES]]
    weights_F, fitted_on = np.array(WORD_WEIGHTS if knowledge.encoder is None else BOTH_WEIGHTS), "queries"
    if len(found) < FEWEST_QUERIES:
        found, fitted_on = _ask_answers(knowledge, reranker), "pseudo_queries"
    # Without queries and without an encoder nothing is better known than the order of BM25.
    is_open = fitted_on == "queries" or knowledge.encoder is not None or reranker is not None
    if found and is_open:
        weights_F = _fit_weights(found, weights_F)
    return _fit(found, strange, config, weights_F, fitted_on)


def _fit(
    found: Sequence[Asked], strange: Sequence[Asked], config: DecisionConfig, weights_F: FloatArray, fitted_on: str
) -> RetrievalPolicy:
    signs_F, bias = _fit_signs(found, [one.without_right() for one in found], strange, weights_F)
    policy = RetrievalPolicy(
        weights=tuple(weights_F.tolist()),
        sign_weights=tuple(signs_F.tolist()),
        sign_bias=bias,
        pool=POOL,
        decision=unfitted_decision(0.9),
        fitted_on=fitted_on,
    )
    if not found:  # an empty base, to which entries may be added later
        return policy
    novelty_N = np.array([policy.novelty(one.features_CF) for one in found])
    logits_NC = np.stack([_padded(policy.logits(one.features_CF)) for one in found])
    right_N = np.array([one.right for one in found], np.int64)
    places = [str(place + 1) for place in range(POOL)]
    return policy.model_copy(update={"decision": fit_policy(logits_NC, right_N, novelty_N, places, config)})


def _ask(knowledge: KnowledgeBase, text: str, entry_id: str | None, reranker: Reranker | None) -> Asked:
    entry = knowledge.get(entry_id) if entry_id else None
    candidates = knowledge.search(text, POOL, entry.language if entry else "")
    ids = [found.entry.entry_id for found in candidates]
    return Asked(candidate_features(text, candidates, reranker), ids.index(entry_id) if entry_id in ids else None)


def _ask_answers(knowledge: KnowledgeBase, reranker: Reranker | None) -> list[Asked]:
    """The questions of entries, sought in a base that holds the answers alone."""
    entries = knowledge.entries()
    entries = entries[:: -(-len(entries) // MOST_ENTRIES) or 1]
    asking = [entry for entry in entries if entry.question][:MOST_QUERIES]

    def mute(entry: Entry) -> Entry:
        return entry.model_copy(update={"question": "", "known_queries": ()})

    answers = KnowledgeBase([mute(entry) for entry in entries], None, knowledge.encoder)
    asked = [_ask(answers, entry.question, entry.entry_id, reranker) for entry in asking]
    return [one for one in asked if one.right is not None]


def _fit_weights(found: Sequence[Asked], start_F: FloatArray) -> FloatArray:
    """Weights, none below 0, under which the right candidate is the most probable among those found."""
    scale_F = np.array([1.0, 1.0, 10.0, 1.0])  # cosines differ by tenths
    features_NCF = np.stack([_padded_rows(one.features_CF) for one in found]) * scale_F
    is_there_NC = np.stack([np.arange(POOL) < len(one.features_CF) for one in found])
    right_NF = features_NCF[np.arange(len(found)), [one.right or 0 for one in found]]

    def loss(weights_F: FloatArray) -> tuple[float, FloatArray]:
        logits_NC = np.where(is_there_NC, features_NCF @ weights_F, -np.inf)
        highest_N = logits_NC.max(axis=1, keepdims=True)
        powers_NC = np.exp(logits_NC - highest_N)
        total_N = powers_NC.sum(axis=1, keepdims=True)
        expected_NF = np.einsum("nc,ncf->nf", powers_NC / total_N, features_NCF)
        likelihood = right_NF @ weights_F - highest_N[:, 0] - np.log(total_N[:, 0])
        pull_F = weights_F - start_F / scale_F
        value = -likelihood.mean() + WEIGHT_PRIOR * pull_F @ pull_F
        return float(value), (expected_NF - right_NF).mean(axis=0) + 2 * WEIGHT_PRIOR * pull_F

    return np.asarray(_minimum(loss, start_F / scale_F, [(0.0, None)] * len(FEATURES)) * scale_F)


def _fit_signs(
    found: Sequence[Asked], removed: Sequence[Asked], strange: Sequence[Asked], weights_F: FloatArray
) -> tuple[FloatArray, float]:
    """Logistic regression of answer against no answer, none of its weights below 0; both sides weigh the same.

    Queries whose entry is gone and texts out of scope share the second side by halves.
    """
    sides = [[one for one in side if len(one.features_CF)] for side in (found, removed, strange)]
    if not sides[0] or not (sides[1] or sides[2]):
        return np.array([10.0, 0.0, 0.0, 0.0, 0.0]), -3.0  # a third of a query's words must be known
    shares = (1.0, 0.5, 0.5) if sides[1] and sides[2] else (1.0, 1.0, 1.0)
    signs_NF = np.stack([answer_signs(one.features_CF, one.features_CF @ weights_F) for side in sides for one in side])
    weight_N = np.concatenate(
        [np.full(len(side), share / max(1, len(side))) for side, share in zip(sides, shares, strict=True)]
    )
    sign_N = np.concatenate([np.full(len(side), 1.0 if place == 0 else -1.0) for place, side in enumerate(sides)])
    weight_N *= len(sides[0]) / 2

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        margin_N = sign_N * (signs_NF @ parameters[:-1] + parameters[-1])
        slope_N = -weight_N * sign_N / (1 + np.exp(np.clip(margin_N, -50, 50)))
        pull = np.append(SIGN_PRIOR * parameters[:-1] / 100, 0.0)
        value = weight_N @ np.logaddexp(0, -margin_N) + pull @ parameters / 2
        return float(value), np.append(slope_N @ signs_NF, slope_N.sum()) + pull

    bounds: list[tuple[float | None, float | None]] = [(0.0, None)] * len(SIGNS)
    fitted = _minimum(loss, np.zeros(len(SIGNS) + 1), [*bounds, (None, None)])
    return fitted[:-1], float(fitted[-1])


def _minimum(
    loss: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    bounds: Sequence[tuple[float | None, float | None]],
) -> FloatArray:
    from scipy.optimize import minimize

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=list(bounds)).x, np.float64)


def _padded(logits_C: FloatArray) -> FloatArray:
    """As many logits as the pool has places; those that are not there are as good as impossible."""
    return np.concatenate([logits_C, np.full(POOL - len(logits_C), logits_C.min() - 10)])


def _padded_rows(features_CF: FloatArray) -> FloatArray:
    return np.concatenate([features_CF, np.zeros((POOL - len(features_CF), features_CF.shape[1]))])
