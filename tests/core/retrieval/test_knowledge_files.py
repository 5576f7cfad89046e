"""Tables and folders become entries and queries."""

import json
from pathlib import Path

import pandas as pd
import pytest

from core.errors import UsageError, UserError
from core.retrieval.entry_file import load_entries, save_entries
from core.retrieval.knowledge_config import KnowledgeColumns, KnowledgeConfig, QueryColumns
from core.retrieval.knowledge_files import load_knowledge
from core.retrieval.knowledge_tables import load_queries

from .small_pdf import pdf_of
from .toy_encoder import SHOP

ROWS = [
    {"faq_id": "007", "question": "Where is it?", "answer": "On its way.", "url": "https://shop.example/7"},
    {"faq_id": "008", "question": "退款多久？", "answer": "五天。", "url": ""},
]


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_every_kind_of_table_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"faq{suffix}"
    frame = pd.DataFrame(ROWS)
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix in (".json", ".jsonl"):
        lines = [json.dumps(row) for row in ROWS]
        path.write_text("\n".join(lines) if suffix == ".jsonl" else f"[{','.join(lines)}]")
    else:
        frame.to_csv(path, sep="," if suffix == ".csv" else "\t", index=False)
    entries, report = load_knowledge(KnowledgeConfig(path=str(path)))
    assert [(e.entry_id, e.question, e.answer, e.url) for e in entries] == [tuple(row.values()) for row in ROWS]
    assert report.num_entries == 2
    assert report.rejected == ()


def test_chinese_columns_are_recognised_and_named_ones_win(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "编号,问题,答案,备注\n1,怎么退款？,点申请。,见网页\n")
    entries, report = load_knowledge(KnowledgeConfig(path=str(path)))
    assert (entries[0].entry_id, entries[0].question, entries[0].answer) == ("1", "怎么退款？", "点申请。")
    assert "a.csv: column 问题 is read as question" in report.notes
    named = KnowledgeConfig(path=str(path), columns=KnowledgeColumns(answer="备注"))
    assert load_knowledge(named)[0][0].answer == "见网页"


def test_rows_of_one_id_become_one_entry(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "id,q,a\n1,What?,This.\n1,Which?,That.\n1,What?,This.\n2,Who?,We.\n")
    entries, report = load_knowledge(KnowledgeConfig(path=str(path)))
    assert [entry.entry_id for entry in entries] == ["1", "2"]
    assert (entries[0].question, entries[0].answer) == ("What?", "This.\nThat.")
    assert entries[0].known_queries == ("Which?",)
    assert report.joined_ids == ("1",)


def test_rows_without_ids_get_ids_that_stay(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "q,a\nWhat?,This.\nWho?,We.\nwhat,Another.\nWho?,We.\n")
    entries, report = load_knowledge(KnowledgeConfig(path=str(path)))
    assert [entry.answer for entry in entries] == ["This.", "We.", "Another."]
    assert [(pair.first_id, pair.second_id) for pair in report.contradictions] == [
        (entries[0].entry_id, entries[2].entry_id)
    ]
    write(tmp_path, "a.csv", "q,a\nNew?,Yes.\nWho?,You.\n")
    assert load_knowledge(KnowledgeConfig(path=str(path)))[0][1].entry_id == entries[1].entry_id


def test_duplicates_and_contradictions_are_reported(tmp_path: Path) -> None:
    rows = "1,How much?,Five.,en\n2,HOW MUCH,five,en\n3,how much?,Six.,en\n4,how much?,六,zh\n"
    path = write(tmp_path, "a.csv", "id,q,a,lang\n" + rows)
    _, report = load_knowledge(KnowledgeConfig(path=str(path)))
    assert [(pair.first_id, pair.second_id) for pair in report.duplicates] == [("1", "2")]
    assert [(pair.first_id, pair.second_id) for pair in report.contradictions] == [("1", "3")]


def test_rows_without_an_answer_are_rejected(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "id,q,a\n1,What?,\n2,Who?,We.\n")
    entries, report = load_knowledge(KnowledgeConfig(path=str(path)))
    assert len(entries) == 1
    assert report.rejected[0].sentence == "a.csv row 1 has no answer."


def test_known_queries_are_read_from_lists_and_lines(tmp_path: Path) -> None:
    rows = [
        {"q": "A?", "a": ["x", "y"], "similar_questions": ["b", "c"]},
        {"q": "D?", "a": "z", "similar_questions": "e\nf"},
    ]
    path = write(tmp_path, "a.json", json.dumps(rows))
    entries, _ = load_knowledge(KnowledgeConfig(path=str(path)))
    assert [(e.answer, e.known_queries) for e in entries] == [("x\ny", ("b", "c")), ("z", ("e", "f"))]


