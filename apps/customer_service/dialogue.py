"""The dialogue: one message and the session so far give the reply and the session after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from apps.customer_service.dialogue_config import DialogueConfig
from apps.customer_service.reply import Reply
from apps.customer_service.session import Session
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Retrieval
from core.tasks.text_answer import TextAnswer
from core.texts import Language, Text

Understand = Callable[[str], TextAnswer]
"""Text to what the intent model says about it."""
Search = Callable[[str, str], Retrieval]
"""Query and language to what the knowledge base has."""
EntryOfIntent = Callable[[str, str], Entry | None]
"""Intent label and language to the entry that answers it."""
Written = Callable[[str], None]
"""Told the answer so far while a language model writes it."""


def no_entry(label: str, language: str) -> Entry | None:
    """For a knowledge base that cannot be asked by intent: only what the search finds is used."""
    del label, language


@dataclass(frozen=True)
class Dialogue:
    """A bot, ready to converse; keeps nothing between calls, so that many chats may use it at once.

    Args:
        understand: The intent model.
        search: The knowledge base.
        config: How it converses.
        words: Readable words of intent labels; one that is missing is read off its label.
        entry_of_intent: Finds the entry of an intent that the search did not find.
    """

    understand: Understand
    search: Search
    config: DialogueConfig = DialogueConfig()
    words: Mapping[str, Text] = field(default_factory=dict)
    entry_of_intent: EntryOfIntent = no_entry

    def reply(self, session: Session, text: str, written: Written | None = None) -> tuple[Reply, Session]:
        """What the bot says to a message, and the session after it.

        Args:
            session: So far; `Session()` for a new one.
            text: As the customer wrote it, of any length and content.
            written: Told the answer so far while a language model writes it, from its first citation on; what
                is returned replaces it.
        """
        raise NotImplementedError
