"""The command line: settings taken out of the arguments, exit codes, help, and what is told when something fails."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.cli
from apps.medical_imaging.app import SPEC, MedicalImagingConfig
from core.app import Listing
from core.cli import app_main, parse_suite, parse_verb, suite_main
from core.cli_arguments import split_overrides
from core.config import FieldHelp, describe_fields, resolve_config
from core.errors import UsageError, UserError

FIELDS = list(describe_fields(MedicalImagingConfig))


def split(*argv: str) -> tuple[dict[str, object], list[str]]:
    return split_overrides(argv, FIELDS)


@pytest.mark.parametrize(
    ("argv", "overrides", "rest"),
    [
        (["--train.epochs", "5"], {"train.epochs": "5"}, []),
        (["--train.epochs=5", "x"], {"train.epochs": "5"}, ["x"]),
        (["--hardware.micro-batch-size", "8"], {"hardware.micro_batch_size": "8"}, []),
        (["--data.allow_leakage"], {"data.allow_leakage": True}, []),
        (["--data.allow_leakage", "--seed", "1"], {"data.allow_leakage": True}, ["--seed", "1"]),
        (["--data.allow_leakage", "false"], {"data.allow_leakage": False}, []),
        (["--hardware.compile", "auto"], {"hardware.compile": "auto"}, []),
        (["--model.pretrained"], {"model.pretrained": True}, []),
        (["--model.pretrained", "true"], {"model.pretrained": True}, []),
        (["--model.pretrained", "weights.pth"], {"model.pretrained": "weights.pth"}, []),
        (["--model.pretrained", "--config", "gpu"], {"model.pretrained": True}, ["--config", "gpu"]),
        (["--decision.positive_labels", "mel,bcc"], {"decision.positive_labels": ["mel", "bcc"]}, []),
        (["--decision.positive_labels", "auto"], {"decision.positive_labels": "auto"}, []),
        (["--train.trackers", "[]"], {"train.trackers": []}, []),
        (["--train.trackers", "tensorboard,wandb"], {"train.trackers": ["tensorboard", "wandb"]}, []),
        (["--model.options", "{a: 1, b: [2]}"], {"model.options": {"a": 1, "b": [2]}}, []),
        (["--data.columns.label", "null"], {"data.columns.label": None}, []),
        (["--data.path", "a b=c"], {"data.path": "a b=c"}, []),
        (["--data.path=a=b"], {"data.path": "a=b"}, []),
        (["--data.path", "文件 夹"], {"data.path": "文件 夹"}, []),
        (["--train.learning_rate", "-1"], {"train.learning_rate": "-1"}, []),
        (["run", "a.b.png"], {}, ["run", "a.b.png"]),
        ([], {}, []),
    ],
    ids=str,
)
def test_settings_are_taken_out_of_the_arguments(
    argv: list[str], overrides: dict[str, object], rest: list[str]
) -> None:
    assert split(*argv) == (overrides, rest)


@pytest.mark.parametrize("argv", [["--train.epochs"], ["--train.epochs", "--train.seed", "1"]], ids=str)
def test_setting_without_value_is_refused(argv: list[str]) -> None:
    with pytest.raises(UsageError, match=r"train\.epochs has no value"):
        split(*argv)


@given(st.lists(st.text(min_size=1).filter(lambda word: not word.startswith("-")), max_size=6))
def test_words_without_dashes_pass_untouched(words: list[str]) -> None:
    assert split(*words) == ({}, words)


@given(st.integers(min_value=1, max_value=10**6))
def test_numbers_come_through_as_the_config_reads_them(number: int) -> None:
    overrides, _ = split("--train.epochs", str(number))
    assert resolve_config(MedicalImagingConfig, None, overrides).config.train.epochs == number


@pytest.mark.parametrize(
    "field",
    [field for field in FIELDS if "." in field.key and field.default not in ("", "None", "{}")],
    ids=lambda field: field.key,
)
def test_every_setting_takes_its_own_default(field: FieldHelp) -> None:
    typed = field.default.strip("()").replace("'", "").rstrip(",")
    overrides, rest = split(f"--{field.key}", typed)
    assert rest == []
    config = resolve_config(MedicalImagingConfig, None, overrides).config
    assert config == MedicalImagingConfig()


# ---- arguments -----------------------------------------------------------------------------------


def test_train_arguments_stand_for_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def train(spec: object, recipe: object, resolved: object, **options: object) -> None:
        seen.update(options, config=resolved.config)  # type: ignore[attr-defined]

    monkeypatch.setattr("core.run.train", train)
    argv = [
        "--config",
        "quick",
        "--seed",
        "7",
        "--device",
        "cpu",
        "--data",
        "there",
        "--output-dir",
        "out",
        "--dry-run",
    ]
    assert app_main(SPEC, "train", argv) == 0
    assert (seen["config"].seed, seen["config"].hardware.device, seen["config"].data.path) == (7, "cpu", "there")  # type: ignore[attr-defined]
    assert (seen["output_dir"], seen["is_dry_run"], seen["resume"]) == (Path("out"), True, None)
    assert seen["config_name"] == "quick"


def test_words_may_not_be_shortened() -> None:
    with pytest.raises(UsageError):
        parse_verb(SPEC, "train", ["--conf", "quick"])


@pytest.mark.parametrize("argv", [["predict", "run", "x.png"], ["demo", "run"]], ids=lambda argv: argv[0])
def test_finished_models_take_no_settings(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="takes no settings"):
        parse_verb(SPEC, argv[0], [*argv[1:], "--train.epochs", "3"])


def test_page_listens_on_this_machine_only_unless_told() -> None:
    arguments, _ = parse_verb(SPEC, "demo", [])
    assert arguments.host == "127.0.0.1"
    assert arguments.run is None


def test_help_names_every_setting_with_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app_main(SPEC, "train", ["--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    for field in FIELDS:
        if field.key not in ("recipe", "seed"):
            assert f"--{field.key}  {field.type_name}" in told
            assert field.help in told


# ---- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UserError("Broken.", "Whole.", "Mend."), 1, "Error: Broken.\n  Right would be: Whole.\n  What to do: Mend.\n"),
        (UserError("It broke."), 1, "Error: It broke.\n"),
        (UsageError("Not so.", "So.", "Do."), 2, "Error: Not so.\n  Right would be: So.\n  What to do: Do.\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (ZeroDivisionError("x"), 1,
         "Unexpected error, probably a bug: ZeroDivisionError: x\nTo see where: the same command with --debug.\n"),
    ],
    ids=["failed", "failed in one line", "usage", "interrupted", "bug"],
)  # fmt: skip
def test_error_is_told_with_its_exit_code(
    error: BaseException, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(core.cli, "VERB_FUNCTIONS", {"evaluate": fail})
    assert app_main(SPEC, "evaluate", ["run"]) == code
    assert capsys.readouterr().err == told
    assert app_main(SPEC, "evaluate", ["run", "--debug"]) == code
    assert "Traceback" in capsys.readouterr().err


def test_reader_that_leaves_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise BrokenPipeError

    kept = os.dup(1)
    try:
        monkeypatch.setattr(core.cli, "VERB_FUNCTIONS", {"evaluate": fail})
        assert app_main(SPEC, "evaluate", ["run"]) == 0
    finally:
        os.dup2(kept, 1)
        os.close(kept)


# ---- the suite -----------------------------------------------------------------------------------


def test_suite_lists_apps_and_names_broken_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite_main(Listing({SPEC.name: SPEC}, {"other": "ImportError: no moon"}), []) == 0
    caught = capsys.readouterr()
    assert SPEC.title.en in caught.out
    assert SPEC.title.zh in caught.out
    assert "python -m apps.medical_imaging.train --help" in caught.out
    assert caught.err == "other\n    cannot be loaded: ImportError: no moon\n"


def test_suite_lists_by_default() -> None:
    assert parse_suite([]).verb == "list"


@pytest.mark.parametrize(("is_whole", "code"), [(True, 0), (False, 1)])
def test_doctor_fails_when_something_is_missing(is_whole: bool, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.doctor.examine", lambda apps, broken: is_whole)
    assert suite_main(Listing({}, {}), ["doctor"]) == code
