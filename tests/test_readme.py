"""What the READMEs promise: commands that parse, links and pictures that exist, and two languages that say the same."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from apps import available
from core.cli import parse_suite, parse_verb
from core.cli_arguments import VERBS
from core.config import resolve_config

ROOT = Path(__file__).resolve().parents[1]

READMES = ("README.md", "README.zh-CN.md")
APP_READMES = sorted(f"{file.relative_to(ROOT)}" for file in (ROOT / "apps").glob("*/README*.md"))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NUMBER = re.compile(r"\d[\d.,]*\d|\d")
PLACEHOLDER = re.compile(r"^[A-Z]+(?:_[A-Z]+)+$|\bTODO\b|\bTBD\b|\bFIXME\b", re.MULTILINE)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_blocks(text: str) -> list[str]:
    """Fenced blocks, without the comments, which are translated."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return ["\n".join(line.split(" #")[0].rstrip() for line in block.splitlines()) for block in blocks]


def commands(text: str) -> list[list[str]]:
    """Words after `-m` of each command that starts something in apps, continued lines joined."""
    found = []
    for block in code_blocks(text):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            starts = [n for n, word in enumerate(words[:-1]) if word == "-m" and words[n + 1].split(".")[0] == "apps"]
            found += [words[start + 1 :] for start in starts]
    return found


def check(words: list[str]) -> None:
    """Raises UsageError unless the command line parses and its settings exist."""
    module, *argv = words
    if module == "apps":
        parse_suite(argv)
        return
    _, name, verb = module.split(".")
    if verb not in VERBS:
        assert importlib.util.find_spec(module), module
        return
    spec = available().apps[name]
    arguments, overrides = parse_verb(spec, verb, argv)
    file = spec.configs / f"{getattr(arguments, 'config', None) or 'cpu'}.yaml"
    resolve_config(spec.recipes[0].config, file, overrides)


@pytest.mark.parametrize("name", READMES)
def test_readme_commands_parse(name: str) -> None:
    found = commands(text_of(name))
    assert {words[0].rsplit(".", 1)[-1] for words in found} >= set(VERBS), "every verb is shown"
    for words in found:
        check(words)


@pytest.mark.parametrize("name", APP_READMES)
def test_app_readme_commands_parse(name: str) -> None:
    for words in commands(text_of(name)):
        check(words)


def test_a_wrong_command_would_be_found() -> None:
    text = "```bash\npython -m apps.medical_imaging.train --train.epoch 3 --config quick\n```\n"
    (words,) = commands(text)
    with pytest.raises(ValueError, match=r"train\.epochs"):
        check(words)


@pytest.mark.parametrize("name", [*READMES, *APP_READMES])
def test_links_and_pictures_of_readme_exist(name: str) -> None:
    folder = (ROOT / name).parent
    targets = [link.split("#")[0] for link in LINK.findall(text_of(name)) if "://" not in link]
    missing = [target for target in targets if target and not (folder / target).exists()]
    assert not missing


@pytest.mark.parametrize("name", READMES)
def test_readme_shows_the_page(name: str) -> None:
    pictures = [link for link in LINK.findall(text_of(name)) if Path(link).suffix in (".png", ".jpg", ".webp", ".gif")]
    assert pictures


@pytest.mark.parametrize("name", [*READMES, *APP_READMES])
def test_readme_holds_no_placeholder(name: str) -> None:
    assert not PLACEHOLDER.findall(text_of(name))


def test_readmes_show_the_same_code() -> None:
    english, chinese = (code_blocks(text_of(name)) for name in READMES)
    assert english == chinese


def test_readmes_give_the_same_figures_in_tables() -> None:
    english, chinese = (figures(text_of(name)) for name in READMES)
    assert english
    assert english == chinese


def figures(text: str) -> list[list[str]]:
    """The numbers of each table row that has any."""
    rows = [NUMBER.findall(line) for line in text.splitlines() if line.startswith("|")]
    return [row for row in rows if row]


def test_readmes_link_to_each_other() -> None:
    english, chinese = map(text_of, READMES)
    assert READMES[1] in english
    assert READMES[0] in chinese


@pytest.mark.parametrize("name", READMES)
def test_map_names_files_that_exist(name: str) -> None:
    rooms = {path.name for path in (ROOT / "core").iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    missing = [room for room in sorted(rooms) if f"{room}/" not in text_of(name)]
    assert not missing
