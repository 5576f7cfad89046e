"""Mistakes that are easy to make with this app: told as what came, what is right and what to do, before any training."""

import shutil
from pathlib import Path

import pytest

from tests.apps.customer_service.tiny_shop import FAQ_COLUMNS, run_app, write_faq, write_queries, write_utterances
from tests.test_user_mistakes import FAILED, USAGE, Mistake, assert_told, file_of

# ruff: noqa: E501  (one mistake a row)
CPU = ("--config", "cpu", "--hardware.measure", "false", "--device", "cpu", "--output-dir", "run")


def good(*more: str) -> list[str]:
    """Training on good questions, with something wrong behind it."""
    return ["--data", str(write_utterances(Path("chats.csv"))), *more]


def answered(*more: str) -> list[str]:
    """The same with good knowledge."""
    return good("--knowledge.path", str(write_faq(Path("faq.csv"))), *FAQ_COLUMNS, *more)


def asked(*more: str) -> list[str]:
    """The same with good queries."""
    return answered(*map(str, write_queries(Path("queries.jsonl"))), *more)


def empty_folder() -> str:
    Path("empty").mkdir()
    return "empty"


ROWS = [
    Mistake("unknown key of the preset", lambda: good("--dialogue.fallback_limits", "3"), USAGE,
            ("Unknown key `dialogue.fallback_limits`", "dialogue.fallback_limit")),
    Mistake("unknown preset", lambda: ["--config", "distiled", "--data", "x"], USAGE, ("`distiled`", "--config distilled")),
    Mistake("encoder that is not offered", lambda: good("--model.encoder", "bert"), USAGE, ("`model.encoder` is 'bert'", "transformer")),
    Mistake("endpoint timeout of nothing", lambda: good("--dialogue.llm.timeout_s", "0"), USAGE, ("`dialogue.llm.timeout_s`", "greater than 0")),
    Mistake("data that is not there", lambda: ["--data", "chat.csv"], FAILED, ("nothing at chat.csv", "--data")),
    Mistake("empty folder of data", lambda: ["--data", empty_folder()], FAILED, ("empty holds no texts", "CSV")),
    Mistake("empty table of data", lambda: ["--data", file_of("chats.csv", "text,intent\n")], FAILED, ("chats.csv", "no rows")),
    Mistake("text column misspelt", lambda: good("--data.columns.text", "txt"), USAGE,
            ("no column `txt` for text", "Nearest columns: text", "--data.columns.text")),
    Mistake("table without texts", lambda: ["--data", file_of("chats.csv", "a,b\n1,2\n")], FAILED,
            ("chats.csv has no column of texts", "--data.columns.text")),
    Mistake("one intent only", lambda: ["--data", file_of("chats.csv", "text,intent\nhi,a\nho,a\nhu,a\n")], FAILED,
            ("one label only: a", "at least two")),
    Mistake("JSON cut in half", lambda: ["--data", file_of("data.json", '{"train": [["a", "b"]')], FAILED, ("data.json: line 1 is not JSON",)),
    Mistake("data set of the hub, offline", lambda: ["--data", "hub:nobody/nothing"], FAILED,
            ("nobody/nothing cannot be loaded from the hub", "--data FOLDER")),
    Mistake("corrections of a store that is not there", lambda: good("--data.corrections", "stor.sqlite"), FAILED,
            ("no store stor.sqlite", "--data.corrections")),
    Mistake("knowledge that is not there", lambda: good("--knowledge.path", "fax.csv"), FAILED,
            ("no file or folder fax.csv", "--knowledge.path")),
    Mistake("knowledge in a folder of nothing", lambda: good("--knowledge.path", empty_folder()), FAILED, ("empty holds no knowledge",)),
    Mistake("column of knowledge misspelt", lambda: answered("--knowledge.columns.answer", "reply"), USAGE,
            ("no column `reply` for answer", "--knowledge.columns.answer")),
    Mistake("overlap of more than half a passage", lambda: good("--knowledge.passage_overlap", "500"), USAGE,
            ("passage_overlap is at most half of passage_chars",)),
    Mistake("queries that are not there", lambda: answered("--knowledge.queries", "asked.jsonl"), FAILED, ("asked.jsonl", "--knowledge.queries")),
    Mistake("column of queries misspelt", lambda: asked("--knowledge.query_columns.entry_id", "entri"), USAGE,
            ("no column `entri` for entry_id", "Nearest columns: entry", "--knowledge.query_columns.entry_id")),
    Mistake("teacher that is not there", lambda: good("--distill.teacher", "runs/teacher"), FAILED,
            ("runs/teacher is not a bundle or a finished run", "train")),
    Mistake("replacements without word vectors", lambda: good("--distill.replacements", "2"), USAGE, ("there is no teacher", "--distill.teacher RUN")),
    Mistake("variations without a teacher", lambda: good("--distill.variations", "2"), USAGE, ("there is no teacher", "--distill.teacher RUN")),
    Mistake("Transformer that is not here, offline", lambda: good("--model.encoder", "transformer", "--model.transformer.name", "nobody/bert"),
            FAILED, ("nobody/bert cannot be loaded from the hub", "hf download nobody/bert")),
    Mistake("Transformer in a folder that is not there",
            lambda: good("--model.encoder", "transformer", "--model.transformer.name", "./bert"), FAILED, ("./bert is not a folder",)),
    Mistake("Transformer in a folder of nothing",
            lambda: good("--model.encoder", "transformer", "--model.transformer.name", empty_folder()), FAILED, ("The model in empty cannot be loaded",)),
    Mistake("Transformer without a name", lambda: good("--model.encoder", "transformer", "--model.transformer.name", ""), FAILED, ("folder",)),
    Mistake("searching Transformer that is not here, offline",
            lambda: answered("--search.encoder", "transformer", "--search.transformer.name", "nobody/bert"), FAILED,
            ("nobody/bert cannot be loaded from the hub",)),
    Mistake("cross-encoder that is not here, offline", lambda: answered("--search.reranker", "nobody/cross"), FAILED,
            ("nobody/cross cannot be loaded from the hub", "hf download nobody/cross")),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("mistake", ROWS, ids=lambda row: row.name)
def test_mistake_is_told_before_the_training(mistake: Mistake, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_app("train", *CPU, *mistake.argv())
    caught = capsys.readouterr()
    assert caught.out == ""
    assert_told(code, mistake, caught.err)
    assert "\nepoch 1/" not in caught.err
    assert not Path("run/checkpoints").exists()


@pytest.mark.parametrize("verb", ["predict", "evaluate", "export"])
def test_bundle_of_another_app_is_told(verb: str, tiny_shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(tiny_shop / "bundle", "bundle")
    manifest = Path("bundle/bundle.json")
    manifest.write_text(manifest.read_text().replace('"customer_service"', '"medical_imaging"'))
    code = run_app(verb, "bundle", *(["hello"] if verb == "predict" else []))
    words = ("made by the app `medical_imaging`", "python -m apps.medical_imaging")
    assert_told(code, Mistake("", list, FAILED, words), capsys.readouterr().err)
