"""Items read by a Transformer in the place of the TextCNN: trained, exported, proven and served alike."""

import json
from pathlib import Path

from apps.recommender.app import SPEC
from apps.recommender.recommender import Recommender
from apps.recommender.wish import Wish
from core.serving.predictor import load_predictor
from core.testing.commands import run_module

SMALL = ("--config", "quick", "--train.epochs", "1", "--model.text.kind", "transformer", "--model.text.layers", "1")


def test_transformer_of_texts_is_trained_and_serves_new_items(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = run_module("apps.recommender.train", *SMALL, "--output-dir", str(run), cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert json.loads((run / "assets" / "items.json").read_text())["parity"] < 1e-3
    recommender = Recommender(load_predictor(run, SPEC, threads=1), threads=1)
    recommender.store.put([("teapot-new", {"title": "Glass teapot for two", "tags": "tea|pot|brewing|茶|茶壶"})])
    found = recommender.recommend(Wish(interests="teapot", k=20)).items
    assert "teapot-new" in [item.item_id for item in found]
    assert any(item.reason.words for item in found)
