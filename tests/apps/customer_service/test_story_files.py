"""Story files: what they may hold, what is said about mistakes, and how a story is told."""

import json
from pathlib import Path

import pytest

from apps.customer_service.stories import check_stories, load_stories, tell_story
from apps.customer_service.test_stories import main
from core.errors import UsageError
from core.retrieval.knowledge_config import KnowledgeConfig
from core.retrieval.knowledge_files import load_knowledge
from tests.apps.customer_service.small_bot import STATUS, small_bot

SAMPLE = Path("apps/customer_service/sample")
ASKED = "where is my order"
BOT = small_bot({ASKED: ("order_status", 0.9, "answered")}, {ASKED: ([(STATUS, 0.9)], "answered")})


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write_file(text: str) -> Path:
        file = tmp_path / "stories.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write_file


def test_a_story_that_holds_has_no_failures(write) -> None:  # type: ignore[no-untyped-def]
    file = write(f"""
- story: status
  turns:
    - {{user: {ASKED}, intent: order_status, source: orders-01, kind: answer, contains: YOUR order, language: en}}
    - {{user: thanks, kind: small_talk}}
    - {{user: gravity}}
    - {{user: 转人工, kind: handoff, language: zh, contains: [同事, 以上内容]}}
""")
    (story,) = load_stories(file)
    assert tell_story(BOT, story) == []


def test_each_expectation_that_is_not_met_is_reported(write) -> None:  # type: ignore[no-untyped-def]
    file = write(f"""
- story: status
  turns:
    - {{user: hi, kind: small_talk}}
    - {{user: {ASKED}, intent: refund, source: refunds-01, kind: fallback, contains: [money, account], language: zh}}
""")
    (failure,) = tell_story(BOT, load_stories(file)[0])
    assert failure.turn == 2
    assert [what for what, _, _ in failure.differences] == ["intent", "source", "kind", "language", "contains"]
    for part in ("status, turn 2", ASKED, "intent: expected refund, got order_status", "'money'", "Open My account"):
        assert part in str(failure)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- {story: a, turns: [{user: hi, intnet: x}]}", ["intnet", "intent"]),
        ("- {stroy: a, turns: [{user: hi}]}", ["stroy", "story"]),
        ("- {story: a, turns: [{user: hi, kind: fallbak}]}", ["kind", "fallback"]),
        ("- {story: a, turns: [{user: hi, language: de}]}", ["language", "zh"]),
        ("- {story: a, turns: [{intent: x}]}", ["user"]),
        ("- {story: a, turns: [{user: yes}]}", ["user", "quotes"]),
        ("- {story: a, turns: hi}", ["turns", "list"]),
        ("- {story: a}", ["turns"]),
        ("- {story: a, turns: [hi]}", ["hi", "user"]),
        ("story: a", ["list"]),
        ("", ["nothing"]),
        ("[", ["YAML"]),
        ("- 5", ["5", "story"]),
    ],
)
def test_mistakes_in_a_file_are_named(write, text: str, told: list[str]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as error:
        load_stories(write(text))
    assert all(part in str(error.value) for part in told), str(error.value)


def test_an_unknown_intent_or_entry_names_the_nearest(write) -> None:  # type: ignore[no-untyped-def]
    stories = load_stories(write("- {story: a, turns: [{user: hi, intent: order_statsu, source: orders-1}]}"))
    with pytest.raises(UsageError, match="order_status"):
        check_stories(stories, ("order_status", "refund"), ())
    with pytest.raises(UsageError, match="orders-01"):
        check_stories(stories, (), {"orders-01"})
    check_stories(stories, (), ())


@pytest.mark.parametrize("arguments", [[], ["nowhere.yaml"], ["--runn", "x", "y"]])
def test_bad_usage_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "What to do" in capsys.readouterr().err


def test_the_sample_stories_name_intents_and_entries_that_exist() -> None:
    stories = load_stories(SAMPLE / "stories.yaml")
    lines = (SAMPLE / "utterances_en.jsonl").read_text(encoding="utf-8").splitlines()
    entries, _ = load_knowledge(KnowledgeConfig(path=str(SAMPLE / "knowledge")))
    check_stories(stories, {json.loads(line)["intent"] for line in lines}, {entry.entry_id for entry in entries})
    assert len(stories) >= 20
    assert len({story.story for story in stories}) == len(stories)
