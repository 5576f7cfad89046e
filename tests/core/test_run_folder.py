"""Where a run goes, how a stopped one is found again, and what is never written over."""

from pathlib import Path

import pytest

from core.config import Config, HardwareConfig, TrainConfig, dump_config
from core.errors import UsageError, UserError
from core.run_folder import (
    FINGERPRINT,
    as_measured,
    check_replaceable,
    check_same_data,
    check_same_run,
    choose_folder,
    choose_result_folder,
    link_latest,
    save_once,
    writable,
)


def make_run(folder: Path, *, is_finished: bool = False) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(dump_config(Config()))
    if is_finished:
        (folder / "bundle").mkdir()
        (folder / "bundle" / "bundle.json").write_text("{}")
    return folder


def choose(runs: Path, output_dir: Path | None = None, resume: str | None = None) -> Path:
    return choose_folder(runs, "app", "quick", output_dir, resume)


def test_new_run_is_named_by_time_and_config(tmp_path: Path) -> None:
    folder = choose(tmp_path)
    assert folder.parent == tmp_path / "app"
    assert folder.name.endswith("-quick")
    assert folder.is_dir()


def test_named_folder_is_taken_and_made(tmp_path: Path) -> None:
    assert choose(tmp_path, tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_trying_to_write_leaves_nothing(tmp_path: Path) -> None:
    assert list(writable(tmp_path / "new").iterdir()) == []


def test_folder_that_holds_a_run_is_not_written_over(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(UserError, match="holds a run already"):
        choose(tmp_path, run)


def test_auto_goes_on_with_the_newest_unfinished_run(tmp_path: Path) -> None:
    make_run(tmp_path / "app" / "20260101-000000-quick")
    newest = make_run(tmp_path / "app" / "20260102-000000-quick")
    make_run(tmp_path / "app" / "20260103-000000-quick", is_finished=True)
    (tmp_path / "app" / "latest").symlink_to(newest)
    assert choose(tmp_path, resume="auto") == newest


def test_auto_starts_anew_when_all_are_finished(tmp_path: Path) -> None:
    finished = make_run(tmp_path / "app" / "20260101-000000-quick", is_finished=True)
    folder = choose(tmp_path, resume="auto")
    assert folder != finished
    assert not (folder / "config.yaml").exists()


def test_auto_with_a_folder_goes_on_there(tmp_path: Path) -> None:
    run = make_run(tmp_path / "mine")
    assert choose(tmp_path, run, "auto") == run
    assert choose(tmp_path, tmp_path / "new", "auto") == tmp_path / "new"


def test_named_run_is_resumed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "mine")
    assert choose(tmp_path, resume=str(run)) == run


def test_folder_without_run_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run to resume"):
        choose(tmp_path, resume=str(tmp_path))


def test_same_config_may_be_resumed(tmp_path: Path) -> None:
    check_same_run(make_run(tmp_path / "run"), Config())
    check_same_run(tmp_path, Config(seed=4))  # nothing has begun there


def test_other_config_is_named_setting_by_setting(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(UsageError) as caught:
        check_same_run(run, Config(seed=4, train=TrainConfig(epochs=3)))
    assert "seed was 0 and is 4" in caught.value.what
    assert "train.epochs was 20 and is 3" in caught.value.what
    assert "train.optimizer" not in caught.value.what


def test_results_go_into_a_run_and_beside_a_bundle(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", is_finished=True)
    bundle = run / "bundle"
    assert choose_result_folder(run, bundle, "evaluation", None) == run / "evaluation"
    assert choose_result_folder(bundle, bundle, "evaluation", None) == run / "bundle-evaluation"
    assert choose_result_folder(bundle, bundle, "evaluation", tmp_path / "there") == tmp_path / "there"


def test_bundle_named_from_inside_is_not_written_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_run(tmp_path / "run", is_finished=True) / "bundle"
    monkeypatch.chdir(bundle)
    assert choose_result_folder(Path(), Path(), "export", None) == tmp_path / "run" / "bundle-export"
    assert [file.name for file in bundle.iterdir()] == ["bundle.json"]


def test_only_a_bundle_or_nothing_is_replaced(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", is_finished=True)
    check_replaceable(run / "bundle", "bundle.json")
    check_replaceable(writable(tmp_path / "empty"), "bundle.json")
    with pytest.raises(UserError, match="holds other files"):
        check_replaceable(run, "bundle.json")


def test_latest_points_to_the_run_that_finished_last(tmp_path: Path) -> None:
    for name in ("first", "second"):
        link_latest(tmp_path, "app", make_run(tmp_path / name))
        assert (tmp_path / "app" / "latest").resolve() == tmp_path / name
    assert sorted(path.name for path in (tmp_path / "app").iterdir()) == ["latest"]


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    save_once(tmp_path, "metrics.json", '{"accuracy": 0.5}')
    save_once(tmp_path, "metrics.json", '{"accuracy": 0.6}')
    assert (tmp_path / "metrics.json").read_text() == '{"accuracy": 0.6}'
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_resumed_run_keeps_what_was_measured(tmp_path: Path) -> None:
    measured = Config(hardware=HardwareConfig(precision="bf16", channels_last=True))
    (tmp_path / "config.yaml").write_text(dump_config(measured))
    assert as_measured(tmp_path, Config()).hardware == measured.hardware
    asked = Config(hardware=HardwareConfig(precision="fp32"))
    assert as_measured(tmp_path, asked).hardware.precision == "fp32"
    assert as_measured(tmp_path / "new", Config()) == Config()


def test_check_same_data_refuses_to_go_on_with_other_data(tmp_path: Path) -> None:
    check_same_data(tmp_path, "ab")
    save_once(tmp_path, FINGERPRINT, "ab\n")
    check_same_data(tmp_path, "ab")
    with pytest.raises(UserError, match="data has changed"):
        check_same_data(tmp_path, "cd")
