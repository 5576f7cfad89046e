"""The encoder learns the customers' words, is served without torch, and is the same each time."""

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from core.errors import UserError
from core.retrieval.encoder import FACTS, GRAPH, TextEncoder, load_encoder
from core.retrieval.entry import Entry
from core.retrieval.train_encoder import build_pairs, fit_encoder, queries_of_intents, whole_text
from tests.core.backbones.tiny_bert import make_tiny_bert

from .shop import TRAIN, VALIDATION, make_config, make_entries, make_plan, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    assert train(folder) is not None
    return folder


@pytest.fixture(scope="module")
def encoder(trained: Path) -> TextEncoder:
    return load_encoder(trained / "encoder")


def test_customers_words_find_the_teams_entries(encoder: TextEncoder) -> None:
    found = (
        encoder.encode([query.query for query in VALIDATION])
        @ encoder.encode([whole_text(entry) for entry in make_entries()]).T
    )
    right = [f"e{row}" == query.entry_id for row, query in zip(found.argmax(axis=1), VALIDATION, strict=True)]
    assert np.mean(right) > 0.9


def test_validation_improves(trained: Path) -> None:
    lines = (trained / "work" / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("validation_mrr")
    assert float(lines[-1].split(",")[column]) > 0.9


def test_vectors_do_not_depend_on_the_batch(encoder: TextEncoder) -> None:
    texts = ["parcel", "", "a much longer question about the bill of last week", "包裹在哪里"]
    together = encoder.encode(texts)
    assert together.shape == (4, 64)
    assert together.dtype == np.float32
    for row, text in enumerate(texts):
        assert np.allclose(encoder.encode([text])[0], together[row], atol=1e-6)
    assert encoder.encode([]).shape == (0, 64)
    assert np.allclose(np.linalg.norm(together, axis=1), [1, 0, 1, 1], atol=1e-5)


def test_served_without_torch(trained: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from core.retrieval.encoder import load_encoder;"
        f"print(load_encoder(Path({str(trained / 'encoder')!r})).encode(['parcel']).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "(1, 64) False"


def test_same_seed_gives_the_same_encoder_and_a_resumed_one_too(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, console=StopsAfterEpoch())
    assert not (tmp_path / "encoder").exists()
    assert train(tmp_path, resume=True) is not None
    texts = [query.query for query in TRAIN]
    first, second = (load_encoder(folder / "encoder").encode(texts) for folder in (trained, tmp_path))
    assert np.array_equal(first, second)


class StopsAfterEpoch(Console):
    """Raises as if interrupted when the first epoch is told of."""

    def print(self, *objects: Any, **options: Any) -> None:
        if str(objects[0]).startswith("epoch 1/"):
            raise KeyboardInterrupt


def test_too_few_queries_train_nothing(tmp_path: Path) -> None:
    config = make_config()
    result = fit_encoder(
        make_entries(),
        TRAIN[:20],
        VALIDATION,
        config,
        make_plan(config),
        work=tmp_path / "work",
        target=tmp_path / "encoder",
        seed=0,
    )
    assert result is None
    assert list(tmp_path.iterdir()) == []


def test_queries_of_no_entry_are_left_aside() -> None:
    stray = TRAIN[0].model_copy(update={"entry_id": "gone"})
    assert build_pairs(make_entries(), [stray, TRAIN[1], TRAIN[1]]) == [
        {"query": TRAIN[1].query, "text": whole_text(make_entries()[1]), "label": 1}
    ]


def test_intents_of_one_entry_give_queries() -> None:
    entries = [
        Entry(entry_id=name, answer="x", intent=intent, language=language)
        for name, intent, language in (("a", "pay", "en"), ("b", "pay", "zh"), ("c", "send", "en"), ("d", "send", "en"))
    ]
    utterances = [("how to pay", "pay"), ("send it", "send"), ("hello", "greet")]
    assert [(q.query, q.entry_id) for q in queries_of_intents(entries, utterances, "en")] == [("how to pay", "a")]
    assert queries_of_intents(entries, utterances) == []


def test_pretrained_encoder_is_served_as_it_is_and_fine_tuned(tmp_path: Path) -> None:
    name = str(make_tiny_bert(tmp_path / "bert"))
    config = make_config()
    transformer = config.transformer.model_copy(update={"name": name, "max_tokens": 16})
    tuned = config.train.model_copy(update={"epochs": 1, "learning_rate": 1e-3})
    config = config.model_copy(
        update={"encoder": "transformer", "transformer": transformer, "transformer_train": tuned}
    )
    fine_tune = partial(
        fit_encoder, make_entries(), config=config, plan=make_plan(config), work=tmp_path / "work", seed=0
    )
    assert fine_tune(train=(), validation=(), target=tmp_path / "encoder") is None
    texts = ["where is my parcel", "", "refund the money please"]
    as_it_is = load_encoder(tmp_path / "encoder").encode(texts)
    assert np.allclose(np.linalg.norm(as_it_is, axis=1), 1, atol=1e-5)
    assert fine_tune(train=TRAIN, validation=VALIDATION, target=tmp_path / "encoder") is not None
    assert np.abs(load_encoder(tmp_path / "encoder").encode(texts) - as_it_is).max() > 1e-3


@pytest.mark.parametrize("damage", [GRAPH, FACTS])
def test_damaged_encoder_is_told_in_words(trained: Path, tmp_path: Path, damage: str) -> None:
    for name in (GRAPH, FACTS):
        (tmp_path / name).write_bytes((trained / "encoder" / name).read_bytes()[: 100 if name == damage else None])
    with pytest.raises(UserError, match="cannot be read"):
        load_encoder(tmp_path)
