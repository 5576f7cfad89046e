"""Knowledge as a team brings it: tables, queries, folders of documents; what is doubtful about it is told."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from apps.customer_service.app import CustomerServiceConfig
from apps.customer_service.assistant import open_assistant
from apps.customer_service.knowledge import open_base, open_reranker, read_queries
from apps.customer_service.session import Session
from core.retrieval.encoder import TextEncoder
from core.retrieval.entry import Entry
from core.retrieval.entry_file import load_entries
from core.retrieval.knowledge_config import KnowledgeConfig, QueryColumns
from tests.apps.customer_service.tiny_shop import (
    ENTRY_OF,
    FAQ_COLUMNS,
    UTTERANCES,
    log_of,
    read,
    run_app,
    train_tiny,
    write_faq,
    write_queries,
    write_table,
    write_utterances,
)
from tests.core.backbones.tiny_bert import make_tiny_bert, make_tiny_cross_encoder
from tests.core.retrieval.small_pdf import pdf_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("knowledge")


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    return write_utterances(folder / "chats.csv")


def entries_of(run: Path) -> list[Entry]:
    return load_entries(run / "bundle" / "assets" / "entries.jsonl")


def dry_run(data: Path, folder: Path, *words: str | Path) -> int:
    return run_app("train", "--config", "cpu", "--data", data, "--dry-run", "--output-dir", folder / "dry", *words)


# ---- tables and queries --------------------------------------------------------------------------


def test_queries_without_splits_are_split_within_entries(tiny_shop: Path) -> None:
    assert "queries: 102 train, 21 validation, 21 test" in log_of(tiny_shop)
    metrics = read(tiny_shop, "metrics.json")["retrieval"]["metrics"]
    assert {"recall@1", "mrr", "no_answer_auroc"} <= metrics.keys()
    assert [entry.entry_id for entry in entries_of(tiny_shop)] == ["f1", "f2", "f3", "f4", "f5", "f6"]
    assert entries_of(tiny_shop)[0].url == "https://help.shop.example/f1"


def test_encoder_learns_from_training_queries_alone(tiny_shop: Path) -> None:
    assert (tiny_shop / "bundle" / "assets" / "encoder").is_dir()
    known = {query for entry in entries_of(tiny_shop) for query in entry.known_queries}
    assert len(known) in (0, 102), "only queries for training may become known queries"


def test_splits_of_queries_are_taken_as_they_stand_and_unknown_entries_are_told(data: Path, folder: Path) -> None:
    words = write_queries(folder / "queries.jsonl", split=True)
    rows = [json.loads(line) for line in Path(words[1]).read_text().splitlines()]
    strange = {"asked": "how deep is the sea", "entry": "f99", "part": "train"}
    write_table(Path(words[1]), [*rows, strange])
    run = train_tiny(
        data,
        folder / "split",
        "--train.epochs",
        "1",
        "--knowledge.path",
        write_faq(folder / "faq.csv"),
        *FAQ_COLUMNS,
        *words,
    )
    counts = {part: sum(row["part"] == part for row in rows) for part in ("train", "dev", "test")}
    assert f"queries: {counts['train']} train, {counts['dev']} validation, {counts['test']} test" in log_of(run)
    assert "1 queries of no such entry are left out" in log_of(run)


def test_validation_queries_are_split_off_where_the_table_has_none(tmp_path: Path) -> None:
    words = write_queries(tmp_path / "two.jsonl", split=True)
    rows = [json.loads(line) for line in Path(words[1]).read_text().splitlines()]
    parts = ["test" if row["part"] == "test" else "train" for row in rows]
    write_table(Path(words[1]), [{**row, "part": part} for row, part in zip(rows, parts, strict=True)])
    columns = QueryColumns(query="asked", entry_id="entry", split="part")
    knowledge = KnowledgeConfig(path="faq.csv", queries=str(words[1]), query_columns=columns)
    entries = [Entry(entry_id=entry_id, answer="Yes.") for entry_id in ENTRY_OF.values()]
    queries, num_strange = read_queries(CustomerServiceConfig(knowledge=knowledge), entries)
    found = Counter(query.split for query in queries)
    assert num_strange == 0
    assert found["test"] == parts.count("test")
    assert 0 < found["validation"] < found["train"]
    before = {row["asked"] for row, part in zip(rows, parts, strict=True) if part == "test"}
    assert {query.query for query in queries if query.split == "test"} == before


def test_opening_encodes_no_entry_of_the_bundle_again(tiny_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    encode = TextEncoder.encode

    def counting(self: TextEncoder, texts: Sequence[str]) -> Any:
        encoded.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(TextEncoder, "encode", counting)
    base, _ = open_base(tiny_shop / "bundle" / "assets", None)
    assert encoded == []
    known = base.entries()[0]
    found = next(hit for hit in base.search(known.question, 10) if hit.entry == known)
    assert encoded == [known.question]
    assert found.vector_score == pytest.approx(1, abs=1e-5)
    base.put(known.model_copy(update={"question": "Do you sell lamps?", "known_queries": ()}))
    assert encoded[1:] == ["Do you sell lamps?", known.answer]


def test_a_cross_encoder_is_exported_and_reads_what_was_found(data: Path, folder: Path) -> None:
    model = make_tiny_cross_encoder(folder / "cross")
    words = ("--search.reranker", model, "--search.reranker_tokens", "24", "--search.enabled", "false")
    knowledge = ("--knowledge.path", write_faq(folder / "faq.csv"), *FAQ_COLUMNS)
    run = train_tiny(data, folder / "reranked", "--train.epochs", "1", *knowledge, *words)
    shutil.rmtree(model)
    hits = ask(run, "Where is my parcel?")["retrieved"]["hits"]
    reranker = open_reranker(run / "bundle" / "assets")
    assert reranker is not None
    entry = next(entry for entry in entries_of(run) if entry.entry_id == hits[0]["entry_id"])
    wanted = reranker("Where is my parcel?", [f"{entry.question}\n{entry.answer}"])
    assert hits[0]["rerank_score"] == pytest.approx(wanted[0], abs=1e-3)


def test_an_encoder_without_a_head_is_no_cross_encoder(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_tiny_bert(tmp_path / "bert")
    words = ("--knowledge.path", write_faq(tmp_path / "faq.csv"), *FAQ_COLUMNS, "--search.reranker", model)
    assert dry_run(data, tmp_path, *words) == 1
    assert "is no cross-encoder: it has 2 labels" in capsys.readouterr().err.replace("\n", " ")


# ---- documents, and what is doubtful -------------------------------------------------------------


@pytest.fixture(scope="module")
def document_run(data: Path, folder: Path) -> Path:
    """A folder of documents and tables, some of which say the same, or the opposite, or cannot be read."""
    place = folder / "documents"
    place.mkdir()
    (place / "returns.md").write_text("# Returns\n\nSend shoes back within thirty days.\n", encoding="utf-8")
    (place / "gifts.txt").write_text("We wrap every gift in blue paper for two euros.", encoding="utf-8")
    page = "<html><script>alert('no')</script><body><h1>Opening hours</h1><p>Open until six.</p></body></html>"
    (place / "hours.html").write_text(page, encoding="utf-8")
    (place / "warranty.pdf").write_bytes(pdf_of("The warranty of a lamp lasts four years"))
    (place / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    (place / "logo.bmp").write_bytes(b"BM")
    rows = [
        {"id": "a", "question": "Do you ship abroad?", "answer": "Yes, to Europe."},
        {"id": "b", "question": "do you ship ABROAD", "answer": "Yes, to Europe."},
        {"id": "c", "question": "Do you ship abroad?", "answer": "No."},
    ]
    write_table(place / "faq.csv", rows)
    return train_tiny(data, folder / "document_run", "--knowledge.path", place)


def ask(run: Path, text: str) -> dict[str, Any]:
    return open_assistant(run).dialogue.reply(Session(), text)[0].to_json()


def test_every_kind_of_document_is_answered_from(document_run: Path) -> None:
    for text, part, source in (
        ("how long may I send shoes back", "thirty days", "returns.md"),
        ("do you wrap every gift in paper", "blue paper", "gifts.txt"),
        ("opening hours", "until six", "hours.html"),
        ("how long is the warranty of a lamp", "four years", "warranty.pdf"),
    ):
        hit = ask(document_run, text)["retrieved"]["hits"][0]
        assert hit["entry_id"].startswith(source), text
        found = next(entry for entry in entries_of(document_run) if entry.entry_id == hit["entry_id"])
        assert part in found.answer
        assert "alert" not in found.answer


def test_what_is_doubtful_is_on_the_console_and_in_the_report(document_run: Path) -> None:
    report = read(document_run, "bundle/assets/knowledge_report.json")
    assert [(pair["first_id"], pair["second_id"]) for pair in report["duplicates"]] == [("a", "b")]
    assert [(pair["first_id"], pair["second_id"]) for pair in report["contradictions"]] == [("a", "c")]
    assert [item["path"] for item in report["rejected"]] == ["broken.pdf"]
    log = log_of(document_run)
    assert "entries that say the same: 1 pairs (a = b)" in log
    assert "entries that contradict each other: 1 pairs (a" in log
    assert "broken.pdf" in log
    assert "1 files of another kind were not read (.bmp)" in log


# ---- what cannot be used is told before the training ---------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "faq.csv"),
        ("question,answer\n", "faq.csv holds no rows"),
        ("question,answer\nWhere is it?,\n", "row 1 has no answer"),
        ("question,reaction\nWhere is it?,Here.\n", "no column of answers"),
    ],
    ids=["nothing", "head only", "no answer", "no column"],
)
def test_knowledge_without_an_entry_is_told_at_once(
    content: str, words: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "faq.csv").write_text(content)
    assert dry_run(data, tmp_path, "--knowledge.path", tmp_path / "faq.csv") == 1
    told = capsys.readouterr().err
    assert words in told.split("Error: ")[1].replace("\n", " ")
    assert "What to do: " in told


def test_queries_that_cannot_be_used_are_told_at_once(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"query": row["text"], "entry_id": ENTRY_OF[row["intent"]].upper()} for row in UTTERANCES]
    queries = write_table(tmp_path / "queries.jsonl", rows)
    assert dry_run(data, tmp_path, "--knowledge.queries", queries) == 1
    assert "knowledge.queries is set, but there is no knowledge" in capsys.readouterr().err
    words = ("--knowledge.path", write_faq(tmp_path / "faq.csv"), *FAQ_COLUMNS, "--knowledge.queries", queries)
    assert dry_run(data, tmp_path, *words) == 1
    assert "belongs to an entry of the knowledge (the first names F1)" in capsys.readouterr().err
