"""The bundle: whole, checked, and nothing in it that was not listed."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from faults.train_worker import make_arrays

from core.errors import UserError
from core.evaluation.decision import DecisionPolicy
from core.export.bundle import MANIFEST, REQUIRED, Manifest, load_bundle, write_bundle
from core.export.exporter import load_graph
from core.files import sha256_of
from core.training.checkpoint import save_weights

from .small_bundle import CONFIG, SCHEMA, SPEC, Made

PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small bundle of plain files, to be damaged."""

    def write_files(aside: Path) -> None:
        for name in REQUIRED:
            (aside / name).write_text(f"content of {name}")
        (aside / "assets").mkdir()
        (aside / "assets" / "words.txt").write_text("words")

    return write_bundle(tmp_path / "bundle", make_manifest, write_files).path


def make_manifest(files: dict[str, str]) -> Manifest:
    return Manifest(
        format=1,
        app="medical_imaging",
        recipe="classify",
        created="2026-01-01T00:00:00+00:00",
        libraries={},
        data_fingerprint="0" * 64,
        inputs=(),
        outputs=(),
        files=files,
    )


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    (folder / MANIFEST).write_text(json.dumps(content))


def test_bundle_comes_back_as_it_was_written(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.manifest.app == "medical_imaging"
    assert set(bundle.manifest.files) == {*REQUIRED, "assets/words.txt"}
    assert load_bundle(folder.parent).path == folder
    assert bundle.id == load_bundle(folder).id
    assert len(bundle.id) == 12


def test_id_changes_with_the_content(folder: Path) -> None:
    before = load_bundle(folder).id
    (folder / "metrics.json").write_text("other")
    change_manifest(folder, lambda c: c["files"].update({"metrics.json": sha256_of(folder / "metrics.json")}))
    assert load_bundle(folder).id != before


def flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "assets" / "words.txt").read_bytes())
    content[2] ^= 1
    (folder / "assets" / "words.txt").write_bytes(content)


def link_a_file(folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    shutil.move(folder / "assets" / "words.txt", outside)
    (folder / "assets" / "words.txt").symlink_to(outside)


def link_a_folder(folder: Path) -> None:
    outside = folder.parent / "outside"
    shutil.move(folder / "assets", outside)
    (folder / "assets").symlink_to(outside)


def list_outside(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder.parent / "outside.txt").write_text("outside")
        digest = sha256_of(folder.parent / "outside.txt")
        change_manifest(folder, lambda content: content["files"].update({name: digest}))

    return damage


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed byte": (flip_a_byte, r"assets/words\.txt was changed"),
    "missing file": (lambda f: (f / "assets" / "words.txt").unlink(), r"assets/words\.txt is missing"),
    "missing required file": (lambda f: (f / "schema.json").unlink(), r"schema\.json is missing"),
    "required file not listed": (
        lambda f: change_manifest(f, lambda c: c["files"].pop("model.onnx")),
        r"model\.onnx is not listed",
    ),
    "unlisted file": (lambda f: (f / "extra.py").write_text("print()"), r"extra\.py is not listed"),
    "hidden file": (lambda f: (f / "assets" / ".hidden").touch(), r"assets/\.hidden is not listed"),
    "symlink to a file": (link_a_file, r"assets/words\.txt is a link"),
    "symlink to a folder": (link_a_folder, "assets is a link"),
    "path above": (list_outside("../outside.txt"), "leaves the folder"),
    "path above inside": (list_outside("assets/../../outside.txt"), "leaves the folder"),
    "absolute path": (list_outside("/etc/passwd"), "leaves the folder"),
    "backslash": (list_outside("..\\outside.txt"), "leaves the folder"),
    "other format": (lambda f: change_manifest(f, lambda c: c.update(format=2)), "bundle format 2"),
    "no format": (lambda f: change_manifest(f, lambda c: c.pop("format")), "bundle format None"),
    "unknown field": (lambda f: change_manifest(f, lambda c: c.update(more=1)), r"bundle\.json cannot be read"),
    "missing field": (lambda f: change_manifest(f, lambda c: c.pop("app")), r"bundle\.json cannot be read"),
    "not JSON": (lambda f: (f / MANIFEST).write_text("{"), r"bundle\.json cannot be read"),
    "not an object": (lambda f: (f / MANIFEST).write_text("[1]"), r"bundle\.json cannot be read"),
    "not text": (lambda f: (f / MANIFEST).write_bytes(b"\xff\xfe\x00"), r"bundle\.json cannot be read"),
    "no manifest": (lambda f: (f / MANIFEST).unlink(), r"is not a bundle or a finished run"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_bundle_is_refused_with_what_is_wrong(folder: Path, name: str) -> None:
    damage, words = DAMAGES[name]
    damage(folder)
    with pytest.raises(UserError, match=words) as caught:
        load_bundle(folder)
    assert caught.value.fix


def test_nothing_there_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a bundle"):
        load_bundle(tmp_path / "nowhere")


def test_failed_writing_leaves_the_bundle_that_was_there(folder: Path) -> None:
    before = load_bundle(folder).id

    def fail(aside: Path) -> None:
        (aside / "model.onnx").write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write_bundle(folder, make_manifest, fail)
    assert load_bundle(folder).id == before
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


# ---- a real one --------------------------------------------------------------------------------------


def test_real_bundle_holds_what_rebuilds_the_task_and_nothing_pickled(small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle)
    assert set(bundle.manifest.files) == set(REQUIRED)
    recipe = SPEC.recipe(bundle.manifest.recipe)
    config = recipe.config.model_validate(yaml.safe_load((small_bundle / "config.yaml").read_text()))
    assert config == CONFIG
    assert recipe.schema.model_validate(bundle.read_json("schema.json")) == SCHEMA
    DecisionPolicy.model_validate(bundle.read_json("decision.json"))
    for file in small_bundle.rglob("*"):
        assert not file.read_bytes().startswith(PICKLE_STARTS), file


def test_stated_inputs_and_outputs_say_what_they_mean(small_bundle: Path) -> None:
    manifest = load_bundle(small_bundle).manifest
    for spec in (*manifest.inputs, *manifest.outputs):
        assert spec.meaning.endswith(".")
        assert spec.shape[0] == "batch"
    assert {"torch", "onnx", "onnxruntime"} <= set(manifest.libraries)


def test_weights_of_a_bundle_give_its_graph_back_bit_by_bit(made: Made) -> None:
    found = made.graph.state_dict()
    assert found.keys() == made.weights.keys()
    assert all(torch.equal(value, made.weights[name]) for name, value in found.items())


def test_weights_of_another_model_are_refused(made: Made) -> None:
    other = CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update={"mask_channels": 16})})
    with pytest.raises(UserError, match="do not fit its config"):
        load_graph(made.bundle, SPEC.recipes[0].build_model(other, SCHEMA), made.policy)


