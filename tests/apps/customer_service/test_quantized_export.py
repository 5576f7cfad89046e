"""`export --quantize` from the command line: kept and served, or told why not; without it everything is as before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.customer_service.app import SPEC
from core.export.bundle import INT8_GRAPH, load_bundle
from core.export.session import Session
from core.serving.predictor import load_predictor
from tests.apps.customer_service.tiny_shop import run_app

LOOSE = ("--export.quantize_speedup", "0", "--export.quantize_accepted_change", "1")


@pytest.fixture(scope="module")
def kept(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop exported with an int8 graph, at any speed."""
    bundle = tmp_path_factory.mktemp("kept") / "bundle"
    assert run_app("export", tiny_shop, "--quantize", "dynamic", "--output-dir", bundle, *LOOSE) == 0
    return bundle


def test_kept_graph_is_listed_told_of_and_served(kept: Path) -> None:
    assert INT8_GRAPH in load_bundle(kept).manifest.files
    predictor = load_predictor(kept, SPEC, threads=1)
    arrays = predictor.task.trim(predictor.task.encode([{"text": "where is my parcel"}]))
    names = [spec.name for spec in predictor.task.inputs]
    served, full, small = (
        session.run(arrays)["probabilities"]
        for session in (
            predictor.session,
            *(Session(kept / name, names, threads=1) for name in ("model.onnx", INT8_GRAPH)),
        )
    )
    np.testing.assert_array_equal(served, small)
    assert (served != full).any()
    assert predictor.predict([{"text": "where is my parcel"}])[0].to_json()["label"] == "track"
    told = load_bundle(kept).read_json("metrics.json")["quantized"]
    assert (told["kept"], told["objections"], told["method"]) == (True, [], "dynamic")
    assert "model.int8.onnx is what is served" in (kept / "README.md").read_text()


def test_settings_of_the_gate_are_kept_in_the_bundle(kept: Path) -> None:
    config: Any = load_predictor(kept, SPEC).config
    assert config.export.quantize_speedup == 0


def test_slow_graph_is_told_and_left_out(tiny_shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "bundle"
    words = ("--quantize", "dynamic", "--export.quantize_speedup", "1000")
    assert run_app("export", tiny_shop, "--output-dir", target, *words) == 0
    caught = capsys.readouterr()
    assert caught.out.strip() == str(target)
    said = " ".join(caught.err.split())
    assert "The int8 graph is not kept: one example is" in said
    assert "times as fast, 1000 times is asked for" in said
    assert "one example, ms" in said
    bundle = load_bundle(target)
    assert INT8_GRAPH not in bundle.manifest.files
    assert not (target / INT8_GRAPH).exists()
    assert bundle.read_json("metrics.json")["quantized"]["kept"] is False
    assert "It was tried and not kept: one example is" in (target / "README.md").read_text()
    assert load_predictor(target, SPEC).predict([{"text": "refund the order"}])


@pytest.mark.parametrize("words", [(), ("--quantize", "none")], ids=str)
def test_without_it_nothing_of_it_is_left(words: tuple[str, ...], kept: Path, tmp_path: Path) -> None:
    target = tmp_path / "again"
    assert run_app("export", kept, "--output-dir", target, *words) == 0
    bundle = load_bundle(target)
    assert INT8_GRAPH not in bundle.manifest.files
    assert "quantized" not in bundle.read_json("metrics.json")
    assert "int8" not in (target / "README.md").read_text()


def test_other_settings_are_refused(tiny_shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app("export", tiny_shop, "--output-dir", tmp_path / "no", "--train.epochs", "3") == 1
    assert "--train.epochs after training" in capsys.readouterr().err
