"""What the bot says to one message: the words, what they rest on, what can be clicked, and why."""

from dataclasses import dataclass
from typing import Any, Literal

from core.evaluation.decision import Decision
from core.retrieval.retrieval import Retrieval
from core.tasks.text_answer import TextAnswer
from core.texts import Language

Kind = Literal["answer", "small_talk", "clarify", "fallback", "handoff", "refused"]
Reason = Literal[
    "retrieval",
    "intent",
    "option",
    "follow_up",
    "small_talk",
    "unsure",
    "disagreement",
    "out_of_scope",
    "no_knowledge",
    "no_words",
    "none_of_these",
    "asked_for_person",
    "crisis",
    "repeated_failure",
    "handed_over",
]
"""Why a reply is as it is, for programs; a handoff is stored with it."""


@dataclass(frozen=True)
class Source:
    """An entry that the answer rests on.

    Args:
        entry_id: In the knowledge base.
        title: Its question or heading.
        url: http or https; empty = no link.
    """

    entry_id: str
    title: str
    url: str = ""


@dataclass(frozen=True)
class Option:
    """One meaning in a "did you mean".

    Args:
        text: Readable words for the button; sent as the customer's message when it is pressed.
        label: The intent that it stands for; empty = none.
        entry_id: The entry that it stands for; empty = none is known.
    """

    text: str
    label: str = ""
    entry_id: str = ""


@dataclass(frozen=True)
class Reply:
    """What the bot says.

    Args:
        text: Plain text, never markup; to be shown inert.
        language: Of the text.
        kind: Answer: from the knowledge. Clarify: "did you mean". Fallback: no answer known. Handoff: a person takes
            over, or has. Refused: there was nothing to judge, as in an empty message.
        reason: Why, for programs.
        decision: The one gate's: answered, unsure, refused.
        confidence: Calibrated probability of what was decided on, in [0, 1]; 1 where nothing was judged.
        sources: What an answer rests on, the most important first.
        options: Meanings to choose from.
        follow_ups: Questions that may be asked next.
        intent: What the model thought; None where it was not asked.
        retrieval: What was found; None where it was not searched.
        query: What was judged and searched; differs from the message when the turn before was used.
        llm: `written` when a language model worded the answer, else why it did not; empty = none is set up or needed.
    """

    text: str
    language: Language
    kind: Kind
    reason: Reason
    decision: Decision
    confidence: float = 1.0
    sources: tuple[Source, ...] = ()
    options: tuple[Option, ...] = ()
    follow_ups: tuple[str, ...] = ()
    intent: TextAnswer | None = None
    retrieval: Retrieval | None = None
    query: str = ""
    llm: str = ""

    @property
    def opens_handoff(self) -> bool:
        """Does a person have to be told now? Not again for each message that waits for that person."""
        return self.kind == "handoff" and self.reason != "handed_over"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready: what was understood, what is answered, from what, and may one rely on it."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "decision": self.decision,
            "intent": self.intent.label if self.intent else None,
            "confidence": round(self.confidence, 4),
            "answer": self.text,
            "language": self.language,
            "query": self.query,
            "llm": self.llm,
            "sources": [{"entry_id": s.entry_id, "title": s.title, "url": s.url} for s in self.sources],
            "options": [{"label": o.label, "entry_id": o.entry_id, "text": o.text} for o in self.options],
            "follow_ups": list(self.follow_ups),
            "understood": self.intent.to_json() if self.intent else None,
            "retrieved": self.retrieval.to_json() if self.retrieval else None,
        }
