"""Stories that a bot must live up to: what the customer says, and what of the reply must hold; read, told, reported."""

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import Field, ValidationError

from apps.customer_service.dialogue import Dialogue
from apps.customer_service.reply import Kind, Reply
from apps.customer_service.session import Session
from core.config import Record
from core.errors import UsageError
from core.texts import Language

MAX_LISTED = 60


class StoryTurn(Record):
    """One message and what must hold of the reply; what is not given may be anything."""

    user: str
    """What the customer says."""
    intent: str | None = None
    """First intent."""
    source: str | None = None
    """Entry id that is answered with: the first source."""
    kind: Kind | None = None
    """Kind of the reply."""
    contains: tuple[str, ...] = ()
    """Words, or a list of them, that the text must hold; case does not matter."""
    language: Language | None = None
    """Of the reply."""


class Story(Record):
    """One conversation."""

    story: str
    """Its name."""
    turns: tuple[StoryTurn, ...] = Field(min_length=1)
    """In order."""


class Difference(NamedTuple):
    """One expectation that was not met.

    Args:
        what: Which.
        expected: As written.
        got: What came.
    """

    what: str
    expected: str
    got: str


@dataclass(frozen=True)
class Failure:
    """One turn that was not as expected.

    Args:
        story: Name of the story.
        turn: From 1.
        user: What the customer said.
        differences: At least one.
        reply: The whole reply.
    """

    story: str
    turn: int
    user: str
    differences: tuple[Difference, ...]
    reply: Reply

    def __str__(self) -> str:
        said = " ".join(self.reply.text.split())
        lines = [f"FAILED {self.story}, turn {self.turn}: {self.user}"]
        lines += [f"    {what}: expected {expected}, got {got}" for what, expected, got in self.differences]
        lines += [f"    the bot said ({self.reply.kind}, {self.reply.reason}): {said}"]
        lines += [f"    it offered: {option.text}" for option in self.reply.options]
        return "\n".join(lines)


def load_stories(file: Path) -> tuple[Story, ...]:
    """The stories of a YAML file.

    Raises:
        UsageError: It cannot be read, or holds what a story has no place for, with the nearest key.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}", "Stories are a YAML file in UTF-8.", "Correct the path or the file."
        ) from None
    if not isinstance(content, list) or not content:
        raise UsageError(
            f"{file} holds {'nothing' if not content else f'a {type(content).__name__}'}.",
            "Stories are a list of `- story: NAME` with `turns:`.",
            "See apps/customer_service/sample/stories.yaml for one to copy.",
        )
    return tuple(_read_story(number, entry, file) for number, entry in enumerate(content, start=1))


def check_stories(stories: Iterable[Story], intents: Collection[str], entry_ids: Collection[str]) -> None:
    """Every intent and entry id that stories expect must exist.

    Args:
        stories: To check.
        intents: All there are; empty = not known, nothing is checked.
        entry_ids: The same.

    Raises:
        UsageError: One does not exist; the nearest ones and a list are given.
    """
    for story in stories:
        for number, turn in enumerate(story.turns, start=1):
            where = f"{story.story}, turn {number}"
            _check_known(turn.intent, intents, "intent", where)
            _check_known(turn.source, entry_ids, "entry id", where)


def tell_story(dialogue: Dialogue, story: Story) -> list[Failure]:
    """Tells one story to a bot, in a session of its own; what was not as expected, empty = passed."""
    session, failures = Session(), list[Failure]()
    for number, turn in enumerate(story.turns, start=1):
        reply, session = dialogue.reply(session, turn.user)
        if differences := tuple(_differences(turn, reply)):
            failures.append(Failure(story.story, number, turn.user, differences, reply))
    return failures


def _differences(turn: StoryTurn, reply: Reply) -> Iterator[Difference]:
    """What was expected and did not come, with what came."""
    found: dict[str, str] = {
        "intent": reply.intent.label if reply.intent else "none",
        "source": reply.sources[0].entry_id if reply.sources else "none",
        "kind": reply.kind,
        "language": reply.language,
    }
    for what, got in found.items():
        expected = getattr(turn, what)
        if expected is not None and expected != got:
            yield Difference(what, expected, got)
    for words in turn.contains:
        if words.casefold() not in reply.text.casefold():
            yield Difference("contains", repr(words), "a text without it")


def _read_story(number: int, entry: Any, file: Path) -> Story:
    where = f"story {number} of {file}"
    _check_keys(entry, Story, where)
    turns = entry.get("turns") or []
    if not isinstance(turns, list):
        raise UsageError(f"`turns` in {where} is no list.", "Turns are a list of `- user: ...`.", "Write one a line.")
    for place, turn in enumerate(turns, start=1):
        _check_keys(turn, StoryTurn, f"turn {place} of {where}")
    whole = {**entry, "turns": [_with_list(turn) for turn in turns]}
    try:
        return Story.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"`{key}` in {where}: {first['input']!r} does not fit.",
            f"{first['msg']}.",
            "Correct it; words such as yes and no need quotes in YAML.",
        ) from None


def _with_list(turn: dict[str, Any]) -> dict[str, Any]:
    contains = turn.get("contains", [])
    return {**turn, "contains": contains if isinstance(contains, list) else [contains]}


def _check_keys(entry: Any, record: type[Record], where: str) -> None:
    keys = list(record.model_fields)
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is {entry!r}.", f"It has the keys {', '.join(keys)}.", "Write `key: value` lines.")
    for key in entry:
        if key not in keys:
            near = difflib.get_close_matches(str(key), keys, n=1, cutoff=0.4)
            raise UsageError(
                f"Unknown key `{key}` in {where}.",
                f"Keys: {', '.join(keys)}.",
                f"Did you mean `{near[0]}`?" if near else "Use one of these.",
            )


def _check_known(name: str | None, known: Collection[str], what: str, where: str) -> None:
    if name is None or not known or name in known:
        return
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    listed = sorted(known)
    more = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    raise UsageError(
        f"The {what} `{name}` in {where} does not exist.",
        f"There are: {', '.join(listed[:MAX_LISTED])}{more}.",
        f"Did you mean {' or '.join(near)}?" if near else "Use one of these.",
    )
