"""Tables of questions and answers become entries, and tables of customer queries become queries."""

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.config import Record
from core.data.columns import MappedColumns, as_word, map_columns
from core.data.module import SplitName
from core.data.report import Rejected
from core.data.split import as_split
from core.data.tables import read_table
from core.errors import UsageError, UserError
from core.retrieval.entry import Entry
from core.retrieval.knowledge_config import KnowledgeColumns, QueryColumns
from core.retrieval.same_question import normalise_question

ENTRY_SYNONYMS: dict[str, tuple[str, ...]] = {
    "entry_id": (
        *("entry_id", "faq_id", "id", "doc_id", "document_id", "passage_id", "article_id", "question_id", "qid", "pid"),
        *("编号", "編號", "序号", "序號"),
    ),
    "question": (
        *("question", "questions", "q", "title", "heading", "subject", "query", "prompt", "instruction"),
        *("问题", "問題", "问句", "問句", "标题", "標題", "提问"),
    ),
    "answer": (
        *("answer", "answers", "a", "response", "reply", "best_answer", "text", "content", "body", "passage"),
        *("completion", "output", "答案", "回答", "答复", "答覆", "回复", "回覆", "解答", "内容", "內容"),
    ),
    "url": ("url", "link", "href", "source_url", "page_url", "链接", "連結", "网址", "網址"),
    "category": ("category", "topic", "section", "group", "tag", "类别", "類別", "分类", "分類", "类目"),
    "intent": ("intent", "intent_name", "intent_label", "label", "意图", "意圖"),
    "language": ("language", "lang", "locale", "语言", "語言"),
    "known_queries": ("known_queries", "similar_questions", "paraphrases", "相似问题", "相似問題", "扩展问", "相似问"),
}
QUERY_SYNONYMS: dict[str, tuple[str, ...]] = {
    "query": ("query", "utterance", "question", "text", "message", "q", "提问", "问题", "問題", "问句"),
    "entry_id": (*ENTRY_SYNONYMS["entry_id"][:2], "answer_id", "label", *ENTRY_SYNONYMS["entry_id"][3:], "id"),
    "split": ("split", "subset", "set", "partition", "fold"),
}
LANGUAGE_IN_NAME = re.compile(r"[._-](en|zh)(?:[._-](?:cn|tw|hk|hans|hant|us|gb))?$", re.IGNORECASE)


class Query(Record):
    """What a customer wrote, and the entry that answers it."""

    query: str
    entry_id: str
    split: SplitName | None = None
    """None = not given."""
    language: str = ""
    """By the name of the file (queries_zh.csv); empty = not known."""


@dataclass
class FoundEntries:
    """Entries of one or several files, and what was noticed."""

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    joined_ids: list[str] = field(default_factory=list)


def read_entries(path: Path, columns: KnowledgeColumns, name: str = "") -> FoundEntries:
    """The entries of a table; rows of one id (and language) become one entry.

    Their answers are joined, each once; the first question is the entry's, the others are known queries of it.

    Args:
        path: Of a table.
        columns: As the user named them.
        name: Of the file, in messages and sources.

    Raises:
        UserError: The table cannot be read or has no column of answers.
    """
    name = name or path.name
    table = read_table(path)
    found = [str(column) for column in table.columns]
    mapped = _mapped(found, columns, ENTRY_SYNONYMS, "knowledge.columns")
    if "answer" not in mapped.columns:
        raise _lacks(name, "answer", found)
    if "question" not in mapped.columns and not columns.answer:
        raise _lacks(name, "question", found)  # a table of texts alone may be anything
    result = FoundEntries(notes=[f"{name}: {note}" for note in mapped.notes])
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    language = language_in_name(path)
    for number, row in enumerate(table.to_dict("records"), 1):
        entry = _entry_of({str(column): cell for column, cell in row.items()}, mapped.columns, name, language)
        if entry is None:
            sentence = f"{name} row {number} has no answer."
            result.rejected.append(Rejected(path=f"{name} row {number}", reason="no_answer", sentence=sentence))
        else:
            entry = entry if entry.entry_id else _with_id(entry, groups)
            groups[entry.entry_id, entry.language].append(entry)
    result.entries = [_joined(same) for same in groups.values()]
    result.joined_ids = [entry_id for (entry_id, _), same in groups.items() if len(same) > 1]
    if result.joined_ids:
        num_rows = sum(len(same) for same in groups.values() if len(same) > 1)
        why = "with the same id" if "entry_id" in mapped.columns else "that repeat each other"
        result.notes.append(f"{name}: {num_rows} rows {why} became {len(result.joined_ids)} entries")
    return result


def _lacks(name: str, role: str, found: Sequence[str]) -> UserError:
    return UserError(
        f"{name} has no column of {role}s (columns: {', '.join(found)}).",
        "A table of questions and answers has both; one of answers alone is read if its column is named.",
        f"Name it: --knowledge.columns.{role} NAME.",
    )


