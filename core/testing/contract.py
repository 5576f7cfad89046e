"""What every app must do: inherit `AppContract` in a test, name the app's SPEC, and all of it is checked.

class TestMyApp(AppContract):
    spec = SPEC
    quick_overrides = ("--train.epochs", "2", "--data.limit", "60")

    def example_inputs(self, folder: Path) -> list[str]: ...
"""

import csv
import json
import signal
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from core.app import AppSpec
from core.cli_arguments import VERBS
from core.config import resolve_config
from core.export.bundle import REQUIRED, load_bundle
from core.files import sha256_of
from core.testing.commands import Done, probe_module, read_until, run_module, running
from core.testing.probe import SERVING_HEAVY
from core.texts import Text

PRESETS = ("quick", "cpu", "gpu")
RUN_FILES = (
    "config.yaml",
    "environment.json",
    "data_report.json",
    "metrics.csv",
    "metrics.json",
    "train.log",
    "report.html",
    "bundle/bundle.json",
)
"""What every run leaves, besides checkpoints/, TensorBoard events, plots, and errors.csv where there are classes."""
REPEATABLE = ("--hardware.measure", "false")
"""A measurement of speed may choose another number format the next time; without it the same bits come out."""


@dataclass(frozen=True)
class Trained:
    """A finished run and the command that made it."""

    folder: Path
    run: Path
    done: Done


