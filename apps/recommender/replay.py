"""`python -m apps.recommender.replay RUN --store STORE`: what other lists would have earned, from the lists shown."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from pydantic import TypeAdapter

from apps.recommender.app import SPEC
from apps.recommender.recommender import Recommender
from apps.recommender.shop import APP, NEWEST, Shop
from apps.recommender.wish import Wish
from core.cli import DONE, guarded
from core.cli_arguments import Parser, add_run_argument
from core.console import open_console, progress_bar
from core.errors import UserError
from core.evaluation.off_policy import OffPolicy, estimate_off_policy
from core.serving.behaviour import ShownList
from core.serving.predictor import load_predictor
from core.serving.rules import Rule
from core.serving.store import Store

WISH = TypeAdapter(Wish)
Replanned = Callable[[Wish], Wish]


def replay(
    shop: Shop, change: Replanned = lambda wish: wish, progress: Callable[[int, int], None] = lambda *_: None
) -> OffPolicy:
    """Makes the list for every wish of the log anew, as things stood then, and estimates what it would have earned.

    A place earns 1 if the user liked its item afterwards, by an event that names the list.

    Args:
        shop: Of the model to be tried, on the store of the log.
        change: What is to be otherwise in each wish, such as its diversity.
        progress: Called with (lists done, all lists).

    Raises:
        UserError: No list was kept.
    """
    total = shop.behaviour.num_lists(APP)
    if not total:
        raise UserError(
            "The store holds no list that was shown.",
            "Lists are kept when a share of their places is left to chance.",
            "Train with --lists.exploration_share 0.1, serve that bundle, and send events with the id of their list.",
        )
    chances, new_chances, rewards, lists, users = [], [], [], [], []
    places = out_of_reach = 0
    for number, (shown, followed) in enumerate(shop.behaviour.lists(APP)):
        planned = _list_now(shop, shown, change)
        is_liking = shop.recommender.config.data.is_liking
        liked = {event.item_id for event in followed if is_liking(event.kind, event.value)}
        within = {*shown.asked["pool"]}
        users.append(shown.user_id or f"list {number}")
        places += len(planned)
        out_of_reach += sum(
            item not in within and item != before for item, before in zip(planned, shown.asked["planned"], strict=False)
        )
        for place, (item, chance) in enumerate(zip(shown.items, shown.chances, strict=True)):
            lists.append(number)
            chances.append(chance)
            new_chances.append(float(place < len(planned) and planned[place] == item))
            rewards.append(float(item in liked))
        progress(number + 1, total)
    return estimate_off_policy(
        np.array(lists),
        np.array(chances),
        np.array(new_chances),
        np.array(rewards),
        len(users),
        groups=users,
        never_shown=out_of_reach / max(1, places),
    )


def _list_now(shop: Shop, shown: ShownList, change: Replanned) -> list[str]:
    """Ids of the list that the model to be tried makes of what was known when another was shown."""
    asked = WISH.validate_python(shown.asked["wish"])
    events = shop.behaviour.events(APP, shown.user_id, NEWEST, up_to=shown.after_event)
    wish = shop.with_events(replace(asked, user=shown.user_id), events)
    rules = [Rule(**rule) for rule in shown.asked["rules"]]
    return [item.item_id for item in shop.recommender.recommend(change(wish), rules).items]


def main(argv: Sequence[str]) -> int:
    """Prints the estimates as JSON."""
    return guarded(lambda: _main(argv), debug="--debug" in argv)


def _main(argv: Sequence[str]) -> int:
    parser = Parser(
        SPEC.command("replay"), description="What a model's lists would have earned, from the lists that were shown."
    )
    add_run_argument(parser, SPEC)
    parser.add_argument("--store", default=f"runs/{APP}/store.sqlite", help="SQLite file or database URL of the log")
    parser.add_argument("--diversity", type=float, help="instead of what was asked for; 0 to 1")
    parser.add_argument("--novelty", type=float, help="instead of what was asked for; 0 to 1")
    parser.add_argument("--debug", action="store_true", help="show a traceback when something fails")
    arguments = parser.parse_args(argv)
    changed = {name: value for name in ("diversity", "novelty") if (value := getattr(arguments, name)) is not None}
    predictor = load_predictor(arguments.run, SPEC)
    store = Store(arguments.store)
    try:
        shop = Shop(Recommender(predictor), store, predictor.bundle.id)
        with progress_bar(open_console(), "lists made anew") as progress:
            found = replay(shop, lambda wish: replace(wish, **changed), progress)
    finally:
        store.close()
    told = {name: getattr(found, name).to_json() for name in ("logged", "inverse_propensity", "self_normalised")} | {
        "effective_lists": round(found.effective_lists, 1),
        "never_shown": round(found.never_shown, 4),
    }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
