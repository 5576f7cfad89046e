"""A conversation as it was, rebuilt from its stored messages: after a reload, after a restart."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from apps.customer_service.reply import Kind, Option, Reason, Reply, Source
from apps.customer_service.session import Session, remember
from core.evaluation.decision import Decision, Verdict
from core.serving.messages import Message
from core.tasks.text_answer import TextAnswer
from core.texts import LANGUAGES, Language, Text

CLOSED = "handoff_closed"
"""In the details of the message that gives a chat back to the bot."""


def details_of(reply: Reply) -> dict[str, Any]:
    """What is stored of a reply, beside its text.

    The n-grams that carried the intent are left out: they overlap, so that a number of which each piece is too short
    to be masked could be put together again.
    """
    details = reply.to_json()
    if reply.intent:
        details["understood"] = {**details["understood"], "contributions": []}
    return details


def read_reply(message: Message) -> Reply | None:
    """The reply that a message of the bot was; None where its details do not say so. What was found is not kept."""
    details = message.details
    try:
        if not _is_known(details):
            return None
        return Reply(
            text=message.text,
            language=details["language"],
            kind=details["kind"],
            reason=details["reason"],
            decision=details["decision"],
            confidence=float(details["confidence"]),
            sources=tuple(Source(s["entry_id"], s["title"], s["url"]) for s in details["sources"]),
            options=tuple(Option(o["text"], o["label"], o["entry_id"]) for o in details["options"]),
            follow_ups=tuple(details["follow_ups"]),
            intent=_read_intent(details),
            query=details["query"],
            llm=details["llm"],
        )
    except (KeyError, TypeError, ValueError):  # written by another version
        return None


def recall_session(messages: Sequence[Message], language: Language) -> tuple[Session, Session]:
    """The session before the last turn, and the one after it.

    Args:
        messages: All of one conversation, oldest first.
        language: Of the page.
    """
    before = session = Session(language=language)
    asked = ""
    for message in messages:
        if CLOSED in message.details:
            session = session.given_back()
        elif message.role == "customer":
            asked = message.text
        elif message.role == "bot" and (reply := read_reply(message)):
            before = session.model_copy(update={"language": reply.language})
            session = remember(before, asked, reply)
    return before, session


def _is_known(details: Mapping[str, Any]) -> bool:
    return (
        details.get("kind") in get_args(Kind)
        and details.get("reason") in get_args(Reason)
        and details.get("decision") in get_args(Decision)
        and details.get("language") in LANGUAGES
    )


def _read_intent(details: Mapping[str, Any]) -> TextAnswer | None:
    kept = details["understood"]
    if not kept:
        return None
    reasons = tuple(Text(reason["en"], reason["zh"]) for reason in kept["reasons"])
    ranking = tuple((one["label"], float(one["probability"])) for one in kept["ranking"])
    verdict = Verdict(kept["decision"], reasons, tuple(kept["prediction_set"]))
    return TextAnswer(details["query"], verdict, ranking, float(kept["novelty"])) if ranking else None
