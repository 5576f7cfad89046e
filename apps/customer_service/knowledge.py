"""The knowledge of a bundle: read, made searchable, measured, and written as assets beside the intent model."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from apps.customer_service.app import CustomerServiceConfig
from apps.customer_service.data import SAMPLE
from apps.customer_service.history import has_answers, read_history
from apps.customer_service.language import detect_language
from core.app import AssetJob
from core.console import show_heading
from core.data.module import SPLITS, DataModule, SplitName
from core.data.split import shares_of_missing, split_by_seed
from core.errors import UserError
from core.evaluation.evaluation import Evaluation
from core.files import new_folder
from core.retrieval.encoder import load_encoder
from core.retrieval.entry import Entry
from core.retrieval.entry_file import save_entries
from core.retrieval.evaluate_retrieval import evaluate_retrieval
from core.retrieval.fit_knowledge import fit_knowledge
from core.retrieval.knowledge_base import KnowledgeBase, open_knowledge
from core.retrieval.knowledge_files import load_knowledge
from core.retrieval.knowledge_report import EntryPair, KnowledgeReport
from core.retrieval.knowledge_tables import Query, load_queries
from core.retrieval.policy import Reranker, RetrievalPolicy, text_of, unfitted_policy
from core.retrieval.reranker import load_reranker, remember_scores
from core.retrieval.saved_vectors import fingerprint_of, load_vectors, save_vectors
from core.texts import LANGUAGES, Language

ENTRIES, POLICY, ENCODER, REPORT = "entries.jsonl", "retrieval.json", "encoder", "knowledge_report.json"
VECTORS, RERANKER = "vectors", "reranker"
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
    queries, num_strange = read_queries(config, entries)
    parts = {split: [query for query in queries if query.split == split] for split in SPLITS}
    _show(job.console, report, parts)
    if num_strange:
        job.console.print(f" [yellow]! {num_strange:,} queries of no such entry are left out[/yellow]")
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
    reranker = _export_reranker(config, entries, work / RERANKER)
    fitted = fit_knowledge(
        entries,
        parts["train"],
        parts["validation"],
        encoder,
        config.search_decision,
        out_of_scope=_out_of_scope(job.data, "validation"),
        reranker=reranker,
    )
    if parts["train"] and parts["validation"]:
        told = "are searched too" if fitted.knows_queries else "only taught the encoder"
        job.console.print(f"Training queries {told}: validation queries found their entries better so.", soft_wrap=True)
    with new_folder(job.folder / "assets") as target:
        save_entries(target / ENTRIES, fitted.knowledge.entries())
        (target / POLICY).write_text(fitted.policy.model_dump_json(indent=2), encoding="utf-8")
        (target / REPORT).write_text(report.model_dump_json(indent=2), encoding="utf-8")
        if encoder is not None:
            shutil.copytree(work / ENCODER, target / ENCODER)
        if encoder is not None and (vectors := fitted.knowledge.base_vectors) is not None:
            save_vectors(target / VECTORS, vectors, fingerprint_of(target / ENTRIES, target / ENCODER))
        if reranker is not None:
            shutil.copytree(work / RERANKER, target / RERANKER)
    if not parts["test"]:
        job.console.print("There are no test queries: retrieval is not measured.")
        return {}
    strange = _out_of_scope(job.data, "test")
    measured = evaluate_retrieval(
        fitted.knowledge,
        fitted.policy,
        parts["test"],
        out_of_scope=strange,
        reranker=reranker,
        resamples=RESAMPLES,
        seed=config.seed,
    )
    return {"retrieval": measured}


def check_knowledge(config: CustomerServiceConfig, data: DataModule) -> None:
    """Raises UserError before the training where `make_knowledge` would after it."""
    knowledge = config.knowledge
    if not (knowledge.path or has_answers(data)):
        if knowledge.queries:
            raise UserError(
                "knowledge.queries is set, but there is no knowledge that could answer them.",
                "Queries belong to entries.",
                "Name the entries too: --knowledge.path PATH.",
            )
        return
    read_queries(config, read_knowledge(config, data)[0])
    if config.search.enabled and config.search.encoder == "transformer":
        from core.backbones.transformer_files import load_text_encoder

        load_text_encoder(config.search.transformer.name)
    if config.search.reranker:
        from core.backbones.transformer_files import check_pair_model

        check_pair_model(config.search.reranker)


def open_reranker(assets: Path) -> Reranker | None:
    """The cross-encoder of a bundle's assets, or None; its policy was fitted with it."""
    return load_reranker(assets / RERANKER) if (assets / RERANKER).is_dir() else None