def test_a_folder_gives_passages_with_their_source(tmp_path: Path) -> None:
    write(tmp_path, "guide/returns.md", "# Returns\n\nThirty days.\n\n# Refunds\n\n" + "They take five days. " * 60)
    write(tmp_path, "page.html", "<h1>Payment</h1><p>Cards.</p><script>evil()</script>")
    (tmp_path / "a.pdf").write_bytes(pdf_of("Call us on Monday."))
    (tmp_path / "locked.pdf").write_bytes(pdf_of("x", encrypted=True))
    write(tmp_path, "faq.csv", "id,q,a\n1,What?,This.\n")
    write(tmp_path, "numbers.csv", "x,y\n1,2\n")
    write(tmp_path, "photo.png", "x")
    write(tmp_path, ".hidden/notes.md", "secret")
    entries, report = load_knowledge(KnowledgeConfig(path=str(tmp_path), passage_chars=400, passage_overlap=50))
    found = {entry.entry_id: entry for entry in entries}
    assert found["guide/returns.md#Returns"].answer == "Thirty days."
    assert found["guide/returns.md#Refunds-2"].source == "guide/returns.md#Refunds"
    assert found["page.html#Payment"].question == "Payment"
    assert found["a.pdf#page=1"].question == "a"
    assert found["1"].source == "faq.csv"
    assert all(len(entry.answer) <= 400 for entry in entries)
    assert "evil" not in repr(entries)
    assert "secret" not in repr(entries)
    assert {rejected.path for rejected in report.rejected} == {"locked.pdf", "numbers.csv"}
    assert "1 files of another kind were not read (.png)" in report.notes
    assert report.num_passages == len(entries) - 1
    assert report.contradictions == ()


def test_languages_that_share_ids_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "faq_en.jsonl", '{"entry_id": "1", "question": "How?", "answer": "So."}')
    write(tmp_path, "faq_zh.jsonl", '{"entry_id": "1", "question": "怎么？", "answer": "这样。"}')
    write(tmp_path, "more_zh.jsonl", '{"entry_id": "1", "question": "怎么？", "answer": "那样。"}')
    entries, report = load_knowledge(KnowledgeConfig(path=str(tmp_path)))
    assert [(entry.entry_id, entry.language) for entry in entries] == [("1-en", "en"), ("1-zh", "zh")]
    assert "is taken by faq_zh.jsonl" in report.rejected[0].sentence


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("missing.csv", None, "There is no file"),
        ("a.csv", "x,y\n1,2\n", "no column of answers"),
        ("a.csv", "text\nhello\n", "no column of questions"),
        ("a.csv", "q,a\nWhat?,\n", "holds no knowledge"),
        ("a.png", "x", "neither a table nor a document"),
    ],
)
def test_knowledge_that_cannot_be_read_is_refused(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    if text is not None:
        write(tmp_path, name, text)
    with pytest.raises(UserError, match=message):
        load_knowledge(KnowledgeConfig(path=str(tmp_path / name)))


def test_a_named_column_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "question,answer\nWhat?,This.\n")
    columns = KnowledgeColumns(answer="anser")
    with pytest.raises(UsageError, match=r"answer\.\n.*knowledge\.columns\.answer"):
        load_knowledge(KnowledgeConfig(path=str(path), columns=columns))


def test_overlap_as_long_as_the_passage_is_refused() -> None:
    with pytest.raises(ValueError, match="at most half"):
        KnowledgeConfig(passage_chars=200, passage_overlap=150)


def test_queries_are_read_with_their_split(tmp_path: Path) -> None:
    path = write(tmp_path, "queries_zh.csv", "query,faq_id,split\nwhere,F1,train\nwho,F2,val\n,F3,test\nx,,test\n")
    queries = load_queries(path, QueryColumns())
    assert [(q.query, q.entry_id, q.split, q.language) for q in queries] == [
        ("where", "F1", "train", "zh"), ("who", "F2", "validation", "zh"),
    ]  # fmt: skip
    path = write(tmp_path, "b.jsonl", '{"text": "a", "target": "F1"}')
    with pytest.raises(UserError, match="no column for entry_id"):
        load_queries(path, QueryColumns())
    assert load_queries(path, QueryColumns(entry_id="target"))[0].split is None


def test_entries_are_saved_and_read(tmp_path: Path) -> None:
    save_entries(tmp_path / "a.jsonl", SHOP)
    assert load_entries(tmp_path / "a.jsonl") == SHOP
    (tmp_path / "a.jsonl").write_text('{"entry_id": "1", "answer": "x"}\n{"entry_id": "2"}\n')
    with pytest.raises(UserError, match="line 2 is no entry"):
        load_entries(tmp_path / "a.jsonl")
