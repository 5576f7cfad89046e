"""Files become the entries of a knowledge base: tables of questions and answers, and documents cut into passages."""

from collections import Counter
from pathlib import Path

from core.data.report import Rejected
from core.data.tables import is_table
from core.errors import UserError
from core.retrieval.document_files import DOCUMENT_SUFFIXES, is_document, read_document
from core.retrieval.entry import Entry
from core.retrieval.knowledge_config import KnowledgeConfig
from core.retrieval.knowledge_report import KnowledgeReport, find_repeated
from core.retrieval.knowledge_tables import FoundEntries, language_in_name, read_entries
from core.retrieval.passages import cut_passages
from core.retrieval.same_question import is_passage


def load_knowledge(config: KnowledgeConfig) -> tuple[list[Entry], KnowledgeReport]:
    """The entries of the file or folder that the config names, with unique ids, and what was noticed.

    In a folder, files that cannot be read are reported and left out.

    Raises:
        UserError: The path does not exist, holds no entry, or is a single file that cannot be read.
    """
    path = Path(config.path).expanduser()
    if path.is_dir():
        found = _read_folder(path, config)
    elif path.is_file():
        found = _read_file(path, path.name, config)
    else:
        raise UserError(
            f"There is no file or folder {path}.",
            "Knowledge is a table of questions and answers, a document, or a folder of them.",
            "Correct the path: --knowledge.path PATH.",
        )
    entries = _with_unique_ids(found)
    if not entries:
        reasons = "; ".join(rejected.sentence for rejected in found.rejected[:3])
        raise UserError(
            f"{path} holds no knowledge. {reasons}".strip(),
            f"Tables of questions and answers, or documents ({', '.join(sorted(DOCUMENT_SUFFIXES))}).",
            "Name another path: --knowledge.path PATH.",
        )
    duplicates, contradictions = find_repeated(entries)
    report = KnowledgeReport(
        source=str(path),
        num_entries=len(entries),
        num_passages=sum(map(is_passage, entries)),
        notes=tuple(found.notes),
        rejected=tuple(found.rejected),
        duplicates=tuple(duplicates),
        contradictions=tuple(contradictions),
        joined_ids=tuple(found.joined_ids),
    )
    return entries, report


def _read_folder(folder: Path, config: KnowledgeConfig) -> FoundEntries:
    result = FoundEntries()
    unknown: Counter[str] = Counter()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if not is_table(path) and not is_document(path):
            unknown[path.suffix.lower() or "no suffix"] += 1
            continue
        try:
            found = _read_file(path, name, config)
        except UserError as error:
            result.rejected.append(Rejected(path=name, reason="unreadable", sentence=error.what))
            continue
        for kind in ("entries", "notes", "rejected", "joined_ids"):
            getattr(result, kind).extend(getattr(found, kind))
    for suffix, count in sorted(unknown.items()):
        result.notes.append(f"{count} files of another kind were not read ({suffix})")
    return result


def _read_file(path: Path, name: str, config: KnowledgeConfig) -> FoundEntries:
    if is_table(path):
        return read_entries(path, config.columns, name)
    if not is_document(path):
        raise UserError(
            f"{path} is neither a table nor a document.",
            f"Documents end in {', '.join(sorted(DOCUMENT_SUFFIXES))}.",
            "Convert it to Markdown, text, HTML or PDF.",
        )
    title = path.stem.replace("_", " ").replace("-", " ").strip()
    passages = cut_passages(read_document(path), config.passage_chars, config.passage_overlap)
    times: Counter[str] = Counter()
    entries = []
    for passage in passages:
        place = passage.section.place
        source = f"{name}#{place}" if place else name
        times[source] += 1
        entry_id = source if times[source] == 1 else f"{source}-{times[source]}"
        question = " > ".join(passage.section.headings) or title
        language = language_in_name(path)
        entries.append(
            Entry(entry_id=entry_id, question=question, answer=passage.text, source=source, language=language)
        )
    return FoundEntries(entries)


def _with_unique_ids(found: FoundEntries) -> list[Entry]:
    """Entries of several languages that share an id get the language behind it; others that share one are left out."""
    languages: dict[str, set[str]] = {}
    for entry in found.entries:
        languages.setdefault(entry.entry_id, set()).add(entry.language)
    unique: dict[str, Entry] = {}
    num_renamed = 0
    for entry in found.entries:
        if len(languages[entry.entry_id]) > 1 and entry.language:
            entry = entry.model_copy(update={"entry_id": f"{entry.entry_id}-{entry.language}"})
            num_renamed += 1
        if entry.entry_id in unique:
            first = unique[entry.entry_id].source
            sentence = f"{entry.source}: the id {entry.entry_id} is taken by {first}."
            found.rejected.append(Rejected(path=entry.entry_id, reason="duplicate_id", sentence=sentence))
        else:
            unique[entry.entry_id] = entry
    if num_renamed:
        found.notes.append(f"{num_renamed} entries share an id across languages; theirs now end in the language")
    return list(unique.values())
