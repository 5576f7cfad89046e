"""A table of texts becomes rows: columns by role, labels joined with their domain, answers as labels."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.data.columns import as_known_word, as_word, map_columns, normalise
from core.data.module import SplitName
from core.data.report import Rejected
from core.data.split import as_split
from core.data.text_config import TextDataConfig
from core.data.text_rows import OUT_OF_SCOPE_LABELS, TEXT_SYNONYMS, FoundTexts, TextRow
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

MIN_QUESTIONS = 2
"""Questions that an answer must have been given to before it is a class."""
LABEL_CHARS = 60


def read_rows(
    name: str, frame: "pd.DataFrame", config: TextDataConfig, split: SplitName | None = None, folder_label: str = ""
) -> FoundTexts:
    """The rows of one table.

    Args:
        name: Of the file, for messages.
        frame: Read by `core.data.tables`.
        config: Columns, and labels that mean out of scope.
        split: Named by the file, such as train.csv.
        folder_label: Label of rows without one; empty = none.

    Raises:
        UserError: There is no column of texts.
    """
    names = [str(column) for column in frame.columns]
    cells: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]

    def holds_splits(column: str) -> bool:
        words = {word for row in cells if (word := as_known_word(row[column]))}
        return bool(words) and all(as_split(word) for word in words)

    mapped = map_columns(names, config.columns.model_dump(), TEXT_SYNONYMS, {"split": holds_splits})
    if "text" not in mapped.columns:
        raise UserError(
            f"{name} has no column of texts.",
            f"Columns: {', '.join(names)}.",
            "Name the one that holds what people wrote: --data.columns.text NAME.",
        )
    found = FoundTexts(name, [], [f"{name}: {note}" for note in mapped.notes])
    joined = _is_joined(cells, mapped.columns)
    if joined:
        found.notes.append(f"{name}: labels recur in several domains and are joined with them, as domain/label")
    for number, row in enumerate(cells, 1):
        _add_row(found, row, mapped.columns, f"{name} row {number}", config, split, joined, folder_label)
    return found


def with_answers_as_labels(found: FoundTexts) -> FoundTexts:
    """Where texts have answers and no labels, those with the same answer become a class.

    Of several answers to one text the first counts, so rows come sorted by score. The class is named after the
    shortest of its texts; an answer to fewer than two texts is no class.
    """
    if not any(row.answer for row in found.rows) or any(row.label for row in found.rows):
        return found
    questions = by_best_answer(found.rows)
    label_of: dict[str, str] = {}
    taken: set[str] = set()
    for answer, rows in questions.items():
        if len(rows) >= MIN_QUESTIONS:
            label = _free_name(min((row.text for row in rows), key=lambda text: (len(text), text)), taken)
            taken.add(label)
            label_of[answer] = label
    kept = [
        replace(row, label=label_of[row.answer])
        for rows in questions.values()
        for row in rows
        if row.answer in label_of
    ]
    lone = len(questions) - len(label_of)
    notes = [*found.notes, f"{len(label_of)} answers given to several texts are the labels"]
    if lone:
        notes.append(f"{lone} answers were given once only: they are no labels (the knowledge base can hold them)")
    return FoundTexts(found.source, kept, notes, found.rejected)


def by_best_answer(rows: Iterable[TextRow]) -> dict[str, list[TextRow]]:
    """Answers with the rows that they answer; of several answers to one text the first counts."""
    questions: dict[str, list[TextRow]] = defaultdict(list)
    answered: set[str] = set()
    for row in rows:
        if row.answer and row.text not in answered:
            answered.add(row.text)
            questions[row.answer].append(row)
    return dict(questions)


def as_label(word: str, config: TextDataConfig) -> str:
    """A label, or nothing where it says that no class fits."""
    wanted = config.out_of_scope_labels
    is_outside = normalise(word) in OUT_OF_SCOPE_LABELS if wanted == "auto" else word in wanted
    return "" if is_outside else word


def _add_row(
    found: FoundTexts,
    row: Mapping[str, Any],
    columns: Mapping[str, str],
    place: str,
    config: TextDataConfig,
    split: SplitName | None,
    is_joined: bool,
    folder_label: str,
) -> None:
    def word(role: str) -> str | None:
        return as_word(row.get(columns[role])) if role in columns else None

    text, label = word("text"), word("label") or folder_label or None
    if text is None:
        found.rejected.append(Rejected(path=place, reason="empty_text", sentence=f"{place} has no text."))
        return
    domain = word("domain")
    if label and domain and is_joined:
        label = f"{domain}/{label}"
    answer = word("answer") or ""
    if label is None and not answer:
        found.rejected.append(Rejected(path=place, reason="no_label", sentence=f"{place} has no label."))
        return
    named = word("split")
    own = as_split(named) if named else split
    group = as_known_word(row.get(columns["group"])) if "group" in columns else None
    found.rows.append(TextRow(text, None if label is None else as_label(label, config), own, group, answer, place))


def _is_joined(cells: list[dict[str, Any]], columns: Mapping[str, str]) -> bool:
    """Whether one label word stands in several domains, so that it needs the domain to be a class."""
    if "domain" not in columns or "label" not in columns:
        return False
    domains: dict[str, set[str]] = defaultdict(set)
    for row in cells:
        label, domain = as_word(row.get(columns["label"])), as_word(row.get(columns["domain"]))
        if label and domain:
            domains[label].add(domain)
    return any(len(found) > 1 for found in domains.values())


def best_first(frame: "pd.DataFrame", config: TextDataConfig) -> "pd.DataFrame":
    """The table sorted by score, where it has answers with scores."""
    names = [str(column) for column in frame.columns]
    columns = map_columns(names, config.columns.model_dump(), TEXT_SYNONYMS).columns
    if "answer" not in columns or "score" not in columns:
        return frame
    scores = [_number(value) for value in frame[columns["score"]]]
    order = sorted(range(len(scores)), key=lambda row: -scores[row])
    return frame.iloc[order]


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return -math.inf
    return -math.inf if math.isnan(number) else number


def _free_name(text: str, taken: set[str]) -> str:
    name = " ".join(text.split())[:LABEL_CHARS]
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name} ({number})", number + 1
    return candidate
