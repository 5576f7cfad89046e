"""`export --quantize static` from the command line: scales from training pictures, kept and served, or told why not."""

from pathlib import Path

import pytest

from apps.medical_imaging.app import SPEC
from core.cli import app_main
from core.export.bundle import INT8_GRAPH, load_bundle
from core.serving.predictor import load_predictor

LOOSE = (
    *("--export.quantize_speedup", "0", "--export.quantize_accuracy_given_up", "0.2"),
    *("--export.quantize_accepted_change", "1"),
)


def test_kept_graph_is_told_of_and_served(
    quick_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "bundle"
    words = [str(quick_bundle), "--quantize", "static", "--output-dir", str(target), *LOOSE]
    assert app_main(SPEC, "export", words) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "int8 (static) against the full graph" in said
    assert "The int8 graph is kept" in said
    bundle = load_bundle(target)
    assert INT8_GRAPH in bundle.manifest.files
    told = bundle.read_json("metrics.json")["quantized"]
    assert (told["kept"], told["method"]) == (True, "static")
    assert told["megabytes"]["int8"] < told["megabytes"]["full"]
    assert "those of some training examples" in (target / "README.md").read_text()
    served = load_predictor(target, SPEC, threads=1)
    assert served.read_json("metrics.json")["quantized"]["same_label"] > 0.8


def test_too_much_given_up_is_told_and_left_out(
    quick_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "bundle"
    words = ("--quantize", "static", "--export.quantize_speedup", "1000")
    assert app_main(SPEC, "export", [str(quick_bundle), "--output-dir", str(target), *words]) == 0
    assert "The int8 graph is not kept" in " ".join(capsys.readouterr().err.split())
    assert not (target / INT8_GRAPH).exists()


def test_model_that_ranks_cannot_be_measured(
    shop_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from apps.recommender.app import SPEC as SHOP

    words = [str(shop_bundle), "--quantize", "static", "--output-dir", str(tmp_path / "bundle")]
    assert app_main(SHOP, "export", words) == 1
    assert "ranks and has no classes" in " ".join(capsys.readouterr().err.split())
