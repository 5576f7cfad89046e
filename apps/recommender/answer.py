"""What `predict` says: NAME=VALUE pairs joined by & in, a ranked list as JSON out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from apps.recommender.recommender import Recommender
from apps.recommender.wish import Seen, Wish
from core.errors import UsageError

if TYPE_CHECKING:
    from core.serving.predictor import Predictor

NAMES = ("user", "history", "interests", "item", "k")


def build_recommender_answers(predictor: "Predictor") -> Callable[[str], dict[str, Any]]:
    """Answers one question at a time."""
    recommender = Recommender(predictor)

    def answer(text: str) -> dict[str, Any]:
        found = recommender.recommend(read_wish(text))
        titles = recommender.store.items.catalogue.titles
        return {"start": found.start, "items": [item.to_json(titles[item.row]) for item in found.items]}

    return answer


def read_wish(text: str) -> Wish:
    """A question as `predict` is asked it, such as `history=1,296,2571&k=5`.

    Raises:
        UsageError: A part of it is not understood.
    """
    given: dict[str, str] = {}
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not equals and given:  # an & inside a text
            last = list(given)[-1]
            given[last] = f"{given[last]}&{part}"
            continue
        if name.strip() not in NAMES or not equals:
            raise UsageError(f"`{part}` is no question.", f"NAME=VALUE, NAME being {', '.join(NAMES)}.", "Correct it.")
        given[name.strip()] = value
    given = {name: value.strip() for name, value in given.items()}
    length = given.get("k", "10")
    if not length.isdecimal():
        raise UsageError(f"k is `{length}`.", "A whole number.", "Give the length of the list.")
    history = tuple(Seen(item.strip()) for item in given.get("history", "").split(",") if item.strip())
    return Wish(
        user=given.get("user", ""),
        history=history,
        interests=given.get("interests", ""),
        item=given.get("item", ""),
        k=int(length),
    )