class AppContract:
    """Tests that every app inherits; expensive steps run once a class (with pytest-xdist: --dist loadfile)."""

    spec: ClassVar[AppSpec]
    """The app."""
    quick_overrides: ClassVar[tuple[str, ...]] = ()
    """Settings that make the quick preset short; two epochs at least."""
    plots: ClassVar[tuple[str, ...]] = ("training",)
    """Plots that a run leaves."""

    @classmethod
    def module(cls, verb: str) -> str:
        """What `python -m` starts for a verb."""
        return cls.spec.command(verb).removeprefix("python -m ")

    def example_inputs(self, folder: Path) -> list[str]:
        """Two or more inputs for `predict`, their files written into a folder."""
        raise NotImplementedError

    # ---- what it is ------------------------------------------------------------------------------

    def test_texts_are_given_in_both_languages(self) -> None:
        spec = self.spec
        assert spec.name.isidentifier()
        assert spec.name == spec.name.lower()
        assert spec.limits, "an app says what it must not be used for"
        for text in (spec.title, spec.summary, *spec.limits):
            assert text.en.strip(), f"no English for {text.zh!r}"
            assert not has_chinese(text.en), f"Chinese in the English text {text.en!r}"
            assert has_chinese(text.zh), f"no Chinese for {text.en!r}"

    def test_recipes_are_named_apart(self) -> None:
        names = [recipe.name for recipe in self.spec.recipes]
        assert names
        assert len(set(names)) == len(names)
        assert self.spec.recipe("") is self.spec.recipes[0]

    def test_presets_resolve(self) -> None:
        files = sorted(self.spec.configs.glob("*.yaml"))
        assert set(PRESETS) <= {file.stem for file in files}
        for file in files:
            config = resolve_config(self.spec.recipes[0].config, file, {}).config
            assert config.recipe in ("", *(recipe.name for recipe in self.spec.recipes))
            if file.stem == "gpu":
                assert config.hardware.min_gpu_gb > 0, "gpu.yaml says for which GPU it is"

    # ---- what it costs to ask --------------------------------------------------------------------

    @pytest.mark.parametrize("verb", VERBS)
    def test_help_imports_nothing_heavy(self, verb: str, tmp_path: Path) -> None:
        done = probe_module(self.module(verb), "--help", cwd=tmp_path)
        assert done.code == 0, done.stderr
        assert self.spec.command(verb) in done.stdout
        assert self.spec.summary.en in done.stdout
        assert not done.heavy

    def test_it_is_listed_and_nothing_heavy_is_imported(self, tmp_path: Path) -> None:
        done = probe_module("apps", cwd=tmp_path)
        assert done.code == 0, done.stderr
        assert self.spec.name in done.stdout.splitlines()
        assert self.spec.title.zh in done.stdout
        assert f"{self.spec.command('train')} --help" in done.stdout
        assert not done.heavy

    # ---- training --------------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, tmp_path_factory: pytest.TempPathFactory) -> Trained:
        """The quick preset, trained on sample data to the end."""
        folder = tmp_path_factory.mktemp(f"contract_{cls.spec.name}")
        done = run_module(cls.module("train"), *cls._train_words("finished"), cwd=folder)
        assert done.code == 0, done.stderr
        return Trained(folder, folder / "finished", done)

    @classmethod
    def _train_words(cls, output: str) -> list[str]:
        """Arguments of `train`; a checkpoint inside each epoch, for the test that stops it."""
        always = ("--config", "quick", *REPEATABLE, "--train.checkpoint-every-steps", "2")
        return [*always, *cls.quick_overrides, "--output-dir", output]

    def test_run_leaves_every_file(self, trained: Trained) -> None:
        run = trained.run
        assert not [name for name in RUN_FILES if not (run / name).is_file()]
        assert list(run.glob("tensorboard/events.*"))
        assert list(run.glob("checkpoints/step-*/manifest.json"))
        assert set(self.plots) <= {plot.stem for plot in run.glob("plots/*.png")}
        has_classes = (run / "plots" / "confusion.png").is_file()
        assert (run / "errors.csv").is_file() == has_classes
        assert (trained.folder / "runs" / self.spec.name / "latest").resolve() == run

    def test_bundle_is_whole_and_of_this_app(self, trained: Trained) -> None:
        bundle = load_bundle(trained.run)
        assert set(REQUIRED) <= set(bundle.manifest.files)
        assert bundle.manifest.app == self.spec.name
        card = (bundle.path / "README.md").read_text(encoding="utf-8")
        assert all(limit.en in card and limit.zh in card for limit in self.spec.limits)

    def test_metrics_have_intervals(self, trained: Trained) -> None:
        metrics = json.loads((trained.run / "metrics.json").read_text(encoding="utf-8"))["test"]["metrics"]
        assert metrics
        assert all(set(metric) == {"value", "low", "high"} for metric in metrics.values())

    def test_each_epoch_has_a_row(self, trained: Trained) -> None:
        with (trained.run / "metrics.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [float(row["epoch"]) for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) >= 2, "the contract needs two epochs"

    def test_output_is_for_people_and_the_log_keeps_it(self, trained: Trained) -> None:
        assert trained.done.stdout == ""
        log = (trained.run / "train.log").read_text(encoding="utf-8")
        order = [
            log.index(part) for part in ("Machine and plan", "Data", "Config", "Results go to", "epoch 1/", "Next")
        ]
        assert order == sorted(order)
        assert f"{self.spec.command('demo')} {trained.run.name}" in trained.done.stderr

    def test_killed_run_resumed_equals_the_unkilled_one(self, trained: Trained) -> None:
        words = self._train_words("killed")
        with running(self.module("train"), *words, cwd=trained.folder) as process:
            read_until(process, "epoch 1/")
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        killed = trained.folder / "killed"
        assert not (killed / "bundle").exists()
        resumed = run_module(self.module("train"), "--resume", "killed", cwd=trained.folder)
        assert resumed.code == 0, resumed.stderr
        # What is trained beside the model, such as an encoder of assets, has a first epoch of its own later.
        assert "\nepoch 1/" not in resumed.stderr.split("\nepoch 2/")[0], "it began again instead of going on"
        assert_same_weights(killed, trained.run)

    def test_config_of_a_run_repeats_it(self, trained: Trained) -> None:
        config = trained.run / "config.yaml"
        done = run_module(self.module("train"), "--config", config, "--output-dir", "repeated", cwd=trained.folder)
        assert done.code == 0, done.stderr
        assert_same_weights(trained.folder / "repeated", trained.run)
        assert (trained.folder / "repeated" / "config.yaml").read_text() == config.read_text()

    # ---- afterwards ------------------------------------------------------------------------------

    def test_evaluate_finds_what_training_found(self, trained: Trained) -> None:
        done = run_module(self.module("evaluate"), trained.run, cwd=trained.folder)
        assert done.code == 0, done.stderr
        told = json.loads((trained.run / "metrics.json").read_text(encoding="utf-8"))["test"]["metrics"]
        assert json.loads(done.stdout).keys() == told.keys()
        for name, metric in json.loads(done.stdout).items():
            assert metric == pytest.approx(told[name], abs=1e-6), name
        assert (trained.run / "evaluation" / "metrics.json").is_file()
        assert (trained.run / "evaluation" / "report.html").is_file()

    def test_evaluate_of_a_bundle_leaves_it_whole(self, trained: Trained) -> None:
        done = run_module(self.module("evaluate"), "finished/bundle", "--split", "validation", cwd=trained.folder)
        assert done.code == 0, done.stderr
        load_bundle(trained.run)

    def test_export_gives_a_whole_bundle_with_the_same_weights(self, trained: Trained) -> None:
        done = run_module(self.module("export"), trained.run, cwd=trained.folder)
        assert done.code == 0, done.stderr
        exported = trained.folder / done.stdout.strip()
        assert load_bundle(exported).manifest.app == self.spec.name
        assert_same_weights(exported, trained.run / "bundle", "model.safetensors")

    def test_predict_answers_in_json_lines_without_torch(self, trained: Trained) -> None:
        folder = trained.folder / "inputs"
        folder.mkdir()
        inputs = self.example_inputs(folder)
        assert len(inputs) >= 2
        done = probe_module(self.module("predict"), trained.run, *inputs, cwd=trained.folder)
        assert done.code == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [answer["input"] for answer in answers] == inputs
        assert all(len(answer) > 1 and "error" not in answer for answer in answers)
        assert not set(done.heavy) & set(SERVING_HEAVY)

    def test_page_answers_without_torch(self, trained: Trained) -> None:
        report = trained.folder / "page_imported.json"
        words = (report, self.module("demo"), trained.run, "--port", "0")
        with running("core.testing.probe", *words, cwd=trained.folder) as process:
            address = read_until(process, "Page: ").removeprefix("Page: ")
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert answer.status == 200
                assert b"<html" in answer.read().lower()
            process.send_signal(signal.SIGINT)
            _end(process)
        assert not set(json.loads(report.read_text(encoding="utf-8"))) & set(SERVING_HEAVY)


def assert_same_weights(first: Path, second: Path, name: str = "bundle/model.safetensors") -> None:
    """AssertionError unless two runs ended with the same weights, bit for bit."""
    assert sha256_of(first / name) == sha256_of(second / name), f"{first / name} differs from {second / name}"


def has_chinese(text: str | Text | Any) -> bool:
    """Whether a text holds a Chinese character."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in str(text))


def _end(process: subprocess.Popen[str]) -> None:
    """Reads what is left, so that a full pipe keeps nothing from ending."""
    assert process.stderr is not None
    process.stderr.read()
    process.wait()
