"""What the page says of an answer, without a browser: both languages, escaped, nothing shown that was refused."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from apps.medical_imaging.ui.answer_view import View, answer_sentence, region_words, render_answer
from apps.medical_imaging.ui.batch_tab import Row, write_csv
from core.evaluation.decision import Decision, DecisionPolicy, Verdict
from core.tasks.image_answer import ImageAnswer, Presence, Region
from core.tasks.image_schema import ImageSchema
from core.texts import LANGUAGES, Language, Text
from tests.conftest import ROOT

NASTY = "<script>alert(1)</script>"
SCHEMA = ImageSchema(
    labels=("melanoma", "nevus", NASTY),
    label_counts=(1, 1, 1),
    image_px=32,
    pixel_mean=(1, 1, 1),
    pixel_std=(1, 1, 1),
    sharpness_low=1,
    brightness_low=1,
    brightness_high=250,
)
POLICY = DecisionPolicy(
    temperature=1,
    ece_before=None,
    ece_after=None,
    novelty_threshold=None,
    accepted_share=0.98,
    coverage=0.9,
    conformal_quantile=0.5,
    num_examples=10,
)


def view(decision: Decision, language: Language, labels: tuple[str, ...] = ("melanoma",)) -> View:
    reasons = (Text("The image is blurred.", "图像模糊。"),) if decision == "refused" else ()
    answer = ImageAnswer(
        verdict=Verdict(decision, reasons, labels),
        ranking=(("melanoma", 0.81), ("nevus", 0.15), (NASTY, 0.04)),
        presence=Presence(None, None, "not_judged"),
        alarm=None,
        region=None,
        heat_map=np.zeros((2, 2), np.float32),
        mask=None,
    )
    return View(answer, SCHEMA, POLICY, {}, (), language)


def test_sentence_says_what_remains_possible() -> None:
    assert answer_sentence(view("answered", "en")) == "Most likely melanoma (probability 0.81)."
    unsure = answer_sentence(view("unsure", "en", ("melanoma", "nevus")))
    assert unsure == "Most likely melanoma (probability 0.81). Nevus cannot be excluded."
    assert (
        answer_sentence(view("unsure", "zh", ("melanoma", "nevus")))
        == "最可能为黑色素瘤（概率 0.81）。色素痣不能排除。"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("decision", ["answered", "unsure", "refused"])
def test_labels_are_inert_whatever_the_decision(decision: Decision, language: Language) -> None:
    html = render_answer(view(decision, language, ("melanoma", NASTY)))
    assert "<script" not in html


def test_refusal_hides_the_ranking_behind_a_door() -> None:
    before, behind = render_answer(view("refused", "en")).split("<details>")
    assert "Cannot assess this image." in before
    assert "The image is blurred." in before
    assert "melanoma" not in before
    assert "These numbers are not an answer." in behind


def test_place_and_size_in_words() -> None:
    region = Region(outlines=(), box=(0.7, 0.0, 1.0, 0.2), area=0.004, basis="mask")
    expected = "<1% of the image, upper right. Box: 70% to 100% of the width, 0% to 20% of the height."
    assert region_words(region, "en") == expected
    assert "右上部" in region_words(region, "zh")


def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path) -> None:
    write_csv([Row("=cmd|' /C calc'!A0", label="-1+1", probability=0.5)], tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["file"].startswith("'=")
    assert row["label"].startswith("'-")
    assert row["probability"] == "0.5"


def test_page_opens_and_answers_without_torch(quick_bundle: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from apps.medical_imaging.app import SPEC\n"
        "from core.serving.predictor import load_predictor\n"
        "from core.serving.store import Store\n"
        "from core.ui.launch import build_server\n"
        "predictor = load_predictor(Path(sys.argv[1]), SPEC)\n"
        "build_server({'/': SPEC.build_page(predictor, Store('sqlite://'))})\n"
        "from apps.medical_imaging.ui.reading import Metadata, Reader, sample_images\n"
        "reader = Reader(predictor)\n"
        "reader.render(reader.read_content('a.png', sample_images()[0].png, Metadata()))\n"
        "heavy = {'torch', 'transformers', 'timm', 'datasets', 'accelerate', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(quick_bundle)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
