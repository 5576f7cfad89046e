"""What a message is taken to mean: judged by itself, or together with the turn before that it leans on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from apps.customer_service.follow_up import find_topic, is_short, lean_on_before, with_topic
from apps.customer_service.gate import Gated, find_entry, judge_both
from apps.customer_service.session import Session
from apps.customer_service.slots import find_slots
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Retrieval
from core.tasks.text_answer import TextAnswer
from core.texts import Language

Understand = Callable[[str], TextAnswer]
"""Text to what the intent model says about it."""
Search = Callable[[str, str], Retrieval]
"""Query and language to what the knowledge base has."""
EntryOfIntent = Callable[[str, str], Entry | None]
"""Intent label and language to the entry that answers it; None = there is none."""


@dataclass(frozen=True)
class Judged:
    """One query with the verdicts on it.

    Args:
        query: The message, or it with the question that it leans on.
        intent: Of the query.
        retrieval: Of the query.
        gated: What both together allow.
        is_alone: The turn before was not needed.
    """

    query: str
    intent: TextAnswer
    retrieval: Retrieval
    gated: Gated
    is_alone: bool = True

    @property
    def is_answered(self) -> bool:
        """May one answer?"""
        return self.gated.action == "answer"

    @property
    def entry_id(self) -> str:
        """Of the entry to answer with; empty = there is none."""
        return self.gated.hits[0].entry.entry_id if self.gated.hits else ""


@dataclass(frozen=True)
class Judge:
    """The two models and the gate.

    Args:
        understand: The intent model.
        search: The knowledge base.
        entry_of_intent: Finds the entry of an intent that the search did not find.
        is_complete: Labels that say everything by themselves, such as thanks.
    """

    understand: Understand
    search: Search
    entry_of_intent: EntryOfIntent
    is_complete: Callable[[str], bool]

    def judge(self, query: str, language: Language) -> Judged:
        """One query, by itself."""
        intent, retrieval = self.understand(query), self.search(query, language)
        entry = find_entry(intent, retrieval) or self.entry_of_intent(intent.label, language)
        return Judged(query, intent, retrieval, judge_both(intent, retrieval, entry))

    def hear(self, session: Session, text: str, language: Language) -> Judged:
        """A message in its session.

        With a pronoun or an ellipsis ("how long does that take?") it is read together with the question before. With
        a mere "and", or if it is only short, that is done only when it means nothing by itself.
        """
        alone = self.judge(text, language)
        topic = find_topic(session)
        lean = lean_on_before(text, language)
        is_clear = alone.intent.verdict.decision == "answered" and self.is_complete(alone.intent.label)
        if not topic or is_clear or (lean != "strong" and alone.is_answered):
            return alone
        if lean == "none" and not (is_short(text, language) and alone.gated.action == "fallback"):
            return alone
        together = replace(self.judge(with_topic(topic, text, language), language), is_alone=False)
        if lean == "strong" and together.gated.action == "clarify":
            # By itself "how long does it take?" may be answered, but about something else.
            return together
        if not together.is_answered:
            return alone
        # The topic's own words find its answer again, whatever stands beside them: alone that proves nothing.
        is_news = together.entry_id != session.last_entry or bool(find_slots(text))
        return together if lean == "strong" or is_news else alone