def language_in_name(path: Path) -> str:
    """en or zh where a file's name ends in it (faq_zh.csv, faq.en-US.jsonl), else empty."""
    named = LANGUAGE_IN_NAME.search(path.stem)
    return named[1].lower() if named else ""


def load_queries(path: Path, columns: QueryColumns) -> list[Query]:
    """Queries of a table, in order; rows without a query or an entry are left out.

    Raises:
        UserError: The table cannot be read, or lacks a column; or a cell of the split names none.
    """
    table = read_table(path)
    found = [str(column) for column in table.columns]
    rows = [{str(column): cell for column, cell in row.items()} for row in table.to_dict("records")]

    def holds_splits(column: str) -> bool:
        words = {word for row in rows if (word := as_word(row[column]))}
        return bool(words) and all(as_split(word) for word in words)

    mapped = _mapped(found, columns, QUERY_SYNONYMS, "knowledge.query_columns", {"split": holds_splits})
    for role in ("query", "entry_id"):
        if role not in mapped.columns:
            raise UserError(
                f"{path.name} has no column for {role} (columns: {', '.join(found)}).",
                "A table of queries has the columns query and entry_id.",
                f"Name it: --knowledge.query_columns.{role} NAME.",
            )
    queries = []
    for row in rows:
        query, entry_id, split = (as_word(row.get(mapped.columns.get(role, ""))) for role in QUERY_SYNONYMS)
        if query and entry_id:
            language = language_in_name(path)
            queries.append(Query(query=query, entry_id=entry_id, split=_split(split, path.name), language=language))
    return queries


def _split(word: str | None, name: str) -> SplitName | None:
    if word is None:
        return None
    split = as_split(word)
    if split is None:
        raise UserError(
            f"{name}: `{word}` is no split.",
            "Splits are train, validation (valid, val, dev) and test.",
            "Correct the cells, or name another column: --knowledge.query_columns.split NAME.",
        )
    return split


def _mapped(
    found: Sequence[str],
    given: Record,
    synonyms: Mapping[str, Sequence[str]],
    setting: str,
    accepts: Mapping[str, Any] | None = None,
) -> MappedColumns:
    try:
        return map_columns(found, given.model_dump(), synonyms, accepts)
    except UsageError as error:
        raise UsageError(error.what, error.allowed, error.fix.replace("data.columns", setting)) from None


def _entry_of(row: Mapping[str, Any], columns: Mapping[str, str], name: str, language: str) -> Entry | None:
    """One row as an entry; None = it has no answer."""
    cells = {role: _words(row.get(column)) for role, column in columns.items()}
    words = {role: "\n".join(cell) for role, cell in cells.items()}
    if not words["answer"]:
        return None
    return Entry(
        entry_id=words.get("entry_id", ""),
        question=words.get("question", ""),
        answer=words["answer"],
        url=words.get("url", ""),
        category=words.get("category", ""),
        intent=words.get("intent", ""),
        language=_language(words.get("language", "")) or language,
        source=name,
        known_queries=tuple(line for cell in cells.get("known_queries", ()) for line in cell.splitlines() if line),
    )


def _with_id(entry: Entry, taken: Mapping[tuple[str, str], Sequence[Entry]]) -> Entry:
    """An entry with an id made of its question, which stays when its answer changes; contradicting ones stay apart."""
    made_up = id_of_question(entry.question if normalise_question(entry.question) else entry.answer)
    for number in itertools.count(1):
        entry_id = made_up if number == 1 else f"{made_up}-{number}"
        same = taken.get((entry_id, entry.language))
        if not same or same[0].answer == entry.answer:
            return entry.model_copy(update={"entry_id": entry_id})
    raise AssertionError("count does not end")


def id_of_question(question: str) -> str:
    """The same for questions that differ in case and punctuation only."""
    return f"q-{hashlib.sha256(normalise_question(question).encode()).hexdigest()[:10]}"


def _words(cell: Any) -> list[str]:
    """A cell as texts: a list gives several."""
    cells = cell if isinstance(cell, list | tuple | np.ndarray) else [cell]
    return [word for part in cells if (word := as_word(part))]


def _language(word: str) -> str:
    """zh-CN and Chinese become zh; a language that is neither en nor zh stays as it is."""
    code = re.split(r"[-_]", word.strip().casefold())[0]
    return {"english": "en", "英文": "en", "英语": "en", "chinese": "zh", "cn": "zh", "中文": "zh"}.get(code, code)


def _joined(rows: Sequence[Entry]) -> Entry:
    first = rows[0]
    answers = dict.fromkeys(row.answer for row in rows)
    questions = dict.fromkeys(query for row in rows for query in (row.question, *row.known_queries))
    asked = tuple(query for query in questions if query and query != first.question)
    return first.model_copy(update={"answer": "\n".join(answers), "known_queries": asked})
