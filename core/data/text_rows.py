"""What readers of text data give: rows as they were found, before splits are drawn."""

from dataclasses import dataclass, field

from core.data.module import SplitName
from core.data.report import Rejected

OUT_OF_SCOPE = "out of scope"
"""What tables and reports call texts that belong to no class."""
OUT_OF_SCOPE_LABELS = frozenset(
    {"oos", "out_of_scope", "outofscope", "ood", "out_of_domain", "unknown_intent", "no_intent", "none_of_the_above"}
)
"""Spellings of the label that says so, without case, blanks and hyphens."""
TEXT_SYNONYMS = {
    "text": (
        "text", "utterance", "utt", "sentence", "query", "question", "message", "content", "input", "user", "request",
        "instruction", "headline", "title", "文本", "问题", "内容", "句子", "query_text", "sentence1", "review",
    ),
    "label": (
        "label", "intent", "intent_label", "category", "class", "target", "label_text", "intent_name", "topic", "标签",
        "意图", "类别", "分类", "labels", "y", "tag", "entry_id", "faq_id",
    ),
    "domain": ("domain", "scenario", "领域"),
    "split": ("split", "partition", "subset", "fold", "set"),
    "group": ("group", "conversation", "conversation_id", "dialogue_id", "dialog_id", "session_id", "customer_id"),
    "answer": ("answer", "response", "reply", "best_answer", "回答", "答案", "回复"),
    "score": ("score", "rating", "votes", "upvotes", "评分"),
}  # fmt: skip
"""Role to its spellings, the best first."""


@dataclass(frozen=True)
class TextRow:
    """One text as it was found.

    Args:
        text: What somebody wrote.
        label: The class; empty = out of scope, None = not given.
        split: Where the data says so.
        group: Conversation or customer.
        answer: What was answered; empty = not given.
        place: File and row, for messages.
    """

    text: str
    label: str | None
    split: SplitName | None
    group: str | None = None
    answer: str = ""
    place: str = ""


@dataclass
class FoundTexts:
    """The rows of a data set, what was guessed, and what cannot be used."""

    source: str
    rows: list[TextRow]
    notes: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
