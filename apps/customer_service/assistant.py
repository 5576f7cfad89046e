"""The assistant as it is served: intent model, knowledge base and dialogue, put together from one bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from apps.customer_service.app import SPEC, CustomerServiceConfig
from apps.customer_service.dialogue import Dialogue
from apps.customer_service.knowledge import open_base, open_reranker
from apps.customer_service.options import label_words
from core.retrieval.entry import Entry
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.policy import Reranker, RetrievalPolicy, search
from core.retrieval.retrieval import Retrieval
from core.serving.predictor import Predictor, load_predictor
from core.tasks.text_answer import TextAnswer
from core.texts import Text


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
    config = predictor.config
    assert isinstance(config, CustomerServiceConfig)
    assets = predictor.bundle.path / "assets"
    knowledge, policy = open_base(assets, changes)
    dialogue = Dialogue(
        understand=partial(understand, predictor),
        search=partial(search_knowledge, knowledge, policy, open_reranker(assets)),
        config=config.dialogue,
        words=name_intents(knowledge, predictor.task.labels),
        entry_of_intent=partial(entry_of_intent, knowledge),
        known_intents=predictor.task.labels,
        known_entries=lambda: [entry.entry_id for entry in knowledge.entries()],
    )
    return Assistant(predictor, knowledge, dialogue)


def open_assistant(run: Path, changes: Path | None = None) -> Assistant:
    """The assistant of a run or bundle.

    Raises:
        UserError: Not a whole bundle of this app.
    """
    return build_assistant(load_predictor(run, SPEC, threads=1), changes)


def understand(predictor: Predictor, text: str) -> TextAnswer:
    """What the intent model says about a message."""
    answer = predictor.predict([{"text": text}])[0]
    assert isinstance(answer, TextAnswer)
    return answer


def search_knowledge(
    knowledge: KnowledgeBase, policy: RetrievalPolicy, reranker: Reranker | None, query: str, language: str
) -> Retrieval:
    """What the knowledge base has; nothing where it is empty."""
    return search(knowledge, policy, query, language, reranker=reranker)


def name_intents(knowledge: KnowledgeBase, labels: Sequence[str]) -> dict[str, Text]:
    """What intents are called in Chinese: the question of their entry; in English the label says it."""
    questions = {entry.intent: entry.question for entry in knowledge.entries()[::-1] if entry.language == "zh"}
    return {label: Text(label_words(label, {}, "en"), questions[label]) for label in labels if questions.get(label)}


def entry_of_intent(knowledge: KnowledgeBase, label: str, language: str) -> Entry | None:
    """The first entry that the team bound to an intent, in the language of the message where there is one."""
    return knowledge.of_intent(label, language) if label else None
