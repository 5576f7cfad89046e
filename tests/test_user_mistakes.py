"""Every mistake that is easy to make: told as what came, what is right and what to do; the exit code; no traceback."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from tiny_images import draw_classes, draw_image, draw_mask

import core.run_environment
from apps.medical_imaging.app import SPEC, MedicalImagingConfig
from core.app import Listing
from core.cli import app_main, suite_main
from core.config import dump_config, resolve_config

# ruff: noqa: E501  (one mistake a row)
FAILED, USAGE = 1, 2
TWO = {"melanoma": 8, "nevus": 8}
QUICK = ("--config", "quick", "--data.image_px", "32", "--hardware.measure", "false", "--device", "cpu")


@dataclass(frozen=True)
class Mistake:
    """A row: the situation is made in an empty current folder, where the command then runs."""

    name: str
    argv: Callable[[], list[str]]
    code: int
    words: tuple[str, ...]
    verb: str = "train"


def good(*more: str) -> list[str]:
    """Training on two classes, with something wrong behind it."""
    draw_classes(Path("data"), TWO)
    return ["--data", "data", *more]


def file_of(name: str, text: str | bytes) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def table(*more: str, header: str = "image,diagnosis,part,patient", split: str = "") -> list[str]:
    """A table with one row an image, then more arguments."""
    draw_classes(Path("data"), TWO)
    rows = [
        f"{label}/{image:03}.png,{label},{split or f'fold{image % 3}'},p{image}"
        for label in TWO
        for image in range(TWO[label])
    ]
    file_of("data/table.csv", "\n".join([header, *rows]))
    return ["--data", "data/table.csv", *more]


def empty_folder() -> list[str]:
    Path("empty").mkdir()
    return ["--data", "empty"]


def empty_class() -> list[str]:
    Path("data/keloid").mkdir(parents=True)
    return good()


def unreadable_class() -> list[str]:
    for number in range(3):
        file_of(f"data/keloid/{number}.png", "no picture")
    return good()


def one_class() -> list[str]:
    draw_classes(Path("data"), {"nevus": 8})
    return ["--data", "data"]


def chain_of_extends() -> list[str]:
    for name, parent in (("a", "b"), ("b", "c"), ("c", "d")):
        file_of(f"{name}.yaml", f"extends: {parent}.yaml\n")
    file_of("d.yaml", "seed: 1\n")
    return ["--config", "a.yaml"]


def same_image_in_two_splits() -> list[str]:
    for split in ("train", "validation", "test"):
        draw_classes(Path("data") / split, TWO, seed=len(split))
    shutil.copy("data/train/nevus/000.png", "data/test/nevus/copy.png")
    return ["--data", "data"]


def patient_in_two_splits() -> list[str]:
    draw_classes(Path("data"), TWO)
    splits = ("train", "validation", "test", "train")
    rows = [f"{label}/{image:03}.png,{label},{splits[image % 4]},p1" for label in TWO for image in range(TWO[label])]
    file_of("data/table.csv", "\n".join(["image,label,split,patient_id", *rows]))
    return ["--data", "data"]


def class_missing_in_training() -> list[str]:
    for split in ("train", "validation", "test"):
        draw_classes(Path("data") / split, TWO, seed=len(split))
    draw_image(Path("data/test/keloid/1.png"), (10, 200, 10), 77)
    return ["--data", "data"]


def chinese_table() -> list[str]:
    draw_classes(Path("data"), TWO)
    return ["--data", file_of("data/table.csv", "image,label\nnevus/000.png,色素痣\n".encode("gb18030"))]


def masks_for_handbook_cnn() -> list[str]:
    draw_classes(Path("data"), TWO)
    for label in TWO:
        for image in range(TWO[label]):
            draw_mask(Path(f"data/masks/{label}/{image:03}.png"))
    plain = file_of("plain.yaml", "model: {backbone: handbook_cnn, mask_decoder: true}\n")
    return ["--data", "data", "--config", plain]


def earlier_run(*more: str) -> list[str]:
    """A folder that holds the config of a run."""
    draw_classes(Path("data"), TWO)
    overrides = {"data.path": "data", "data.image_px": "32", "hardware.measure": "false", "hardware.device": "cpu"}
    config = resolve_config(MedicalImagingConfig, SPEC.configs / "quick.yaml", overrides).config
    file_of("runs/mine/config.yaml", dump_config(config))
    return ["--data", "data", *more]


BEFORE_THE_DATA = [
    Mistake("wrong key in YAML", lambda: ["--config", file_of("mine.yaml", "train: {epoch: 3}\n")], USAGE,
            ("Unknown key `train.epoch` in mine.yaml", "train.epochs")),
    Mistake("YAML that cannot be read", lambda: ["--config", file_of("mine.yaml", "train: {epochs: 3\n")], USAGE,
            ("mine.yaml is not readable YAML",)),
    Mistake("YAML that is a list", lambda: ["--config", file_of("mine.yaml", "- seed\n")], USAGE,
            ("mine.yaml holds a list", "mapping")),
    Mistake("wrong dotted key", lambda: ["--train.epoch", "3"], USAGE,
            ("Unknown key `train.epoch` in the command line", "train.epochs")),
    Mistake("section in place of a setting", lambda: ["--data.columns", "x"], USAGE,
            ("`data.columns` in the command line is a section", "data.columns.label")),
    Mistake("value of the wrong type", lambda: ["--train.epochs", "many"], USAGE, ("`train.epochs` is 'many'", "integer")),
    Mistake("value out of range", lambda: ["--train.epochs", "0"], USAGE, ("`train.epochs`", "greater than or equal to 1")),
    Mistake("value not offered", lambda: ["--train.optimizer", "adam"], USAGE, ("`train.optimizer` is 'adam'", "adamw")),
    Mistake("setting without value", lambda: ["--train.epochs"], USAGE, ("--train.epochs has no value", "int")),
    Mistake("brackets left open", lambda: ["--model.options", "{a: 1"], USAGE, ("--model.options is `{a: 1`",)),
    Mistake("unknown option", lambda: ["--epochs", "3"], USAGE, ("--epochs", "--help")),
    Mistake("seed that is no number", lambda: ["--seed", "x"], USAGE, ("--seed", "'x'", "--help")),
    Mistake("unknown preset", lambda: ["--config", "quik"], USAGE, ("`quik`", "quick", "--config quick")),
    Mistake("extends three levels deep", chain_of_extends, USAGE, ("c.yaml extends d.yaml", "third level", "two levels")),
    Mistake("extends a file that is not there", lambda: ["--config", file_of("mine.yaml", "extends: x.yaml\n")], USAGE,
            ("mine.yaml extends x.yaml, which does not exist", "shared_configs")),
    Mistake("fp16 on a CPU", lambda: ["--hardware.precision", "fp16"], USAGE, ("fp16 on a CPU", "bf16")),
    Mistake("GPU that is not there", lambda: ["--device", "cuda:63"], USAGE, ("`cuda:63` is not there", "CUDA device")),
    Mistake("device that does not exist", lambda: ["--device", "tpu"], USAGE, ("`tpu`", "auto, cpu, cuda")),
    Mistake("micro batch that does not divide", lambda: ["--hardware.micro_batch_size", "5"], USAGE,
            ("micro_batch_size 5 does not divide 32", "1, 2, 4, 8, 16, 32")),
    Mistake("output folder below a file", lambda: ["--output-dir", file_of("file", "") + "/run"], FAILED,
            ("file/run cannot be written", "Not a directory", "--output-dir")),
    Mistake("output folder where nothing can be written", lambda: ["--output-dir", "/proc/run"], FAILED,
            ("/proc/run cannot be written", "--output-dir")),
    Mistake("output folder that holds a run", lambda: earlier_run("--output-dir", "runs/mine"), FAILED,
            ("runs/mine holds a run already", "--resume auto")),
    Mistake("nothing to resume", lambda: ["--resume", "runs/nothing"], FAILED, ("runs/nothing holds no run to resume",)),
    Mistake("resumed with another config", lambda: earlier_run("--resume", "runs/mine", "--train.epochs", "5"), USAGE,
            ("another config", "train.epochs was 24 and is 5")),
    Mistake("resumed with other data", lambda: [*earlier_run("--resume", "runs/mine"), "--data", "other"], USAGE,
            ("data.path was 'data' and is 'other'",)),
]  # fmt: skip

ABOUT_THE_DATA = [
    Mistake("missing folder", lambda: ["--data", str(draw_classes(Path("images"), TWO)).replace("ag", "")], FAILED,
            ("There is no folder or file imes", "images", "Correct --data")),
    Mistake("empty folder", empty_folder, FAILED, ("empty holds no images", ".png")),
    Mistake("empty class", empty_class, FAILED, ("class folder keloid", "holds no image", "remove it")),
    Mistake("class without a readable image", unreadable_class, FAILED, ("No image of the class keloid can be read",)),
    Mistake("one class only", one_class, FAILED, ("one class only: nevus", "at least two")),
    Mistake("class that is not in training", class_missing_in_training, FAILED, ("class keloid", "training split")),
    Mistake("image in place of a folder", lambda: ["--data", file_of("one.png", "x")], FAILED, ("one.png is one file",)),
    Mistake("label column misspelt", lambda: table("--data.columns.label", "diagnose"), USAGE,
            ("no column `diagnose` for label", "Nearest columns: diagnosis", "--data.columns.label")),
    Mistake("column without a table", lambda: good("--data.columns.label", "dx"), USAGE, ("data.columns.label is set",)),
    Mistake("column of splits that holds none", lambda: table("--data.columns.split", "part"), FAILED,
            ("`fold0` in column part is no split", "validation")),
    Mistake("table in another encoding", chinese_table, FAILED, ("table.csv is not UTF-8 (line 2)", "iconv -f GB18030")),
    Mistake("same image in two splits", same_image_in_two_splits, FAILED,
            ("same content stand in two splits", "copy.png (test)", "--data.allow-leakage")),
    Mistake("patient in two splits", patient_in_two_splits, FAILED,
            ("groups stand in more than one split: p1", "--data.allow-leakage")),
    Mistake("limit below the number of labels", lambda: good("--data.limit", "1"), USAGE, ("--data.limit 1", "2 labels")),
    Mistake("shares that leave nothing to train on",
            lambda: good("--data.validation_share", "0.5", "--data.test_share", "0.5"), USAGE,
            ("take the whole data", "--data.test-share")),
    Mistake("data set of the hub, offline", lambda: ["--data", "hub:nobody/nothing"], FAILED,
            ("nobody/nothing cannot be loaded from the hub", "--data FOLDER")),
    Mistake("normal label that does not exist", lambda: good("--data.normal_label", "healty"), USAGE,
            ("data.normal_label is `healty`", "melanoma, nevus")),
    Mistake("positive label that does not exist", lambda: good("--decision.positive_labels", "melanom"), USAGE,
            ("decision.positive_labels names `melanom`", "melanoma, nevus")),
]  # fmt: skip

ABOUT_THE_MODEL = [
    Mistake("unknown backbone", lambda: good("--model.backbone", "resnt18"), FAILED, ("`resnt18`", "resnet18")),
    Mistake("option that the backbone does not have", lambda: good("--model.options.bogus", "3"), FAILED,
            ("refuses its options", "bogus")),
    Mistake("pretrained weights, offline", lambda: good("--model.pretrained", "true"), FAILED,
            ("weights of `resnet10t` could not be downloaded", "--model.pretrained PATH")),
    Mistake("weights file that is not there", lambda: good("--model.pretrained", "nowhere.pth"), FAILED,
            ("nowhere.pth do not exist",)),
    Mistake("images too small for handbook_cnn",
            lambda: good("--model.backbone", "handbook_cnn", "--data.image_px", "16", "--config", file_of("p.yaml", "{}")),
            FAILED, ("16 px are too small for handbook_cnn", "18 px", "data.image_px")),
    Mistake("handbook_cnn with masks", masks_for_handbook_cnn, FAILED, ("handbook_cnn with masks", "mask_decoder")),
    Mistake("handbook_cnn with options", lambda: good("--model.backbone", "handbook_cnn"), FAILED,
            ("handbook_cnn with options",)),
    Mistake("masks wanted where there are none", lambda: good("--model.mask_decoder", "true"), USAGE,
            ("model.mask_decoder", "mask")),
    Mistake("metadata wanted where there is none", lambda: good("--model.metadata", "true"), USAGE,
            ("model.metadata", "age, sex")),
    Mistake("monitored metric that does not exist", lambda: good("--train.monitor", "acuracy"), FAILED,
            ("train.monitor is `acuracy`", "balanced_accuracy")),
]  # fmt: skip

ROWS = [*BEFORE_THE_DATA, *ABOUT_THE_DATA, *ABOUT_THE_MODEL]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def assert_told(code: int, mistake: Mistake, stderr: str) -> None:
    """What came, what is right, what to do; the exit code; no traceback."""
    assert "Traceback" not in stderr
    assert "Unexpected error" not in stderr
    assert code == mistake.code, stderr
    lines = stderr.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Error: "))
    told = "\n".join(lines[first:])
    assert "\n  Right would be: " in told
    assert "\n  What to do: " in told
    for word in mistake.words:
        assert word in told, told


@pytest.mark.parametrize("mistake", ROWS, ids=lambda row: row.name)
def test_mistake_is_told(mistake: Mistake, capsys: pytest.CaptureFixture[str]) -> None:
    code = app_main(SPEC, mistake.verb, [*QUICK, *mistake.argv()])
    caught = capsys.readouterr()
    assert caught.out == ""
    assert_told(code, mistake, caught.err)


@pytest.mark.parametrize("mistake", BEFORE_THE_DATA, ids=lambda row: row.name)
def test_mistake_before_the_data_leaves_no_run(mistake: Mistake, capsys: pytest.CaptureFixture[str]) -> None:
    argv = mistake.argv()
    before = sorted(Path().rglob("*"))
    app_main(SPEC, mistake.verb, [*QUICK, *argv])
    assert sorted(Path().rglob("*")) == before


def test_batch_that_processes_cannot_share_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    code = app_main(SPEC, "train", [*QUICK, "--train.global_batch_size", "31"])
    words = ("global_batch_size 31 over 2 processes", "--train.global_batch_size 32")
    assert_told(code, Mistake("", list, USAGE, words), capsys.readouterr().err)


def test_tracker_that_is_not_installed_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(core.run_environment, "find_spec", lambda name: None)
    code = app_main(SPEC, "train", [*QUICK, *good("--train.trackers", "wandb")])
    words = ("tracker wandb is not installed", "pip install")
    assert_told(code, Mistake("", list, FAILED, words), capsys.readouterr().err)


def test_table_with_mark_windows_lines_and_chinese_paths_works(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("皮肤 数据") / "图 像"
    rows = ["image,label"]
    for label, colour in (("色素痣", (190, 150, 60)), ("黑色素瘤", (90, 40, 60))):
        for number in range(6):
            draw_image(folder / f"{label} {number}.png", colour, number + 100 * len(label))
            rows.append(f"图 像/{label} {number}.png,{label}")
    (folder.parent / "表 格.csv").write_bytes("\r\n".join(rows).encode("utf-8-sig"))
    code = app_main(SPEC, "train", [*QUICK, "--data", str(folder.parent / "表 格.csv"), "--dry-run"])
    err = capsys.readouterr().err
    assert code == 0, err
    assert "色素痣" in err
    assert "黑色素瘤" in err
    assert "Dry run" in err


def test_dry_run_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    argv = good("--dry-run", "--output-dir", "run")
    assert app_main(SPEC, "train", [*QUICK, *argv]) == 0
    assert not Path("run").exists()
    assert "melanoma" in capsys.readouterr().err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert app_main(SPEC, "train", ["--config", "quik", "--debug"]) == USAGE
    assert "Traceback" in capsys.readouterr().err


# ---- finished models -----------------------------------------------------------------------------


@pytest.fixture
def bundle(quick_bundle: Path) -> Path:
    """A copy of a bundle, to be spoilt."""
    return Path(shutil.copytree(quick_bundle / "bundle", "bundle"))


def spoil(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def edit_manifest(bundle: Path, **changes: object) -> None:
    file = bundle / "bundle.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def link_out(bundle: Path) -> None:
    (bundle / "model.onnx").rename("model.onnx")
    (bundle / "model.onnx").symlink_to(Path("model.onnx").resolve())


SPOILT: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "changed byte": (lambda b: spoil(b / "model.onnx"), ("model.onnx was changed", "checksum")),
    "changed config": (lambda b: spoil(b / "config.yaml"), ("config.yaml was changed",)),
    "missing file": (lambda b: (b / "schema.json").unlink(), ("schema.json is missing",)),
    "unlisted file": (lambda b: (b / "more.py").write_text("1"), ("more.py is not listed",)),
    "link": (link_out, ("model.onnx is a link",)),
    "later format": (lambda b: edit_manifest(b, format=99), ("bundle format 99", "reads format 1")),
    "other app": (lambda b: edit_manifest(b, app="recommender"), ("made by the app `recommender`",)),
    "path that leaves": (lambda b: edit_manifest(b, files={"../x": "0"}), ("'../x', which leaves the folder",)),
    "manifest that is no JSON": (lambda b: (b / "bundle.json").write_text("{"), ("bundle.json cannot be read",)),
    "no manifest": (lambda b: (b / "bundle.json").unlink(), ("is not a bundle or a finished run",)),
}


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("verb", ["predict", "evaluate", "export"])
def test_spoilt_bundle_is_told(how: str, verb: str, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoiling, words = SPOILT[how]
    spoiling(bundle)
    code = app_main(SPEC, verb, ["bundle", *(["x.png"] if verb == "predict" else [])])
    caught = capsys.readouterr()
    assert caught.out == ""
    assert_told(code, Mistake(how, list, FAILED, words), caught.err)


@pytest.mark.parametrize(
    ("verb", "argv", "code", "words"),
    [
        ("predict", ["nowhere", "x.png"], FAILED, ("nowhere is not a bundle or a finished run", "train")),
        ("predict", ["nowhere"], USAGE, ("INPUT", "--help")),
        ("evaluate", [], USAGE, ("RUN_OR_BUNDLE", "--help")),
        ("evaluate", ["nowhere", "--split", "dev"], USAGE, ("'dev'", "validation")),
        ("export", ["nowhere", "--quantize", "int4"], USAGE, ("'int4'", "none")),
        ("predict", ["nowhere", "x.png", "--train.epochs", "3"], USAGE, ("takes no settings such as --train.epochs",)),
        ("demo", ["nowhere", "--port", "x"], USAGE, ("--port", "'x'")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistaken_use_of_a_model_is_told(
    verb: str, argv: list[str], code: int, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    got = app_main(SPEC, verb, argv)
    assert_told(got, Mistake("", list, code, words), capsys.readouterr().err)


def test_unreadable_input_gets_a_line_and_the_others_an_answer(
    quick_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (50, 40), "tan").save("good.png")
    Path("bad.png").write_bytes(b"no picture")
    code = app_main(SPEC, "predict", [str(quick_bundle), "bad.png", "nowhere.png", "good.png"])
    caught = capsys.readouterr()
    bad, missing, answered = [json.loads(line) for line in caught.out.splitlines()]
    assert code == FAILED
    assert bad["input"] == "bad.png"
    assert "What to do" not in bad["error"]
    assert "nowhere.png" in missing["error"]
    assert "error" not in answered
    assert "label" in answered
    assert "2 of 3 inputs could not be read" in caught.err


def test_evaluating_unknown_labels_is_told(quick_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_classes(Path("data"), {"cat": 8, "dog": 8})
    code = app_main(SPEC, "evaluate", [str(quick_bundle), "--data", "data", "--output-dir", "out"])
    words = ("No example has a label that this model knows", "melanoma")
    assert_told(code, Mistake("", list, FAILED, words), capsys.readouterr().err)


def test_other_settings_after_training_are_told(quick_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = app_main(SPEC, "evaluate", [str(quick_bundle), "--output-dir", "out", "--train.epochs", "3"])
    assert_told(code, Mistake("", list, FAILED, ("--train.epochs after training",)), capsys.readouterr().err)


@pytest.mark.parametrize("verb", ["evaluate", "export"])
def test_results_that_cannot_be_written_are_told(
    verb: str, quick_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("")
    code = app_main(SPEC, verb, [str(quick_bundle), "--output-dir", "file/out"])
    assert_told(code, Mistake("", list, FAILED, ("file/out cannot be written",)), capsys.readouterr().err)


def test_export_over_other_files_is_refused(quick_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("years of work")
    code = app_main(SPEC, "export", [str(quick_bundle), "--output-dir", "thesis"])
    assert_told(code, Mistake("", list, FAILED, ("thesis holds other files",)), capsys.readouterr().err)
    assert Path("thesis/chapter.txt").read_text() == "years of work"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_port_in_use_is_told_with_a_free_one(
    taken_port: int, quick_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = app_main(SPEC, "demo", [str(quick_bundle), "--port", str(taken_port)])
    words = (f"127.0.0.1:{taken_port}", "in use", "--port ")
    assert_told(code, Mistake("", list, FAILED, words), capsys.readouterr().err)


def test_unknown_verb_of_the_suite_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code = suite_main(Listing({}, {}), ["trian"])
    assert_told(code, Mistake("", list, USAGE, ("'trian'", "doctor", "--help")), capsys.readouterr().err)
