"""Past dialogues become knowledge: each answer an entry, the questions that it was given to its known queries."""

from collections import Counter

from apps.customer_service.language import detect_language
from core.data.module import DataModule
from core.data.text_config import TextDataConfig
from core.data.text_sources import find_rows
from core.data.text_tables import by_best_answer
from core.retrieval.entry import Entry
from core.retrieval.knowledge_report import KnowledgeReport
from core.retrieval.knowledge_tables import id_of_question


def has_answers(data: DataModule) -> bool:
    """Whether the training texts come with what was answered."""
    return any(example.get("answer") for example in data.splits["train"])


def read_history(config: TextDataConfig, data: DataModule) -> tuple[list[Entry], KnowledgeReport]:
    """The answers that the data itself holds, the best one to each question.

    Args:
        config: Where the data is; answers given once only are entries too, though no intents.
        data: Its training split says which intent an answer belongs to.
    """
    found = find_rows(config, config.path)
    intent_of = {example["answer"]: example["label"] for example in data.splits["train"] if example.get("answer")}
    times: Counter[str] = Counter()
    entries = []
    for answer, rows in by_best_answer(found.rows).items():
        asked = sorted({row.text for row in rows}, key=lambda text: (len(text), text))
        entry_id = id_of_question(asked[0])
        times[entry_id] += 1
        entries.append(
            Entry(
                entry_id=entry_id if times[entry_id] == 1 else f"{entry_id}-{times[entry_id]}",
                question=asked[0],
                answer=answer,
                intent=intent_of.get(answer, ""),
                language=detect_language(asked[0], "en"),
                source=rows[0].place,
                known_queries=tuple(asked[1:]),
            )
        )
    answers = {row.answer for row in found.rows if row.answer}
    notes = [f"{len(entries):,} answers of the data are the entries"]
    if bettered := len(answers) - len(entries):
        notes.append(f"{bettered:,} answers are left out: each of their questions has a better one")
    return entries, KnowledgeReport(source=found.source, num_entries=len(entries), notes=tuple(notes))
