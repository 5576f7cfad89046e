"""A second app, installed as a package and about no images, keeps the same contract; an app that breaks it fails."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

SITE = Path(__file__).parent / "site"
if str(SITE) not in sys.path:
    sys.path.append(str(SITE))

from toy_points.app import SPEC  # noqa: E402

from core.testing.contract import AppContract, assert_same_weights  # noqa: E402
from core.texts import Text  # noqa: E402


class TestToyApp(AppContract):
    spec = SPEC
    plots = ("training", "confusion", "reliability", "confidence")

    def example_inputs(self, folder: Path) -> list[str]:
        return ["0.5,-0.5", "0.1,0.9"]


class Contract(AppContract):
    """Not collected: its tests are called below."""

    spec = SPEC


@pytest.mark.parametrize(
    "changes",
    [
        {"title": Text("Sides of a line", "")},
        {"summary": Text("Says on which side.", "Says on which side.")},
        {"limits": ()},
        {"limits": (Text("", "仅供测试。"),)},
        {"name": "Toy Points"},
    ],
    ids=["title without Chinese", "summary only in English", "no limits", "limit without English", "name of two words"],
)
def test_app_with_missing_texts_fails_the_contract(changes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contract, "spec", replace(SPEC, **changes))
    with pytest.raises(AssertionError):
        Contract().test_texts_are_given_in_both_languages()


def test_app_without_gpu_preset_fails_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("quick", "cpu"):
        (tmp_path / f"{name}.yaml").write_text("# A preset.\nseed: 1\n")
    monkeypatch.setattr(Contract, "spec", replace(SPEC, configs=tmp_path))
    with pytest.raises(AssertionError):
        Contract().test_presets_resolve()


def test_other_weights_are_told_apart(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text(name)
    assert_same_weights(tmp_path / "first", tmp_path / "first", "weights")
    with pytest.raises(AssertionError, match="differs"):
        assert_same_weights(tmp_path / "first", tmp_path / "second", "weights")
