"""Answers from a bundle, without torch, the same alone and together."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export.small_bundle import CONFIG, SCHEMA, SPEC, pictures
from PIL import Image

from core.data.image_files import UnreadableImage
from core.errors import UserError
from core.export.bundle import MANIFEST
from core.files import sha256_of
from core.serving.predictor import Predictor, load_predictor

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("torch", "torchvision", "timm", "transformers", "datasets", "accelerate", "pandas", "gradio", "sklearn")


@pytest.fixture(scope="module")
def predictor(small_bundle: Path) -> Predictor:
    return load_predictor(small_bundle, SPEC, threads=1)


def test_pictures_are_answered_with_their_label(predictor: Predictor) -> None:
    answers = predictor.predict([{"image": picture} for picture in pictures(12)])
    labels = [answer.to_json()["label"] for answer in answers]
    expected = [SCHEMA.labels[k % 3] for k in range(12)]
    assert np.mean([one == other for one, other in zip(labels, expected, strict=True)]) > 0.8
    for answer in answers:
        record = answer.to_json()
        json.dumps(record, allow_nan=False)
        assert sum(item["probability"] for item in record["ranking"]) == pytest.approx(1, abs=1e-3)
        assert record["alarm"]["labels"] == ["red"]


def test_answers_are_the_same_alone_and_together(predictor: Predictor) -> None:
    examples = [{"image": picture} for picture in pictures(9)]
    together = predictor.predict(examples)
    alone = [predictor.predict([example])[0] for example in examples]
    for one, other in zip(together, alone, strict=True):
        first, second = one.to_json(), other.to_json()
        assert (first["label"], first["decision"], first["prediction_set"]) == (
            second["label"], second["decision"], second["prediction_set"],
        )  # fmt: skip
        assert first["probability"] == pytest.approx(second["probability"], abs=2e-4)
        np.testing.assert_allclose(one.heat_map, other.heat_map, atol=1e-3)  # type: ignore[attr-defined]


def test_threads_that_ask_at_once_get_the_same_answers(predictor: Predictor) -> None:
    examples = [{"image": picture} for picture in pictures(6)] * 4
    expected = [predictor.predict([example])[0].to_json() for example in examples]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda example: predictor.predict([example])[0].to_json(), examples))
    assert found == expected


def test_a_run_folder_opens_as_its_bundle(small_bundle: Path, predictor: Predictor) -> None:
    assert load_predictor(small_bundle.parent, SPEC).bundle.id == predictor.bundle.id


def test_nothing_asked_is_nothing_answered(predictor: Predictor) -> None:
    assert list(predictor.predict([])) == []


def test_unreadable_input_is_refused(predictor: Predictor) -> None:
    with pytest.raises(UnreadableImage):
        predictor.predict([{"image": b"no image"}])


def test_predictor_knows_config_schema_and_metrics(predictor: Predictor) -> None:
    assert predictor.config == CONFIG
    assert predictor.schema == SCHEMA
    assert predictor.read_json("metrics.json")["parity"]["top1_agreement"] == 1.0


def test_bundle_of_another_app_is_refused(small_bundle: Path) -> None:
    with pytest.raises(UserError, match="was made by the app `medical_imaging`") as caught:
        load_predictor(small_bundle, replace(SPEC, name="recommender"))
    assert "python -m apps.medical_imaging" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", "train: {epoch: 3}\n"),
        ("config.yaml", "train: {epochs: many}\n"),
        ("config.yaml", "train: [\n"),
        ("config.yaml", "- 1\n"),
        ("schema.json", "{}"),
        ("schema.json", "{"),
        ("decision.json", '{"temperature": "warm"}'),
        ("decision.json", "nothing"),
    ],
)
def test_settings_that_this_version_does_not_know_are_refused(
    small_bundle: Path, tmp_path: Path, name: str, content: str
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(small_bundle, folder)
    (folder / name).write_text(content)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = sha256_of(folder / name)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="that this version does not know"):
        load_predictor(folder, SPEC)


def test_unknown_recipe_is_refused(small_bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(small_bundle, folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "recipe": "segment"}))
    with pytest.raises(UserError, match="`segment`"):
        load_predictor(folder, SPEC)


ALONE = """
import json, sys
from pathlib import Path
import apps
from core.serving.predictor import load_predictor
predictor = load_predictor(Path(sys.argv[1]), apps.load("medical_imaging"), threads=1)
answers = predictor.predict([apps.load("medical_imaging").read_input(sys.argv[2])])
# Of this program alone: the figure of getrusage includes what started it.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak_mb = int(status["VmHWM"].split()[0]) / 1024
modules = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"answer": answers[0].to_json(), "modules": modules, "peak_mb": peak_mb}))
"""


def test_serving_needs_none_of_the_libraries_of_training_and_little_memory(
    small_bundle: Path, tmp_path: Path, predictor: Predictor
) -> None:
    picture = next(pictures(1))
    Image.fromarray(picture).save(tmp_path / "picture.png")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(small_bundle), str(tmp_path / "picture.png")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(HEAVY) & set(found["modules"]) == set()
    assert found["peak_mb"] < 400
    assert found["answer"] == predictor.predict([{"image": picture}])[0].to_json()
