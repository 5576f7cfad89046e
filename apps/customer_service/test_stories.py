"""`python -m apps.customer_service.test_stories FILE [--run RUN]`: does a bot live up to its stories?"""

import sys
from collections.abc import Sequence
from pathlib import Path

from apps.customer_service.stories import check_stories, load_stories, tell_story
from core.cli import DONE, FAILED, guarded
from core.cli_arguments import Parser

LATEST = Path("runs/customer_service/latest")


def main(argv: Sequence[str]) -> int:
    """Tells the stories of a file to a trained bot, and reports each expectation that was not met.

    Returns:
        0 all passed, 1 some failed or the bot cannot be opened, 2 the file or the command line is not right.
    """
    return guarded(lambda: _tell(argv), debug=False)


def _tell(argv: Sequence[str]) -> int:
    parser = Parser("python -m apps.customer_service.test_stories", description="Tests a bot with stories.")
    parser.add_argument(
        "file", type=Path, help="YAML stories; apps/customer_service/sample/stories.yaml is one to copy"
    )
    parser.add_argument("--run", type=Path, default=LATEST, help=f"a finished run or a bundle; default: {LATEST}")
    arguments = parser.parse_args(argv)
    stories = load_stories(arguments.file)

    from apps.customer_service.assistant import open_assistant

    dialogue = open_assistant(arguments.run).dialogue
    check_stories(stories, dialogue.known_intents, frozenset(dialogue.known_entries()))
    num_failed = 0
    for story in stories:
        failures = tell_story(dialogue, story)
        num_failed += bool(failures)
        for failure in failures:
            _write(str(failure))
        if not failures:
            _write(f"passed {story.story}")
    _write(f"{len(stories) - num_failed} of {len(stories)} stories passed.")
    return FAILED if num_failed else DONE


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