def open_base(assets: Path, changes: Path | None) -> tuple[KnowledgeBase, RetrievalPolicy]:
    """The knowledge base of a bundle's assets, with the changes made since; empty where the bundle has none.

    Entries are not encoded again as long as entries and encoder are those that their vectors were saved with.

    Args:
        assets: Folder in the bundle; it need not be there.
        changes: Folder of changes; None = changes are kept in memory only.
    """
    file = assets / ENTRIES if (assets / ENTRIES).is_file() else None
    encoder = load_encoder(assets / ENCODER) if (assets / ENCODER).is_dir() else None
    policy, vectors = unfitted_policy(), None
    if file is not None and encoder is not None:
        vectors = load_vectors(assets / VECTORS, fingerprint_of(file, assets / ENCODER))
    if (assets / POLICY).is_file():
        policy = RetrievalPolicy.model_validate_json((assets / POLICY).read_text(encoding="utf-8"))
    return open_knowledge(file, changes, encoder, vectors), policy


def read_knowledge(config: CustomerServiceConfig, data: DataModule) -> tuple[list[Entry], KnowledgeReport]:
    """The entries that a config names; without a path, the answers that the training data itself holds."""
    knowledge = config.knowledge
    if knowledge.path == "sample":
        entries, report = load_knowledge(knowledge.model_copy(update={"path": str(SAMPLE / "knowledge")}))
        return entries, report.model_copy(update={"source": "sample"})
    if knowledge.path:
        return load_knowledge(knowledge)
    return read_history(config.data, data)


def read_queries(config: CustomerServiceConfig, entries: Sequence[Entry]) -> tuple[list[Query], int]:
    """Customer queries of entries that exist, each in a split, and how many others there were.

    Raises:
        UserError: The table cannot be read, or none of its queries belongs to an entry.
    """
    knowledge = config.knowledge
    if knowledge.queries:
        files = [Path(knowledge.queries).expanduser()]
        if not files[0].is_file():
            raise UserError(
                f"There is no file {knowledge.queries}, which knowledge.queries names.",
                "A table with a column of queries and one of the entries that answer them.",
                "Correct the path: --knowledge.queries PATH.",
            )
    elif knowledge.path == "sample":
        files = [SAMPLE / f"faq_queries_{language}.jsonl" for language in LANGUAGES]
    else:
        return [], 0
    ids = {entry.entry_id for entry in entries}
    asked = [query for file in files for query in load_queries(file, knowledge.query_columns)]
    asked = [query.model_copy(update={"entry_id": _known_id(query, ids)}) for query in asked]
    found = [query for query in asked if query.entry_id in ids]
    if not found:
        named = f" (the first names {asked[0].entry_id})" if asked else ""
        raise UserError(
            f"No query of {knowledge.queries} belongs to an entry of the knowledge{named}.",
            f"Ids of entries, such as {', '.join(entry.entry_id for entry in entries[:3])}.",
            "Name the columns that hold them: --knowledge.query-columns.entry-id, --knowledge.columns.entry-id.",
        )
    return _with_splits(found, config), len(asked) - len(found)


def _export_reranker(config: CustomerServiceConfig, entries: Sequence[Entry], target: Path) -> Reranker | None:
    """The cross-encoder that a config names, as it will be served; None = it names none."""
    if not config.search.reranker or not entries:
        return None
    from core.retrieval.export_reranker import export_reranker

    export_reranker(config.search, entries[0].question, [text_of(entry) for entry in entries], target, config.export)
    return remember_scores(load_reranker(target, threads=0))


def _with_splits(queries: Sequence[Query], config: CustomerServiceConfig) -> list[Query]:
    """Splits off what the table does not have, within entries; queries that name no split are taken for training."""
    named = {query.split for query in queries}
    missing = [split for split in SPLITS[1:] if split not in named]
    pool = [query for query in queries if query.split in (None, "train")]
    if not missing or not pool:
        return [query.model_copy(update={"split": query.split or "train"}) for query in queries]
    names = [f"{query.entry_id}\0{query.query}" for query in pool]
    shares = shares_of_missing(missing, config.data)
    chosen = split_by_seed(names, [query.entry_id for query in pool], [None] * len(pool), shares, config.seed)
    drawn = [query.model_copy(update={"split": split}) for query, split in zip(pool, chosen, strict=True)]
    return [*drawn, *(query for query in queries if query.split not in (None, "train"))]


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
