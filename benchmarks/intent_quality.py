"""Quality on real intent data, beside TF-IDF with a linear SVM on the same split.

The suite's preset (or a finished run), and an SVM over TF-IDF of character n-grams, perhaps with words: the kind that
is best on validation data.
Measured on the test split: accuracy, and where the data has out-of-scope texts their AUROC and the share of them that
is found when one point of accuracy on validation data is given up. Every threshold is chosen on validation data. Then
the time of one query through the bundle, raw text in, typed answer out.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import LinearSVC

from apps.customer_service.app import SPEC
from apps.customer_service.data import read_sample
from core.data.module import Example
from core.data.text_config import TextDataConfig
from core.data.utterances import load_texts
from core.evaluation.discrimination import auroc
from core.evaluation.uncertainty import Estimate, proportion
from core.serving.predictor import Predictor, load_predictor

REAL_DATA = Path(os.environ.get("SUITE_REAL_DATA", "../shared/data"))
GIVEN_UP = 0.01
QUERIES = 300
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """What a model says about a split: the label of each text, and how strange it finds it."""

    labels: npt.NDArray[np.str_]
    strangeness: Floats


def best_svm(train: list[Example], validation: list[Example]) -> tuple[str, Any]:
    """TF-IDF and a linear SVM: of several kinds of features and strengths the one that is best on validation data."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    short = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    long = TfidfVectorizer(analyzer="char", ngram_range=(1, 5), sublinear_tf=True)
    both = FeatureUnion([("words", words), ("characters", long)])
    known, asked = [e for e in train if e["label"]], [e for e in validation if e["label"]]
    best: tuple[float, str, Any] = (-1.0, "", None)
    for name, features in (("characters 1-3", short), ("characters 1-5", long), ("words and characters", both)):
        seen = features.fit_transform([e["text"] for e in known])
        checked = features.transform([e["text"] for e in asked])
        for strength in (0.3, 1.0):
            classifier = LinearSVC(C=strength).fit(seen, [e["label"] for e in known])
            accuracy = float((classifier.predict(checked) == [e["label"] for e in asked]).mean())
            if accuracy > best[0]:
                best = (accuracy, f"{name}, C {strength:g}", make_pipeline(features, classifier))
    return best[1], best[2]


def score_svm(model: Any, examples: list[Example]) -> Scored:
    """The class of the largest margin, and how small that margin is."""
    margins = model.decision_function([example["text"] for example in examples])
    return Scored(model.classes_[margins.argmax(axis=1)], -margins.max(axis=1))


def score_suite(predictor: Predictor, examples: list[Example]) -> Scored:
    """The served graph's most probable label and its novelty."""
    outputs = predictor.session.run_all(predictor.task.encode(examples), predictor.task.trim)
    labels = np.array(predictor.task.labels)
    return Scored(labels[outputs["probabilities"].argmax(axis=1)], outputs["novelty"].astype(np.float64))


def measure(validation: Scored, test: Scored, validation_truth: list[str], test_truth: list[str]) -> str:
    """Accuracy, out-of-scope AUROC and recall, as one line."""
    truth, inside = np.array(test_truth), np.array([bool(label) for label in test_truth])
    cells = [f"accuracy {proportion((test.labels == truth)[inside])}"]
    if not inside.all():
        cells.append(f"out-of-scope AUROC {auroc(test.strangeness, ~inside):.4f}")
        limit = threshold(validation, np.array(validation_truth))
        found = proportion(test.strangeness[~inside] > limit)
        kept = ((test.labels == truth) & (test.strangeness <= limit))[inside].mean()
        cells.append(f"recall {found} at accuracy {kept:.3f}")
    return "  ".join(cells)


def threshold(scored: Scored, truth: npt.NDArray[np.str_]) -> float:
    """The least strangeness at which refusing all above costs one point of accuracy at most."""
    inside = truth != ""
    right = (scored.labels == truth)[inside]
    kept = np.sort(scored.strangeness[inside][right])
    lost = int(GIVEN_UP * inside.sum())
    return float(kept[len(kept) - 1 - lost])


def query_ms(predictor: Predictor, examples: list[Example]) -> float:
    """Median milliseconds of one text, from raw to typed answer."""
    texts = [{"text": example["text"]} for example in examples[: 2 * QUERIES : 2]]
    times = []
    for text in texts:
        started = time.perf_counter()
        predictor.predict([text])
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=str(REAL_DATA / "clinc150" / "data_full.json"))
    parser.add_argument("--config", default="cpu")
    parser.add_argument("--run", type=Path, help="measure this finished run instead of training")
    parser.add_argument("--output-dir", type=Path, help="default: runs/benchmarks/intents_DATA_CONFIG")
    arguments = parser.parse_args()
    name = f"intents_{Path(arguments.data).stem}_{arguments.config}"
    run = arguments.run or arguments.output_dir or Path("runs/benchmarks") / name
    if arguments.run is None:
        command = [sys.executable, "-m", "apps.customer_service.train", "--config", arguments.config]
        command += ["--data", arguments.data, "--output-dir", str(run), "--resume", "auto"]
        subprocess.run(command, check=True)
    loaded = load_texts(TextDataConfig(path=arguments.data), seed=0, sample=read_sample)
    splits = {split: list(examples) for split, examples in loaded.splits.items()}
    truth = {split: [str(example["label"]) for example in examples] for split, examples in splits.items()}
    predictor = load_predictor(run, SPEC, threads=1)
    seconds = predictor.read_json("metrics.json")["training"]["seconds"]

    def show(title: str, score: Any) -> None:
        line = measure(score(splits["validation"]), score(splits["test"]), truth["validation"], truth["test"])
        print(f"{title:44}{line}", flush=True)

    show(f"suite, {arguments.config}", lambda part: score_suite(predictor, part))
    name, svm = best_svm(splits["train"], splits["validation"])
    show(f"SVM ({name})", lambda part: score_svm(svm, part))
    ece = Estimate(**predictor.read_json("metrics.json")["test"]["metrics"]["ece"])
    one = query_ms(predictor, splits["test"])
    print(f"training {seconds / 60:.1f} min, calibration error {ece}, one query {one:.2f} ms")


if __name__ == "__main__":
    main()