def test_novelty_of_the_trained_net_tells_strange_inputs(made: Made) -> None:
    policy = made.policy
    assert policy.novelty_threshold is not None
    stripes = torch.zeros(4, 32, 32, 3, dtype=torch.uint8)
    stripes[:, ::4] = 255
    like = torch.from_numpy(make_arrays(32, 5)["image"])
    with torch.no_grad():
        novelty = made.graph(image=like)["novelty"]
        strange = made.graph(image=stripes)["novelty"]
    assert (novelty <= policy.novelty_threshold).float().mean() > 0.8
    assert strange.min() > novelty.median()
    assert (strange > policy.novelty_threshold).all()


# ---- the model card ----------------------------------------------------------------------------------


def test_card_names_limits_labels_metrics_and_when_it_answers(small_bundle: Path) -> None:
    card = (small_bundle / "README.md").read_text()
    header = yaml.safe_load(card.split("---")[1])
    metrics = json.loads((small_bundle / "metrics.json").read_text())
    assert "medical_imaging" in header["tags"]
    assert "balanced_accuracy" in header["metrics"]
    for limit in SPEC.limits:
        assert limit.en in card
        assert limit.zh in card
    for label in SCHEMA.labels:
        assert label in card
    for name, estimate in metrics["test"]["metrics"].items():
        shown = "n/a" if estimate["value"] is None else f"{estimate['value']:.3f}"
        assert f"| {name} | {shown} |" in card
    for words in ("temperature", "Prediction sets", "Alarm for red", "ONNX equals PyTorch on 32", "epoch 4 kept"):
        assert words in card


def test_weights_without_those_of_its_novelty_are_refused(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(made.bundle.path, folder)
    older = {name.replace("novelty.score.distance.", "novelty."): weight for name, weight in made.weights.items()}
    save_weights(folder / "model.safetensors", older)
    with pytest.raises(UserError, match="do not fit its config"):
        load_graph(replace(made.bundle, path=folder), SPEC.recipes[0].build_model(CONFIG, SCHEMA), made.policy)
