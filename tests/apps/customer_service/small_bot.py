"""A bot of a few entries whose two models are plain functions: what they say to a text is written down here."""

from collections.abc import Mapping, Sequence

from apps.customer_service.dialogue import Dialogue
from apps.customer_service.dialogue_config import DialogueConfig
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from core.evaluation.decision import Decision, Verdict
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Hit, Retrieval
from core.tasks.text_answer import TextAnswer
from core.texts import Language, Text

STATUS = Entry(
    entry_id="orders-01",
    question="How can I see the status of my order?",
    answer="Open My account and choose order {order_number}.",
    url="https://help.shop.example/orders-01",
    intent="order_status",
    language="en",
)
RETURN = Entry(
    entry_id="returns-01", question="How do I return an item?", answer="Use the label.", intent="return_start"
)
RETURN_TIME = Entry(entry_id="returns-02", question="How long does a return take?", answer="Ten days.")
PASSWORD = Entry(
    entry_id="account-02", question="How do I reset my password?", answer="Use the link.", intent="password_reset"
)
STATUS_ZH = Entry(
    entry_id="orders-01-zh",
    question="怎么查看订单状态？",
    answer="点开订单 {order_number} 即可查看。",
    intent="order_status",
    language="zh",
)
ENTRIES = (STATUS, RETURN, RETURN_TIME, PASSWORD, STATUS_ZH)

Meant = tuple[str, float, Decision]
Found = tuple[Sequence[tuple[Entry, float]], Decision]

NOTHING: Found = ((), "refused")
STRANGE: Meant = ("order_status", 0.2, "refused")


def meant(text: str, label: str, probability: float, decision: Decision, possible: Sequence[str] = ()) -> TextAnswer:
    """What an intent model says; the rest of the probability is shared by the other labels."""
    reasons = () if decision == "answered" else (Text("Why.", "原因。"),)
    labels = tuple(possible) or (label,)
    others = [other for other in labels if other != label] or ["thanks"]
    rest = tuple((other, (1 - probability) / len(others)) for other in others)
    return TextAnswer(text, Verdict(decision, reasons, labels), ((label, probability), *rest), 0.1)


def found(hits: Sequence[tuple[Entry, float]], decision: Decision) -> Retrieval:
    """What a search gives; unsure = of the first two."""
    possible = tuple(entry.entry_id for entry, _ in hits[: 2 if decision == "unsure" else 1])
    reasons = () if decision == "answered" else (Text("Why.", "原因。"),)
    ranked = tuple(Hit(entry, share, share, None, probability=share) for entry, share in hits)
    return Retrieval(ranked, Verdict(decision, reasons, possible), 0.1)


def small_bot(
    means: Mapping[str, Meant] | None = None,
    finds: Mapping[str, Found] | None = None,
    config: DialogueConfig | None = None,
    possible: Mapping[str, Sequence[str]] | None = None,
) -> Dialogue:
    """A bot that knows these texts; any other is refused by both models.

    Args:
        means: Text to (label, probability, decision).
        finds: Query to (hits with their probabilities, decision).
        config: Of the dialogue.
        possible: Text to the labels of its prediction set.
    """

    def understand(text: str) -> TextAnswer:
        assert text.strip(), "a model is never asked about nothing"
        return meant(text, *(means or {}).get(text, STRANGE), (possible or {}).get(text, ()))

    def search(query: str, language: str) -> Retrieval:
        assert language in ("en", "zh")
        return found(*(finds or {}).get(query, NOTHING))

    return Dialogue(understand, search, config or DialogueConfig())


def converse(bot: Dialogue, *messages: str, language: Language = "en") -> list[Reply]:
    """The replies to messages, one after the other, in one session."""
    session, replies = Session(language=language), list[Reply]()
    for message in messages:
        reply, session = bot.reply(session, message)
        replies.append(reply)
    return replies
