"""The assistant as it is served: the intent model, the knowledge base and the dialogue, put together from one bundle."""

from dataclasses import dataclass
from pathlib import Path

from apps.customer_service.dialogue import Dialogue
from core.retrieval.knowledge_base import KnowledgeBase
from core.serving.predictor import Predictor


@dataclass(frozen=True)
class Assistant:
    """Everything that the page and the tests talk to. Safe to use from several threads.

    Args:
        predictor: Of the bundle.
        knowledge: Its entries with the changes made since; changes take effect at once.
        dialogue: Replies to messages.
    """

    predictor: Predictor
    knowledge: KnowledgeBase
    dialogue: Dialogue


def build_assistant(predictor: Predictor, changes: Path | None = None) -> Assistant:
    """The assistant of a bundle.

    Args:
        predictor: Of a bundle of this app.
        changes: Folder of changes to the knowledge, made if missing; None = changes are kept in memory only.
    """
    raise NotImplementedError


def open_assistant(run: Path, changes: Path | None = None) -> Assistant:
    """The assistant of a run or bundle.

    Raises:
        UserError: Not a whole bundle of this app.
    """
    from apps.customer_service.app import SPEC
    from core.serving.predictor import load_predictor

    return build_assistant(load_predictor(run, SPEC), changes)
