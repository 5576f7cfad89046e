"""Whole runs on tiny data of every form, with every kind of model, through the app's command line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from apps.customer_service.app import SPEC
from apps.customer_service.assistant import open_assistant
from apps.customer_service.session import Session
from core.errors import UserError
from core.export.bundle import load_bundle
from core.files import sha256_of
from core.serving.predictor import load_predictor
from tests.apps.customer_service.tiny_shop import (
    FAQ_COLUMNS,
    STRANGE,
    UTTERANCES,
    label_text,
    log_of,
    read,
    run_app,
    train_tiny,
    write_faq,
    write_table,
    write_utterances,
)
from tests.core.backbones.tiny_bert import make_tiny_bert

TRANSFORMER = ("--model.encoder", "transformer", "--model.transformer.max_tokens", "16")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def answer(run: Path, capsys: pytest.CaptureFixture[str], *texts: str) -> list[dict[str, Any]]:
    """What `predict` says."""
    capsys.readouterr()
    assert run_app("predict", run, *texts) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# ---- where the data comes from -------------------------------------------------------------------


def test_mapped_columns_are_read_and_a_question_is_answered_with_its_source(
    tiny_shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_predictor(tiny_shop, SPEC).task.labels == ("cancel", "refund", "track")
    told = answer(tiny_shop, capsys, "where is my parcel")[0]
    assert {"intent", "confidence", "answer", "sources", "decision"} <= told.keys()
    assert told["input"] == "where is my parcel"
    assert told["answer"].startswith("Open Orders and choose Track.")
    assert told["sources"][0] == {
        "entry_id": "f1",
        "title": "Where is my parcel?",
        "url": "https://help.shop.example/f1",
    }
    assert told["decision"] == "answered"
    assert told["understood"]["ranking"]


def clinc(file: Path) -> Path:
    """CLINC150's layout: splits of pairs, and such splits of texts out of scope."""
    content: dict[str, list[list[str]]] = {
        name: [] for name in ("train", "val", "test", "oos_train", "oos_val", "oos_test")
    }
    for number, row in enumerate(UTTERANCES):
        content.setdefault(("train", "train", "val", "test")[number % 4], []).append([row["text"], row["intent"]])
    for number, text in enumerate(STRANGE):
        content.setdefault(("oos_train", "oos_val", "oos_test")[number % 3], []).append([text, "oos"])
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_clinc_json_trains_an_lstm_and_measures_what_is_out_of_scope(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train_tiny(clinc(folder / "data_full.json"), folder / "clinc", config="recurrent")
    assert read(run, "data_report.json")["rows"]["test"] == {"cancel": 6, "out of scope": 3, "refund": 6, "track": 6}
    assert {"out_of_scope_auroc", "out_of_scope_recall"} <= read(run, "metrics.json")["test"]["metrics"].keys()
    assert answer(run, capsys, "refund my shoes")[0]["understood"]["ranking"]


def test_folder_of_jsonl_with_domains_trains_a_gru(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, split in enumerate(("train", "dev", "test")):
        rows = [
            {"text": f"{row['text']} by {domain}", "domain": domain, "intent": row["intent"]}
            for row in UTTERANCES[number::3]
            for domain in ("sea", "air")
        ]
        write_table(folder / "domains" / f"{split}.jsonl", rows)
    run = train_tiny(folder / "domains", folder / "gru", "--model.recurrent.kind", "gru", config="recurrent")
    labels = load_predictor(run, SPEC).task.labels
    assert labels == ("air/cancel", "air/refund", "air/track", "sea/cancel", "sea/refund", "sea/track")
    assert "joined with them, as domain/label" in log_of(run)
    assert read(run, "bundle/schema.json")["labels"] == list(labels)
    assert answer(run, capsys, "track my shoes by sea")[0]["understood"]["label"] in labels


@pytest.fixture(scope="module")
def saved_set(folder: Path) -> Path:
    """A data set as `datasets` saves it, with numbers for labels."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["cancel", "refund", "track"])})
    parts = {
        split: Dataset.from_list(
            [{"text": row["text"], "label": row["intent"]} for row in UTTERANCES[number::3]], features=features
        )
        for number, split in enumerate(("train", "validation", "test"))
    }
    DatasetDict(parts).save_to_disk(str(folder / "saved"))
    return folder / "saved"


@pytest.fixture(scope="module")
def mute_run(saved_set: Path, folder: Path) -> Path:
    """Trained without any knowledge."""
    return train_tiny(f"hub:{saved_set}", folder / "mute")


def test_data_set_saved_by_datasets_is_read_by_hub_id_and_by_path(saved_set: Path, mute_run: Path) -> None:
    assert load_predictor(mute_run, SPEC).task.labels == ("cancel", "refund", "track")
    assert (
        run_app("train", "--config", "cpu", "--data", saved_set, "--dry-run", "--output-dir", mute_run.parent / "dry")
        == 0
    )
    assert run_app("evaluate", mute_run, "--data", saved_set, "--output-dir", mute_run.parent / "by_path") == 0


def test_bot_without_knowledge_refuses_and_invents_nothing(mute_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not (mute_run / "bundle" / "assets").exists()
    for told in answer(mute_run, capsys, "where is my parcel", "refund a lamp", "我的包裹在哪里"):
        assert told["kind"] in ("fallback", "clarify"), told
        assert told["decision"] != "answered"
        assert told["sources"] == []
        assert told["retrieved"]["hits"] == []


# ---- dialogues of the past -----------------------------------------------------------------------


ANSWERS = {
    "track": "Open Orders and choose Track.",
    "refund": "We refund within five days.",
    "cancel": "Cancel it under Orders until it is packed.",
}


@pytest.fixture(scope="module")
def history_run(folder: Path) -> Path:
    """Trained on questions with answers, none of them labelled; some have a second, worse answer."""
    rows = [{"question": row["text"], "best_answer": ANSWERS[row["intent"]], "score": 5} for row in UTTERANCES]
    rows += [{"question": row["text"], "best_answer": "Hm, no idea.", "score": 1} for row in UTTERANCES[:9]]
    rows += [{"question": "do you sell ants", "best_answer": "No, we sell no animals.", "score": 5}]
    llm = ("--dialogue.llm.endpoint", "http://127.0.0.1:9/v1")
    return train_tiny(write_table(folder / "history.csv", rows), folder / "history", *llm)


def test_past_answers_become_intents_and_knowledge(history_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(load_predictor(history_run, SPEC).task.labels) == 3
    told = answer(history_run, capsys, "where is my parcel", "reimburse my coat")
    for intent, found in zip(("track", "refund"), told, strict=True):
        assert found["kind"] == "answer"
        assert found["answer"].startswith(ANSWERS[intent])
        assert found["sources"]
        assert found["llm"] == "down", "the endpoint of the config was asked"


def test_past_answers_that_were_bettered_are_no_knowledge(history_run: Path) -> None:
    entries = open_assistant(history_run).knowledge.entries()
    answers = [entry.answer for entry in entries]
    assert sorted(answers) == sorted([*ANSWERS.values(), "No, we sell no animals."])
    labels = load_predictor(history_run, SPEC).task.labels
    assert {entry.intent for entry in entries} == {*labels, ""}


# ---- pretrained encoders -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bert(folder: Path) -> Path:
    return make_tiny_bert(folder / "bert")


@pytest.fixture(scope="module")
def bert_run(folder: Path, bert: Path) -> Path:
    """Fine-tuned whole, and so is the encoder that searches; the pretrained files are gone afterwards."""
    data, faq = write_utterances(folder / "chats.jsonl"), write_faq(folder / "faq.csv")
    own = Path(shutil.copytree(bert, folder / "own_bert"))
    search = (
        "--search.encoder",
        "transformer",
        "--search.transformer.name",
        own,
        "--search.transformer.max_tokens",
        "16",
    )
    name = ("--model.transformer.name", own)
    more = ("--search.transformer_train.epochs", "1", "--knowledge.path", faq, *FAQ_COLUMNS)
    run = train_tiny(data, folder / "bert_run", *TRANSFORMER, *name, *search, *more, config="transformer")
    shutil.rmtree(own)
    return run


def test_transformer_bundle_serves_without_the_pretrained_files(
    bert_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = answer(bert_run, capsys, "where is my parcel")[0]
    assert told["understood"]["ranking"]
    assert told["retrieved"]["hits"][0]["vector_score"] is not None


@pytest.mark.parametrize("verb", ["evaluate", "export"])
def test_transformer_bundle_is_measured_and_exported_without_them(verb: str, bert_run: Path, folder: Path) -> None:
    target = folder / f"bert_{verb}"
    assert run_app(verb, bert_run, "--output-dir", target) == 0
    if verb == "export":
        assert sha256_of(target / "model.safetensors") == sha256_of(bert_run / "bundle" / "model.safetensors")
        assert_same_assets(target, bert_run / "bundle")


@pytest.mark.parametrize("tuning", ["lora", "frozen"])
def test_transformer_is_tuned_sparingly(tuning: str, folder: Path, bert: Path) -> None:
    data = write_utterances(folder / "chats.jsonl")
    words = ("--model.transformer.name", bert, "--model.transformer.tuning", tuning)
    run = train_tiny(data, folder / tuning, *TRANSFORMER, *words, config="transformer")
    assert load_predictor(run, SPEC).task.labels == ("cancel", "refund", "track")
    from safetensors.torch import load_file

    before = load_file(bert / "model.safetensors")
    after = load_file(run / "bundle" / "model.safetensors")
    name = "encoder.layer.0.attention.self.query.weight"
    served = next(value for key, value in after.items() if key.endswith(name))
    assert (served == before[name]).all().item() is (tuning == "frozen")
    assert run_app("export", run, "--output-dir", folder / f"{tuning}_export") == 0


def assert_same_assets(first: Path, second: Path) -> None:
    """The same files with the same content below both `assets`."""
    found = [
        {
            file.relative_to(bundle / "assets"): sha256_of(file)
            for file in (bundle / "assets").rglob("*")
            if file.is_file()
        }
        for bundle in (first, second)
    ]
    assert found[0]
    assert found[0] == found[1]


# ---- a model that learns from another ------------------------------------------------------------


def test_student_of_a_teacher_is_measured_and_believes_a_correction_more(tiny_shop: Path, folder: Path) -> None:
    data = write_utterances(folder / "chats.jsonl")
    store = label_text(folder / "store.sqlite", ("track the order", "cancel"))
    (folder / "more.txt").write_text("where are my socks\nmoney back for the mug\n")
    words = ("--distill.teacher", tiny_shop, "--distill.unlabelled", folder / "more.txt", "--data.corrections", store)
    run = train_tiny(data, folder / "student", *words)
    answers = [load_predictor(of, SPEC).predict([{"text": "track the order"}])[0] for of in (tiny_shop, run)]
    assert [one.to_json()["label"] for one in answers] == ["track", "cancel"]
    assert "accuracy" in read(run, "metrics.json")["test"]["metrics"]
    assert run_app("evaluate", run, "--output-dir", folder / "student_again") == 0


def test_teacher_with_other_labels_is_refused(
    tiny_shop: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**row, "intent": row["intent"].replace("refund", "money")} for row in UTTERANCES]
    data = write_table(folder / "others.jsonl", rows)
    code = run_app(
        "train", "--config", "cpu", "--data", data, "--distill.teacher", tiny_shop, "--output-dir", folder / "no"
    )
    assert code == 1
    assert "has other labels: 1 missing (money); 1 more (refund)" in " ".join(capsys.readouterr().err.split())


# ---- finished bundles ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["evaluate", "export"])
def test_evaluate_and_export_keep_the_assets(verb: str, tiny_shop: Path, folder: Path) -> None:
    target = folder / f"tiny_{verb}"
    assert run_app(verb, tiny_shop, "--output-dir", target) == 0
    load_bundle(tiny_shop)
    if verb == "export":
        assert_same_assets(target, tiny_shop / "bundle")
        replies = [
            open_assistant(run).dialogue.reply(Session(), "where is my parcel")[0] for run in (tiny_shop, target)
        ]
        assert replies[0].text == replies[1].text
        assert replies[0].sources == replies[1].sources


@pytest.fixture
def spoilt(tiny_shop: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_shop / "bundle", tmp_path / "bundle"))


@pytest.mark.parametrize("name", ["assets/entries.jsonl", "assets/retrieval.json", "assets/encoder/encoder.onnx"])
def test_bundle_whose_assets_were_changed_is_refused(
    name: str, spoilt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray((spoilt / name).read_bytes())
    content[len(content) // 2] ^= 1
    (spoilt / name).write_bytes(content)
    assert run_app("predict", spoilt, "where is my parcel") == 1
    caught = capsys.readouterr()
    assert caught.out == ""
    assert f"{name} was changed" in caught.err
    assert "Traceback" not in caught.err


def test_entry_added_beside_the_manifest_is_refused(spoilt: Path) -> None:
    (spoilt / "assets" / "more.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="not listed"):
        open_assistant(spoilt)
