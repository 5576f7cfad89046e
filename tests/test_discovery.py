"""Installed plugins: good ones are listed, broken ones are named, and none takes the others down."""

import sys
from pathlib import Path

import pytest

from core.testing.commands import Done, probe_module

ROOT = Path(__file__).resolve().parents[1]
GOOD = """
from pathlib import Path
from core.app import AppSpec
from core.texts import Text


TITLE, SUMMARY = Text("A good app", "一个好应用"), Text("It is listed.", "它会被列出。")
SPEC = AppSpec("good_app", TITLE, SUMMARY, (), (), Path("."), None, None)
"""
PLUGINS = {
    "good_app": ("good_module:SPEC", GOOD),
    "no_import": ("no_import_module:SPEC", "import a_package_that_is_not_there"),
    "raises": ("raising_module:SPEC", "raise RuntimeError('it needs a moon')"),
    "leaves": ("leaving_module:SPEC", "import sys\nsys.exit('no licence key')"),
    "no_spec": ("bare_module:SPEC", "OTHER = 1"),
    "wrong_type": ("wrong_type_module:SPEC", "SPEC = {'name': 'wrong_type'}"),
    "wrong_name": ("wrong_name_module:SPEC", GOOD),
    "no_module": ("module_that_is_not_there:SPEC", None),
    "no_syntax": ("unreadable_module:SPEC", "def ("),
    "medical_imaging": ("impostor_module:SPEC", "raise RuntimeError('a folder comes before a package')"),
}
REASONS = {
    "no_import": "ModuleNotFoundError: No module named 'a_package_that_is_not_there'",
    "raises": "RuntimeError: it needs a moon",
    "leaves": "SystemExit: no licence key",
    "no_spec": "AttributeError",
    "wrong_type": "instead of an AppSpec named 'wrong_type'",
    "wrong_name": "instead of an AppSpec named 'wrong_name'",
    "no_module": "ModuleNotFoundError: No module named 'module_that_is_not_there'",
    "no_syntax": "SyntaxError",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site-packages with one distribution a plugin."""
    folder = tmp_path_factory.mktemp("site")
    for name, (target, source) in PLUGINS.items():
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[ai_app_suite.apps]\n{name} = {target}\n")
        if source is not None:
            (folder / f"{target.split(':')[0]}.py").write_text(source, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def listed(site: Path) -> Done:
    """`python -m apps` where these plugins are installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(ROOT), str(site)])
        return probe_module("apps", cwd=site)


def test_good_plugin_is_listed_beside_the_folders(listed: Done) -> None:
    assert listed.code == 0, listed.stderr
    assert {"good_app", "medical_imaging"} <= set(listed.stdout.splitlines())
    assert "A good app / 一个好应用" in listed.stdout


@pytest.mark.parametrize("name", REASONS)
def test_broken_plugin_is_reported_by_name(listed: Done, name: str) -> None:
    lines = listed.stderr.splitlines()
    assert name in lines
    assert REASONS[name] in lines[lines.index(name) + 1]
    assert name not in listed.stdout.splitlines()


def test_broken_plugins_raise_no_traceback(listed: Done) -> None:
    assert "Traceback" not in listed.stderr


def test_listing_imports_no_torch(listed: Done) -> None:
    assert not {"torch", "gradio", "onnxruntime"} & set(listed.heavy)


def test_folder_comes_before_a_package_of_its_name(listed: Done) -> None:
    assert "medical_imaging" not in listed.stderr


def test_doctor_fails_and_names_what_is_broken(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT), str(site)])
    done = probe_module("apps", "doctor", cwd=site)
    assert done.code == 1
    assert "missing app raises cannot be loaded: RuntimeError: it needs a moon" in done.stdout
    assert "app good_app: A good app" in done.stdout


def test_app_that_is_not_there_is_told_with_those_that_are() -> None:
    from apps import load
    from core.errors import UsageError

    with pytest.raises(UsageError) as caught:
        load("medical_imagin")
    assert "medical_imagin" in caught.value.what
    assert "medical_imaging" in caught.value.allowed


def test_app_is_loaded_by_name() -> None:
    from apps import load

    assert load("medical_imaging").name == "medical_imaging"
