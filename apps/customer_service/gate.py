"""The one gate: what the intent verdict and the retrieval verdict together allow the bot to do."""

from dataclasses import dataclass
from typing import Literal

from core.evaluation.decision import MORE_LIKELY_THAN_NOT, Decision
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Hit, Retrieval
from core.tasks.text_answer import TextAnswer

AGREED = 0.95
"""Two unsure verdicts for the same entry are as good as one that is sure from this joint probability on."""
NUM_OFFERED = 3
"""Meanings that a "did you mean" has room for."""


@dataclass(frozen=True)
class Gated:
    """What may be done.

    Args:
        action: Answer with `hits`, ask back, or say that there is no answer.
        reason: Which verdict led there.
        decision: As the whole: answered, unsure, refused.
        confidence: Of the verdict that decided, in [0, 1].
        hits: The entry to answer with first; empty unless answered.
    """

    action: Literal["answer", "clarify", "fallback"]
    reason: Literal["retrieval", "intent", "unsure", "disagreement", "out_of_scope", "no_knowledge"]
    decision: Decision
    confidence: float
    hits: tuple[Hit, ...] = ()


def judge_both(intent: TextAnswer, retrieval: Retrieval, entry: Entry | None) -> Gated:
    """Combines the two verdicts.

    Where one answered and the other has no objection, that is the answer. Where both have an entry and not the same,
    retrieval is followed if it is the more probable, for it has seen the entry's words; else the customer is asked.
    Where one is unsure the customer is asked too, unless not even the likeliest meanings are likely. Two that are
    unsure but name the same entry first count together.

    Args:
        intent: The intent model's word.
        retrieval: The knowledge base's word.
        entry: The entry of the first intent; None = it has none.
    """
    if not retrieval.hits and entry is None:
        return Gated("fallback", "no_knowledge", "refused", _sureness(intent))
    meant, found = intent.verdict.decision, retrieval_decision(retrieval)
    by_intent = put_first(entry, retrieval.hits, _sureness(intent)) if entry and meant == "answered" else ()
    if found == "answered":
        return _found(intent, retrieval, by_intent)
    if by_intent:
        return _understood(intent, retrieval, by_intent)
    if (meant, found) == ("unsure", "unsure") and (agreed := _agreed(intent, retrieval)) >= AGREED:
        return Gated("answer", "intent", "answered", agreed, retrieval.hits)
    if "unsure" in (meant, found) and _share_offered(intent, retrieval) >= MORE_LIKELY_THAN_NOT:
        return _ask("unsure", intent, retrieval)
    reason: Literal["out_of_scope", "no_knowledge"] = "no_knowledge" if meant == "answered" else "out_of_scope"
    return Gated("fallback", reason, "refused", _sureness(intent))


def retrieval_decision(retrieval: Retrieval) -> Decision:
    """The decision on what was found; refused where nothing was."""
    return retrieval.verdict.decision if retrieval.hits else "refused"


def find_entry(intent: TextAnswer, retrieval: Retrieval) -> Entry | None:
    """The best entry found that answers the first intent."""
    label = intent.label
    return next((hit.entry for hit in retrieval.hits if label and hit.entry.intent == label), None)


def _found(intent: TextAnswer, retrieval: Retrieval, by_intent: tuple[Hit, ...]) -> Gated:
    """Retrieval answered; the intent may agree, have nothing to say, or name another entry."""
    first = retrieval.hits[0]
    answered = Gated("answer", "retrieval", "answered", first.probability, retrieval.hits)
    if by_intent and by_intent[0].entry.entry_id == first.entry.entry_id:
        return Gated("answer", "intent", "answered", max(first.probability, _sureness(intent)), retrieval.hits)
    objects = bool(by_intent) or (
        intent.verdict.decision == "unsure" and first.entry.intent not in ("", *intent.verdict.prediction_set)
    )
    if objects and first.probability <= _sureness(intent):
        return _ask("disagreement", intent, retrieval)
    return answered


def _understood(intent: TextAnswer, retrieval: Retrieval, by_intent: tuple[Hit, ...]) -> Gated:
    """The intent answered; retrieval did not: it is unsure, or knows no answer."""
    if retrieval_decision(retrieval) == "unsure":
        own = by_intent[0].entry.entry_id
        if own not in retrieval.verdict.prediction_set:
            return _ask("unsure", intent, retrieval)
        first = retrieval.hits[0]
        # One intent may have many entries near it, and an entry of its own may fit the words better.
        if first.entry.entry_id != own and first.probability > MORE_LIKELY_THAN_NOT:
            return _ask("disagreement", intent, retrieval)
    return Gated("answer", "intent", "answered", _sureness(intent), by_intent)


def _agreed(intent: TextAnswer, retrieval: Retrieval) -> float:
    """Probability of an entry that both name first, as of two witnesses that know nothing of each other; 0 if not."""
    first, sure = retrieval.hits[0], _sureness(intent)
    if first.entry.intent != intent.label:
        return 0.0
    both = first.probability * sure
    return both / max(both + (1 - first.probability) * (1 - sure), 1e-12)


def _ask(reason: Literal["unsure", "disagreement"], intent: TextAnswer, retrieval: Retrieval) -> Gated:
    best = retrieval.hits[0].probability if retrieval.hits else 0.0
    return Gated("clarify", reason, "unsure", max(best, _sureness(intent)))


def in_one_language(hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """The hits in the language of the first: a search may add entries of another one at the end."""
    return tuple(
        hit for hit in hits if not hits[0].entry.language or hit.entry.language in ("", hits[0].entry.language)
    )


def put_first(entry: Entry, hits: tuple[Hit, ...], probability: float) -> tuple[Hit, ...]:
    """The hits with an entry at the front, whether it was found among them or not.

    Args:
        entry: To answer with.
        hits: What was found.
        probability: Of the entry where it was not found.
    """
    own = next((hit for hit in hits if hit.entry.entry_id == entry.entry_id), None)
    first = own or Hit(entry, 0.0, None, None, probability=probability)
    return (first, *(hit for hit in hits if hit.entry.entry_id != entry.entry_id))


def _share_offered(intent: TextAnswer, retrieval: Retrieval) -> float:
    """Probability that one of the few likeliest meanings is meant, by the surer of the verdicts that are not refused.

    A set of twenty meanings is no question that one can ask: offering three of them at random only looks like one.
    """
    by_intent = sum(share for _, share in intent.ranking[:NUM_OFFERED])
    by_search = sum(hit.probability for hit in retrieval.hits[:NUM_OFFERED])
    return max(
        by_intent if intent.verdict.decision != "refused" else 0.0,
        by_search if retrieval_decision(retrieval) != "refused" else 0.0,
    )


def _sureness(intent: TextAnswer) -> float:
    return intent.ranking[0][1]
