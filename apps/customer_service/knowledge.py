"""The knowledge of a bundle: read, made searchable, measured, and written as assets beside the intent model."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from apps.customer_service.app import CustomerServiceConfig
from apps.customer_service.data import SAMPLE
from apps.customer_service.language import detect_language
from core.app import AssetJob
from core.console import show_heading
from core.data.module import SPLITS, DataModule, SplitName
from core.data.split import shares_of_missing, split_by_seed
from core.evaluation.evaluation import Evaluation
from core.files import new_folder
from core.retrieval.encoder import load_encoder
from core.retrieval.entry import Entry
from core.retrieval.entry_file import load_entries, save_entries
from core.retrieval.evaluate_retrieval import evaluate_retrieval
from core.retrieval.fit_knowledge import fit_knowledge
from core.retrieval.journal import Journal
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.knowledge_config import KnowledgeColumns
from core.retrieval.knowledge_files import load_knowledge
from core.retrieval.knowledge_report import EntryPair, KnowledgeReport
from core.retrieval.knowledge_tables import Query, load_queries
from core.retrieval.policy import RetrievalPolicy, unfitted_policy
from core.texts import LANGUAGES, Language

ENTRIES, POLICY, ENCODER, REPORT = "entries.jsonl", "retrieval.json", "encoder", "knowledge_report.json"
RESAMPLES = 1000
LISTED = 3


def make_knowledge(job: AssetJob) -> Mapping[str, Evaluation]:
    """Reads the knowledge, trains its encoder, fits when it has no answer, and measures it on test queries.

    Without knowledge nothing is written, and the bot answers no question.
    """
    from core.retrieval.train_encoder import fit_encoder

    config: CustomerServiceConfig = job.config
    if not (config.knowledge.path or has_answers(job.data)):
        return {}
    show_heading(job.console, "Knowledge")
    entries, report = read_knowledge(config, job.data)
    queries = read_queries(config, entries)
    parts = {split: [query for query in queries if query.split == split] for split in SPLITS}
    _show(job.console, report, parts)
    work = job.folder / ENCODER
    work.mkdir(exist_ok=True)
    fit_encoder(
        entries,
        [*parts["train"], *_of_intents(entries, job.data)],
        parts["validation"],
        config.search,
        job.plan,
        work=work,
        target=work / ENCODER,
        seed=config.seed,
        resume=True,
        console=job.console,
        export=config.export,
    )
    if not job.plan.is_main:
        return {}
    encoder = load_encoder(work / ENCODER) if (work / ENCODER).is_dir() else None
    fitted = fit_knowledge(
        entries,
        parts["train"],
        parts["validation"],
        encoder,
        config.search_decision,
        out_of_scope=_out_of_scope(job.data, "validation"),
    )
    told = "are searched too" if fitted.knows_queries else "only taught the encoder"
    job.console.print(f"Training queries {told}, as validation queries found their entries better so.", soft_wrap=True)
    with new_folder(job.folder / "assets") as target:
        save_entries(target / ENTRIES, fitted.knowledge.entries())
        (target / POLICY).write_text(fitted.policy.model_dump_json(indent=2), encoding="utf-8")
        (target / REPORT).write_text(report.model_dump_json(indent=2), encoding="utf-8")
        if encoder is not None:
            shutil.copytree(work / ENCODER, target / ENCODER)
    if not parts["test"]:
        job.console.print("There are no test queries: retrieval is not measured.")
        return {}
    strange = _out_of_scope(job.data, "test")
    measured = evaluate_retrieval(
        fitted.knowledge, fitted.policy, parts["test"], out_of_scope=strange, resamples=RESAMPLES, seed=config.seed
    )
    return {"retrieval": measured}


def open_base(assets: Path, changes: Path | None) -> tuple[KnowledgeBase, RetrievalPolicy]:
    """The knowledge base of a bundle's assets, with the changes made since; empty where the bundle has none.

    Args:
        assets: Folder in the bundle; it need not be there.
        changes: Folder of changes; None = changes are kept in memory only.
    """
    entries = load_entries(assets / ENTRIES) if (assets / ENTRIES).is_file() else []
    encoder = load_encoder(assets / ENCODER) if (assets / ENCODER).is_dir() else None
    policy = unfitted_policy()
    if (assets / POLICY).is_file():
        policy = RetrievalPolicy.model_validate_json((assets / POLICY).read_text(encoding="utf-8"))
    return KnowledgeBase(entries, Journal(changes) if changes else None, encoder), policy


def read_knowledge(config: CustomerServiceConfig, data: DataModule) -> tuple[list[Entry], KnowledgeReport]:
    """The entries that a config names; without a path, the answers that the training data itself holds."""
    knowledge = config.knowledge
    if knowledge.path == "sample":
        entries, report = load_knowledge(knowledge.model_copy(update={"path": str(SAMPLE / "knowledge")}))
        return entries, report.model_copy(update={"source": "sample"})
    if knowledge.path:
        return load_knowledge(knowledge)
    columns = KnowledgeColumns(question=config.data.columns.text, answer=config.data.columns.answer)
    entries, report = load_knowledge(knowledge.model_copy(update={"path": config.data.path, "columns": columns}))
    return _with_intents(entries, data), report


def has_answers(data: DataModule) -> bool:
    """Whether the training texts come with what was answered."""
    return any(example.get("answer") for example in data.splits["train"])


def read_queries(config: CustomerServiceConfig, entries: Sequence[Entry]) -> list[Query]:
    """Customer queries of entries that exist, each in a split: as the table says, else drawn by seed within entries."""
    knowledge = config.knowledge
    if knowledge.queries:
        files = [Path(knowledge.queries).expanduser()]
    elif knowledge.path == "sample":
        files = [SAMPLE / f"faq_queries_{language}.jsonl" for language in LANGUAGES]
    else:
        return []
    ids = {entry.entry_id for entry in entries}
    found = [query for file in files for query in load_queries(file, knowledge.query_columns)]
    found = [query.model_copy(update={"entry_id": _known_id(query, ids)}) for query in found]
    found = [query for query in found if query.entry_id in ids]
    if all(query.split for query in found):
        return found
    shares = shares_of_missing(("validation", "test"), config.data)
    names = [f"{query.entry_id}\0{query.query}" for query in found]
    chosen = split_by_seed(names, [query.entry_id for query in found], [None] * len(found), shares, config.seed)
    return [query.model_copy(update={"split": split}) for query, split in zip(found, chosen, strict=True)]


def _with_intents(entries: Sequence[Entry], data: DataModule) -> list[Entry]:
    """Entries with the same answer joined, and bound to the intent that this answer is the label of."""
    answered = [example for example in data.splits["train"] if "answer" in example]
    intent_of = {str(example["answer"]): str(example["label"]) for example in answered}
    joined: dict[str, Entry] = {}
    for entry in entries:
        first = joined.get(entry.answer)
        if first is None:
            joined[entry.answer] = entry.model_copy(update={"intent": entry.intent or intent_of.get(entry.answer, "")})
        else:
            more = (*first.known_queries, entry.question)
            joined[entry.answer] = first.model_copy(update={"known_queries": more})
    return list(joined.values())


def _of_intents(entries: Sequence[Entry], data: DataModule) -> list[Query]:
    """Training questions whose intent one entry answers: they teach the encoder as well."""
    from core.retrieval.train_encoder import queries_of_intents

    asked: dict[Language, list[tuple[str, str]]] = {language: [] for language in LANGUAGES}
    for example in data.splits["train"]:
        if example.get("label"):
            text = str(example["text"])
            asked[detect_language(text, "en")].append((text, str(example["label"])))
    return [query for language, pairs in asked.items() for query in queries_of_intents(entries, pairs, language)]


def _known_id(query: Query, ids: set[str]) -> str:
    """Entries that share an id across languages have the language behind it."""
    with_language = f"{query.entry_id}-{query.language}"
    return with_language if query.entry_id not in ids and with_language in ids else query.entry_id


def _out_of_scope(data: DataModule, split: SplitName) -> list[str]:
    return [str(example["text"]) for example in data.splits[split] if example.get("label") == ""]


def _show(console: Console, report: KnowledgeReport, parts: Mapping[SplitName, Sequence[Query]]) -> None:
    counts = ", ".join(f"{len(queries):,} {split}" for split, queries in parts.items())
    console.print(f"{report.num_entries:,} entries from {escape(report.source)}; queries: {counts}", soft_wrap=True)
    for note in report.notes:
        console.print(f" - {escape(note)}", soft_wrap=True)
    for what, pairs in (
        ("entries that say the same", report.duplicates),
        ("entries that contradict each other", report.contradictions),
    ):
        if pairs:
            console.print(f" [yellow]! {what}: {len(pairs)} pairs ({escape(_named(pairs))})[/yellow]", soft_wrap=True)
    if report.rejected:
        first = escape(report.rejected[0].sentence)
        console.print(f" [yellow]! rejected: {len(report.rejected)} ({first})[/yellow]", soft_wrap=True)


def _named(pairs: Sequence[EntryPair]) -> str:
    return ", ".join(f"{pair.first_id} = {pair.second_id}" for pair in pairs[:LISTED])
