"""Labelled texts are found in every form, split without leaking, and what cannot be used is named."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.data.text_config import TextColumns, TextDataConfig
from core.data.text_rows import OUT_OF_SCOPE, FoundTexts, TextRow
from core.data.text_units import fold
from core.data.utterances import CORRECTION, LoadedTexts, load_texts
from core.errors import UsageError, UserError


def load(path: Path | str, corrections: tuple[TextRow, ...] | None = None, **settings: Any) -> LoadedTexts:
    config = TextDataConfig(path=str(path), **settings)
    return load_texts(config, seed=0, sample=lambda: FoundTexts("none", []), corrections=corrections)


def questions(labels: str = "ab", count: int = 20) -> list[dict[str, str]]:
    return [{"text": f"question {number} of {label}", "intent": label} for label in labels for number in range(count)]


def write_jsonl(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return file


def texts_of(loaded: LoadedTexts) -> dict[str, set[str]]:
    return {split: {str(example["text"]) for example in examples} for split, examples in loaded.splits.items()}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_load_texts_reads_every_kind_of_table(tmp_path: Path, suffix: str) -> None:
    frame, file = pd.DataFrame(questions()), tmp_path / f"data{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(file)
    elif suffix in (".csv", ".tsv"):
        frame.to_csv(file, index=False, sep="," if suffix == ".csv" else "\t")
    else:
        frame.to_json(file, orient="records", lines=suffix == ".jsonl")
    loaded = load(file)
    assert loaded.labels == ("a", "b")
    assert {split: len(rows) for split, rows in loaded.splits.items()} == {"train": 28, "validation": 6, "test": 6}
    assert f"data{suffix}: column intent is read as label" in loaded.report.notes


def test_load_texts_maps_named_columns(tmp_path: Path) -> None:
    rows = [{"was": row["text"], "wozu": row["intent"], "text": "not this"} for row in questions()]
    loaded = load(write_jsonl(tmp_path / "data.jsonl", rows), columns=TextColumns(text="was", label="wozu"))
    assert "not this" not in set().union(*texts_of(loaded).values())
    assert loaded.labels == ("a", "b")


def test_load_texts_reads_clinc_with_out_of_scope_splits(tmp_path: Path) -> None:
    content = {
        "train": [[f"{label} {n}", label] for label in ("yes", "no") for n in range(4)],
        "val": [["yes 10", "yes"], ["no 10", "no"]],
        "test": [["yes 11", "yes"], ["no 11", "no"], ["", "no"]],
        "oos_train": [["what is love", "oos"]],
        "oos_test": [["who am i", "oos"], ["why", "oos"]],
    }
    file = tmp_path / "data_full.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    loaded = load(file)
    assert loaded.labels == ("no", "yes")
    assert Counter(example["label"] for example in loaded.splits["test"]) == {"yes": 1, "no": 1, "": 2}
    assert loaded.report.rows["test"] == {"no": 1, "yes": 1, OUT_OF_SCOPE: 2}
    assert [item.reason for item in loaded.report.rejected] == ["empty_text"]


def test_load_texts_joins_labels_that_recur_in_domains(tmp_path: Path) -> None:
    for split, count in (("train", 6), ("val", 2), ("test", 2)):
        rows = [
            {"text": f"{domain} {n} {split}", "domain": domain, "intent": "QUERY"}
            for domain in ("map", "bus")
            for n in range(count)
        ]
        write_jsonl(tmp_path / f"{split}.jsonl", rows)
    loaded = load(tmp_path)
    assert loaded.labels == ("bus/QUERY", "map/QUERY")
    assert len(loaded.splits["train"]) == 12


def test_load_texts_reads_class_folders_of_text_files(tmp_path: Path) -> None:
    for label in ("spam", "ham"):
        (tmp_path / label).mkdir()
        for number in range(8):
            (tmp_path / label / f"{number}.txt").write_text(f"{label} number {number}", encoding="utf-8")
    assert load(tmp_path).labels == ("ham", "spam")


def test_answers_given_to_several_texts_become_labels_and_the_best_answer_counts(tmp_path: Path) -> None:
    rows = [{"question": f"where is parcel {n}", "answer": "Track it.", "score": 3} for n in range(8)] + [
        {"question": f"money back {n}", "answer": "Within five days.", "score": 1} for n in range(8)
    ]
    rows += [{"question": "money back 0", "answer": "Track it.", "score": 0}]
    rows += [{"question": "do you sell ants", "answer": "No.", "score": 9}]
    loaded = load(write_jsonl(tmp_path / "chats.jsonl", rows))
    assert loaded.labels == ("money back 0", "where is parcel 0")
    label_of = {example["text"]: example["label"] for rows in loaded.splits.values() for example in rows}
    assert label_of["money back 0"] == "money back 0", "the worse answer to the same text was taken"
    assert "do you sell ants" not in label_of
    assert any("given once only" in note for note in loaded.report.notes)


def test_split_off_keeps_equal_texts_together_and_is_the_same_every_time(tmp_path: Path) -> None:
    rows = [*questions(count=30), *({"text": f"Question {n} of A", "intent": "a"} for n in range(30))]
    loaded = load(write_jsonl(tmp_path / "data.jsonl", rows))
    folded = {split: {fold(text) for text in texts} for split, texts in texts_of(loaded).items()}
    assert not folded["train"] & (folded["validation"] | folded["test"])
    again = load(write_jsonl(tmp_path / "other.jsonl", rows[::-1]))
    assert texts_of(again) == texts_of(loaded)
    assert again.fingerprint == loaded.fingerprint


def test_training_text_with_two_labels_is_rejected_and_a_correction_decides(tmp_path: Path) -> None:
    rows = [*questions(), {"text": "Question 0 of a", "intent": "b"}]
    file = write_jsonl(tmp_path / "data.jsonl", rows)
    loaded = load(file)
    assert [item.reason for item in loaded.report.rejected] == ["conflicting_label"] * 2
    corrected = load(file, corrections=(TextRow("question 0 of a", "b", "train", place=CORRECTION),))
    train = [example for example in corrected.splits["train"] if fold(str(example["text"])) == "question 0 of a"]
    assert [example["label"] for example in train] == ["b"]


def test_label_with_one_example_is_trained_and_untrained_labels_are_named(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", [*questions(count=5), {"text": "only one", "intent": "rare"}])
    write_jsonl(tmp_path / "valid.jsonl", [{"text": "v a", "intent": "a"}, {"text": "v b", "intent": "b"}])
    write_jsonl(tmp_path / "test.jsonl", [{"text": "t a", "intent": "a"}, {"text": "t new", "intent": "new"}])
    loaded = load(tmp_path)
    assert loaded.labels == ("a", "b", "rare")
    assert [(item.reason, "new" in item.sentence) for item in loaded.report.rejected] == [("untrained_label", True)]


def test_groups_stay_together_and_a_group_in_two_splits_is_refused(tmp_path: Path) -> None:
    rows = [{**row, "conversation_id": f"c{n // 4}"} for n, row in enumerate(questions(count=40))]
    loaded = load(write_jsonl(tmp_path / "data.jsonl", rows))
    groups = [{example["group"] for example in rows} for rows in loaded.splits.values()]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    leaking = [{**row, "split": ("train", "val", "test")[n % 3]} for n, row in enumerate(rows)]
    with pytest.raises(UserError, match="groups stand in two splits"):
        load(write_jsonl(tmp_path / "leak.jsonl", leaking))


def test_limit_keeps_every_label_and_too_small_a_limit_is_refused(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "data.jsonl", questions("abcd"))
    loaded = load(file, limit=8)
    assert loaded.labels == ("a", "b", "c", "d")
    assert len(loaded.splits["train"]) == 8
    with pytest.raises(UsageError, match="fewer than the 4 labels"):
        load(file, limit=3)


def test_data_that_cannot_be_used_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is nothing at"):
        load(tmp_path / "missing.csv")
    with pytest.raises(UserError, match="has no column of texts") as caught:
        load(write_jsonl(tmp_path / "odd.jsonl", [{"x": "1", "intent": "a"}]))
    assert "--data.columns.text" in caught.value.fix
    with pytest.raises(UserError, match="one label only"):
        load(write_jsonl(tmp_path / "one.jsonl", questions("a")))
    with pytest.raises(UserError, match="no text with a label"):
        load(write_jsonl(tmp_path / "bare.jsonl", [{"text": "hello"}]))


def test_real_sets_load(real_data: Path) -> None:
    clinc = load(real_data / "clinc150" / "data_full.json", out_of_scope_share=0)
    assert (len(clinc.labels), len(clinc.splits["train"]), len(clinc.splits["test"])) == (150, 15_100, 5_500)
    smp = load(real_data / "smp2020-zh-intents")
    assert (len(smp.labels), len(smp.splits["train"]), len(smp.splits["test"])) == (91, 3_511, 763)


def test_texts_out_of_scope_are_repeated_in_training_alone(tmp_path: Path) -> None:
    rows = [{**row, "split": split} for row in questions(count=50) for split in ("train", "val", "test")]
    rows += [
        {"text": f"strange {n} {split}", "intent": "oos", "split": split}
        for n in range(2)
        for split in ("train", "val")
    ]
    file = write_jsonl(tmp_path / "data.jsonl", rows)
    seen, plain = load(file, out_of_scope_share=0.1), load(file, out_of_scope_share=0)
    counts = [Counter(example["label"] == "" for example in loaded.splits["train"]) for loaded in (seen, plain)]
    assert counts == [{False: 100, True: 11}, {False: 100, True: 2}]
    assert len(seen.splits["validation"]) == len(plain.splits["validation"]) == 102
    assert seen.report == plain.report
    assert seen.fingerprint == plain.fingerprint


def test_corrections_are_shown_often_but_never_more_than_all_else(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "data.jsonl", questions(count=50))
    given = [TextRow(f"strange {n}", "b" if n else "", "train", place=CORRECTION) for n in range(3)]
    config = TextDataConfig(path=str(file), out_of_scope_share=0)

    def shown(corrections: list[TextRow], times: int) -> Counter[str]:
        loaded = load_texts(config, seed=0, sample=lambda: FoundTexts("none", []), corrections=corrections, times=times)
        return Counter(str(row["text"]) for row in loaded.splits["train"] if row["path"] == CORRECTION)

    assert shown(given, 8) == {"strange 0": 32, "strange 1": 8, "strange 2": 8}
    assert shown(given, 1) == {"strange 0": 1, "strange 1": 1, "strange 2": 1}
    many = [TextRow(f"new {n}", "a", "train", place=CORRECTION) for n in range(60)]
    assert set(shown(many, 8).values()) == {1}
