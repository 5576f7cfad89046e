"""What visitors of the sample shop do: simulated from tastes, fame, places in lists, and one thing leading to another.

Each visitor likes a few categories and makes, and drifts from one to another over the months. A visit shows lists of
ten; what stands in front is looked at more; what is looked at may be clicked, bought, commented on or shared; and who
buys a teapot soon looks for tea. A few programs and repeated rows are among them, as in any real log.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.data.catalogue import Catalogue
from core.data.event_log import EventLog, sort_events

KINDS = ("browse", "click", "comment", "share", "purchase", "rating")
WEIGHTS = (0.5, 1.0, 2.0, 3.0, 4.0, 1.0)
BROWSE, CLICK, COMMENT, SHARE, PURCHASE, _ = range(6)
START_S = 1_735_689_600
"""1 January 2025."""
DAYS, DAY_S = 150, 86_400
SHOWN = 10
LED_ON = 0.45
"""Chance that what was bought leads to what goes with it."""
TOPICS = 24


def simulate_events(
    catalogue: Catalogue, companions: Sequence[Sequence[int]], *, seed: int, num_users: int = 700
) -> EventLog:
    """A log of events, the same for the same seed.

    Args:
        catalogue: Items, with categories and tags.
        companions: For each item, rows of what is bought after it.
        seed: Of everything.
        num_users: Visitors; two more are programs.
    """
    random = np.random.default_rng(seed)
    topic_NT = _topics(catalogue, random)
    fame_N = random.permutation(1 / (np.arange(len(catalogue)) + 8.0) ** 0.7)
    launched_N = np.where(random.random(len(catalogue)) < 0.2, random.integers(20, DAYS - 20, len(catalogue)), 0)
    rows: list[tuple[int, int, int, int]] = []
    for user in range(num_users):
        rows.extend(_visitor(user, topic_NT, np.log(fame_N), launched_N, companions, random))
    rows.extend(rows[:: max(1, len(rows) // 40)])
    for program in range(num_users, num_users + 2):
        begin = START_S + int(random.integers(DAYS)) * DAY_S
        rows.extend((program, int(random.integers(len(catalogue))), begin + step // 30, BROWSE) for step in range(2400))
    user_E, row_E, time_E, kind_E = np.array(rows, np.int64).T
    users = tuple(f"visitor-{number + 1:03d}" for number in range(num_users + 2))
    weight_E = np.array(WEIGHTS, np.float32)[kind_E]
    log = EventLog(
        users, KINDS, user_E.astype(np.int32), row_E.astype(np.int32), time_E, kind_E.astype(np.int8), weight_E
    )
    return sort_events(log)


def _topics(catalogue: Catalogue, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """How much each item is of each topic: its category is one, and its make another."""
    categories = {name: place for place, name in enumerate(dict.fromkeys(catalogue.categories))}
    makes = {name: place for place, name in enumerate(dict.fromkeys(item.split("-", 1)[1] for item in catalogue.ids))}
    style_MT = random.dirichlet(np.full(TOPICS - len(categories), 0.15), len(makes))
    topic_NT = np.zeros((len(catalogue), TOPICS))
    for row, item_id in enumerate(catalogue.ids):
        topic_NT[row, categories[catalogue.categories[row]]] = 1.0
        topic_NT[row, len(categories) :] = style_MT[makes[item_id.split("-", 1)[1]]]
    return topic_NT


def _visitor(
    user: int,
    topic_NT: npt.NDArray[np.float64],
    log_fame_N: npt.NDArray[np.float64],
    launched_N: npt.NDArray[np.int64],
    companions: Sequence[Sequence[int]],
    random: np.random.Generator,
) -> list[tuple[int, int, int, int]]:
    """All that one visitor does: (user, row, time, kind)."""
    tastes_2T = [_taste(topic_NT.shape[1], random) for _ in range(2)]
    visits = min(40, 1 + int(random.gamma(1.2, 5.0)))
    days = np.sort(random.integers(0, DAYS, visits))
    wanted: list[int] = []
    owned: set[int] = set()
    found = []
    for day in days:
        late = day / DAYS
        taste_T = (1 - late) * tastes_2T[0] + late * tastes_2T[1]
        score_N = 2.2 * topic_NT @ taste_T + 0.8 * log_fame_N
        score_N = np.where(launched_N > day, -np.inf, score_N)
        time = START_S + int(day) * DAY_S + int(random.normal(19, 3) * 3600)
        shown = np.argsort(-(score_N + random.gumbel(size=len(score_N))), kind="stable")[:SHOWN].tolist()
        shown = [*wanted[:2], *shown][:SHOWN]
        wanted = []
        for place, row in enumerate(shown):
            if random.random() > 0.9 / (1 + 0.25 * place) or launched_N[row] > day:
                continue
            time += int(random.integers(8, 120))
            found.append((user, row, time, BROWSE))
            liking = 1 / (1 + np.exp(-(2.5 * float(topic_NT[row] @ taste_T) - 1.0)))
            if random.random() > liking:
                continue
            time += int(random.integers(5, 60))
            found.append((user, row, time, CLICK))
            for kind, chance in ((COMMENT, 0.06), (SHARE, 0.05), (PURCHASE, 0.22)):
                if random.random() < chance * liking and row not in owned:
                    time += int(random.integers(30, 400))
                    found.append((user, row, time, kind))
                    if kind == PURCHASE:
                        owned.add(row)
            if random.random() < LED_ON and companions[row]:
                wanted.append(int(random.choice(list(companions[row]))))
    return found


def _taste(topics: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """A few topics that matter, the rest hardly."""
    drawn: npt.NDArray[np.float64] = random.dirichlet(np.full(topics, 0.12)) * 3
    return drawn
