"""What people corrected on the page is learnt by one command."""

from pathlib import Path

import pytest

from apps.customer_service.app import SPEC
from core.serving.predictor import load_predictor
from core.tasks.text_answer import TextAnswer
from tests.apps.customer_service.tiny_shop import label_text, log_of, read, run_app, train_tiny, write_utterances

WRONG, STRANGE, NEW = "track the order", "refund the book", "my lamp is broken"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_utterances(tmp_path_factory.mktemp("retraining") / "chats.csv")


@pytest.fixture(scope="module")
def corrected_run(data: Path) -> Path:
    """Trained with three corrections: another intent, out of scope, and an intent with this one example."""
    examples = ((WRONG, "refund"), (WRONG, "cancel"), (STRANGE, ""), (NEW, "complaint"))
    store = label_text(data.parent / "store.sqlite", *examples)
    return train_tiny(data, data.parent / "run", "--data.corrections", store)


def understood(run: Path, text: str) -> TextAnswer:
    answer = load_predictor(run, SPEC).predict([{"text": text}])[0]
    assert isinstance(answer, TextAnswer)
    return answer


def test_the_last_correction_of_a_text_is_what_the_model_says(corrected_run: Path, tiny_shop: Path) -> None:
    assert understood(tiny_shop, WRONG).label == "track"
    assert understood(corrected_run, WRONG).label == "cancel"
    assert "3 corrections from use are added to training" in log_of(corrected_run)


def test_text_that_was_corrected_to_out_of_scope_is_refused(corrected_run: Path, tiny_shop: Path) -> None:
    before, after = understood(tiny_shop, STRANGE), understood(corrected_run, STRANGE)
    assert after.ranking[0][1] < before.ranking[0][1]
    assert after.verdict.decision == "refused"


def test_intent_with_one_example_is_learnt(corrected_run: Path) -> None:
    assert read(corrected_run, "data_report.json")["rows"]["train"]["complaint"] == 1
    assert understood(corrected_run, NEW).label == "complaint"


def test_neighbours_keep_their_intents(corrected_run: Path) -> None:
    said = {
        text: understood(corrected_run, text).label for text in ("track my shoes", "refund my coat", "cancel a lamp")
    }
    assert said == {"track my shoes": "track", "refund my coat": "refund", "cancel a lamp": "cancel"}


def test_corrections_stay_whatever_the_limit(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = label_text(tmp_path / "store.sqlite", (NEW, "complaint"), ("the mirror is cracked", "complaint"))
    words = ("--data.corrections", store, "--data.limit", "12", "--output-dir", tmp_path / "run")
    assert run_app("train", "--config", "cpu", "--data", data, "--dry-run", *words) == 0
    row = next(line for line in capsys.readouterr().err.splitlines() if line.strip().startswith("complaint"))
    assert row.split() == ["complaint", "2", "0", "0", "2"]


def test_store_without_corrections_is_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = label_text(tmp_path / "store.sqlite")
    words = ("--data.corrections", store, "--dry-run", "--output-dir", tmp_path / "run")
    assert run_app("train", "--config", "cpu", "--data", data, *words) == 0
    assert "0 corrections from use" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["{}/none.sqlite", "sqlite:///{}/none.sqlite"])
def test_store_that_does_not_exist_is_an_error_and_is_not_made(
    url: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--data.corrections", url.format(tmp_path), "--dry-run", "--output-dir", tmp_path / "run")
    assert run_app("train", "--config", "cpu", "--data", data, *words) == 1
    assert "There is no store" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()


def test_store_that_is_no_database_is_an_error(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be taken for one" * 20)
    words = ("--data.corrections", tmp_path / "notes.txt", "--dry-run", "--output-dir", tmp_path / "run")
    assert run_app("train", "--config", "cpu", "--data", data, *words) == 1
    told = capsys.readouterr().err
    assert "cannot be opened: file is not a database" in told
    assert "data.corrections" in told
