"""From scored items to the places of a list: rules of the shop, diversity, and places that are left to chance.

Nothing that is banned or blocked ever stands in a list, whatever else is asked for.

Shapes: N items, P to choose from, K places.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.recommender.diversity import diversify
from apps.recommender.shop_rules import ShopRules

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.floating]
POOL = 5
"""How many times as many items as are shown diversity chooses from."""


@dataclass(frozen=True)
class Scored:
    """Items of one moment, scored for one user.

    Args:
        search: The best so many items that are not banned, with their scores, the best first.
        score: Scores of some rows.
        targets_ND: Vectors of all items.
        likings_N: Of all items.
    """

    search: Callable[[int, Flags], tuple[Rows, Scores]]
    score: Callable[[Rows], Scores]
    targets_ND: npt.NDArray[np.float32]
    likings_N: npt.NDArray[np.int64]


def scored_by(score_N: Scores, targets_ND: npt.NDArray[np.float32], likings_N: npt.NDArray[np.int64]) -> Scored:
    """Items whose scores are all there; of equal ones the first stands first."""

    def search(k: int, gone_N: Flags) -> tuple[Rows, Scores]:
        rows = np.flatnonzero(~gone_N)
        if len(rows) > k > 0:
            # Only what is as good as the last place is sorted.
            last = -np.partition(-score_N[rows], k - 1)[k - 1]
            rows = rows[score_N[rows] >= last]
        rows = rows[np.lexsort((rows, -score_N[rows]))][:k]
        return rows, score_N[rows]

    return Scored(search, lambda rows: score_N[rows], targets_ND, likings_N)


@dataclass(frozen=True)
class Exploration:
    """Places that are left to chance, so that one learns about items that are hardly ever shown.

    Args:
        share: Of the places, each by itself.
        pool: How many of the items that come next are drawn from, all alike.
        random: Draws.
    """

    share: float
    pool: int
    random: np.random.Generator


@dataclass(frozen=True)
class Newcomers:
    """New items of which the best gets a place.

    Args:
        place: From 1, among those that no pin takes.
        rows: Of those that fit the user.
    """

    place: int
    rows: Rows


@dataclass(frozen=True)
class Chosen:
    """A list by rows.

    Args:
        rows_K: The first place first.
        scores_K: Of the model, before any rule.
        is_pinned_K: It stands where a rule wants it.
        is_explored_K: Chance put it there.
        chance_K: How likely each was to stand at its place.
        planned_K: What stands there where nothing is left to chance.
        pool_P: What places left to chance are drawn from.
        diversity_cost: Share of the list's worth that diversity and novelty took.
    """

    rows_K: Rows
    scores_K: Scores
    is_pinned_K: Flags
    is_explored_K: Flags
    chance_K: npt.NDArray[np.float64]
    planned_K: Rows
    pool_P: Rows
    diversity_cost: float


def choose(
    scored: Scored,
    banned_N: Flags,
    k: int,
    *,
    rules: ShopRules | None = None,
    diversity: float = 0.0,
    novelty: float = 0.0,
    newcomers: Newcomers | None = None,
    exploration: Exploration | None = None,
) -> Chosen:
    """The list.

    Pins win over caps, and count among what a cap allows.

    Args:
        scored: To choose from.
        banned_N: What may not stand in it.
        k: Places; fewer where there are fewer items.
        rules: Of the shop.
        diversity: See `diversify`.
        novelty: See `diversify`.
        newcomers: None = new items stand where their scores put them.
        exploration: None = nothing is left to chance.
    """
    banned_N = banned_N | rules.blocked_N if rules else banned_N
    pins = [(place, row) for place, row in rules.pins if place < k and not banned_N[row]][:k] if rules else []
    pinned = [row for _, row in pins]
    rest_N = banned_N
    if pins:
        rest_N = banned_N.copy()
        rest_N[pinned] = True
    wanted = k - len(pins)
    if rules and (rules.buried_N.any() or rules.boosts or rules.most):
        picked, cost = _by_rules(scored, rest_N, wanted, rules, pinned, diversity, novelty)
    else:
        pool = wanted * (POOL if diversity or novelty else 1)
        found = scored.search(pool, rest_N)
        rows, _, cost = diversify(
            *found, scored.targets_ND, scored.likings_N, wanted, diversity=diversity, novelty=novelty
        )
        picked = rows.tolist()
    if newcomers:
        picked = _with_newcomer(picked, scored, rest_N, rules, pinned, newcomers)
    for place, row in pins:
        picked.insert(min(place, len(picked)), row)
    planned_K = rows_K = np.array(picked, np.int64)
    pool_P = rows_K[:0]
    is_pinned_K = np.isin(rows_K, pinned)
    is_explored_K, chance_K = np.zeros(len(picked), np.bool_), np.ones(len(picked))
    if exploration and exploration.share > 0:
        pool_P = _coming(scored, rows_K, rest_N, rules, exploration.pool)
        rows_K, is_explored_K, chance_K = _explore(rows_K, is_pinned_K, pool_P, exploration)
    return Chosen(rows_K, scored.score(rows_K), is_pinned_K, is_explored_K, chance_K, planned_K, pool_P, cost)


def _by_rules(
    scored: Scored,
    banned_N: Flags,
    wanted: int,
    rules: ShopRules,
    pinned: list[int],
    diversity: float,
    novelty: float,
) -> tuple[list[int], float]:
    """Boosted items rise, those over a cap are passed by, buried ones come last."""
    room = dict(rules.most)
    for row in pinned:
        _takes_room(room, int(rules.category_N[row]))
    picked: list[int] = []

    def take(rows: Rows) -> None:
        for row in rows.tolist():
            if len(picked) == wanted:
                return
            if _takes_room(room, int(rules.category_N[row])):
                picked.append(row)

    front_N = banned_N | rules.buried_N
    pool = wanted * (POOL if diversity or novelty else 2 if room else 1)
    rows, scores = _boosted(scored, front_N, wanted, pool, rules)
    shown = len(rows) if room else wanted
    rows, _, cost = diversify(
        rows, scores, scored.targets_ND, scored.likings_N, shown, diversity=diversity, novelty=novelty
    )
    take(rows)
    for behind_N in (front_N, banned_N | ~rules.buried_N):
        gone_N = behind_N.copy()
        # Each round takes something, or finds that nothing is left.
        while len(picked) < wanted:
            gone_N[picked] = True
            gone_N |= np.isin(rules.category_N, [category for category, left in room.items() if left <= 0])
            rows, _ = scored.search(wanted, gone_N)
            if not len(rows):
                break
            take(rows)
    return picked, cost


def _with_newcomer(
    picked: list[int], scored: Scored, banned_N: Flags, rules: ShopRules | None, pinned: list[int], given: Newcomers
) -> list[int]:
    """The best of the new items at its place, unless one stands before it anyway; an item behind it then falls out."""
    before, behind = picked[: given.place - 1], picked[given.place - 1 :]
    rows = given.rows[~banned_N[given.rows]]
    if rules:
        front = np.array([*pinned, *before], np.int64)
        rows = np.array([row for row in rows.tolist() if _fits(row, front, rules)], np.int64)
    if not len(rows) or not behind or np.isin([*before, behind[0]], rows).any():
        return picked
    best = int(rows[np.lexsort((rows, -scored.score(rows)))[0]])
    if best in behind:
        behind.remove(best)
    elif rules and not _fits(best, np.array([*pinned, *picked], np.int64), rules):
        # Its category is full: the last of it makes room.
        alike = [row for row in behind if rules.category_N[row] == rules.category_N[best]]
        behind.remove(alike[-1])
    else:
        behind.pop()
    return [*before, best, *behind]


def _fits(row: int, others: Rows, rules: ShopRules) -> bool:
    """It is not buried, and its category has room beside others."""
    category = int(rules.category_N[row])
    taken = int((rules.category_N[others] == category).sum())
    return not rules.buried_N[row] and taken < rules.most.get(category, taken + 1)


def _takes_room(room: dict[int, int], category: int) -> bool:
    """Takes one place of a category, if it is capped and has one; says whether it had."""
    if category not in room:
        return True
    room[category] -= 1
    return room[category] >= 0


def _boosted(scored: Scored, banned_N: Flags, wanted: int, pool: int, rules: ShopRules) -> tuple[Rows, Scores]:
    """The best of what is not boosted, and all that is, by score and boost."""
    boosted = np.fromiter(rules.boosts, np.int64, len(rules.boosts))
    plain_N = banned_N.copy()
    plain_N[boosted] = True
    rows, scores = scored.search(pool, plain_N)
    boosted = boosted[~banned_N[boosted]]
    if not len(boosted):
        return rows, scores
    rows_P = np.concatenate([rows, boosted])
    scores_P = scored.score(rows_P)
    falling = np.sort(scores_P)[::-1]
    way = float(falling[0] - falling[min(wanted, len(falling)) - 1]) if wanted else 0.0
    scores_P = scores_P + way * np.array([rules.boosts.get(row, 0.0) for row in rows_P.tolist()])
    order = np.lexsort((rows_P, -scores_P))
    return rows_P[order], scores_P[order]


def _coming(scored: Scored, rows_K: Rows, banned_N: Flags, rules: ShopRules | None, most: int) -> Rows:
    """What comes next, so few of a capped category that all of it could stand in the list beside what stands there."""
    taken_N = banned_N.copy()
    taken_N[rows_K] = True
    if not rules:
        return scored.search(most, taken_N)[0]
    room = dict(rules.most)
    for row in rows_K.tolist():
        _takes_room(room, int(rules.category_N[row]))
    rows, _ = scored.search(POOL * most if room else most, taken_N | rules.buried_N)
    fitting = [row for row in rows.tolist() if _takes_room(room, int(rules.category_N[row]))]
    return np.array(fitting[:most], np.int64)


def _explore(
    rows_K: Rows, is_pinned_K: Flags, pool_P: Rows, exploration: Exploration
) -> tuple[Rows, Flags, npt.NDArray[np.float64]]:
    """Each free place is given to one of those that come next, with the chance of what then stands there.

    Places are drawn by themselves and items alike, so that an item of the list has the chance 1 - share at its
    place and one of those that come next share / pool at any: what weighting by inverse chances needs.
    """
    if not len(rows_K) or len(pool_P) < len(rows_K):  # too few to draw from for every place
        return rows_K, np.zeros(len(rows_K), np.bool_), np.ones(len(rows_K))
    is_drawn_K = (exploration.random.random(len(rows_K)) < exploration.share) & ~is_pinned_K
    drawn = exploration.random.choice(pool_P, int(is_drawn_K.sum()), replace=False)
    rows_K = rows_K.copy()
    rows_K[is_drawn_K] = drawn
    chance_K = np.where(is_pinned_K, 1.0, np.where(is_drawn_K, exploration.share / len(pool_P), 1 - exploration.share))
    return rows_K, is_drawn_K, chance_K
