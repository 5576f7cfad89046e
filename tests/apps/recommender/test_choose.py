"""Rules of a shop, and places left to chance, over very many lists: what must not stand in one never does."""

import numpy as np
import numpy.typing as npt
import pytest

from apps.recommender.choose import Chosen, Exploration, Newcomers, Scored, choose
from apps.recommender.shop_rules import ShopRules, read_rules
from core.data.catalogue import Catalogue, make_catalogue
from core.errors import UsageError
from core.serving.rules import Rule

NUM_ITEMS, NUM_CATEGORIES = 40, 6


def catalogue() -> Catalogue:
    ids = [f"i{row}" for row in range(NUM_ITEMS)]
    return make_catalogue({"item_id": ids, "category": [f"c{row % NUM_CATEGORIES}" for row in range(NUM_ITEMS)]})


def scored(score_N: npt.NDArray[np.float64]) -> Scored:
    def search(k: int, gone_N: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        rows = np.flatnonzero(~gone_N)
        rows = rows[np.argsort(-score_N[rows], kind="stable")][:k]
        return rows, score_N[rows]

    targets = np.random.default_rng(0).standard_normal((NUM_ITEMS, 3)).astype(np.float32)
    return Scored(search, lambda rows: score_N[rows], targets, np.arange(NUM_ITEMS))


def falling() -> Scored:
    """Item 0 is the best, and so on, all as far apart."""
    return scored(-np.arange(NUM_ITEMS, dtype=np.float64))


NOTHING = np.zeros(NUM_ITEMS, np.bool_)


def ids(found: Chosen) -> list[int]:
    return list(found.rows_K.tolist())


def rules_of(*rules: Rule) -> ShopRules | None:
    return read_rules(rules, catalogue())


# ---- one rule at a time --------------------------------------------------------------------------


def test_each_rule_does_what_it_says() -> None:
    assert ids(choose(falling(), NOTHING, 5)) == [0, 1, 2, 3, 4]
    assert ids(choose(falling(), NOTHING, 5, rules=rules_of(Rule("block", "i1")))) == [0, 2, 3, 4, 5]
    assert ids(choose(falling(), NOTHING, 4, rules=rules_of(Rule("block", category="c0")))) == [1, 2, 3, 4]
    assert ids(choose(falling(), NOTHING, 4, rules=rules_of(Rule("pin", "i20", value=2)))) == [0, 20, 1, 2]
    assert ids(choose(falling(), NOTHING, 4, rules=rules_of(Rule("bury", "i0")))) == [1, 2, 3, 4]
    assert ids(choose(falling(), NOTHING, NUM_ITEMS, rules=rules_of(Rule("bury", "i0"))))[-1] == 0
    assert ids(choose(falling(), NOTHING, 5, rules=rules_of(Rule("cap", value=1)))) == [0, 1, 2, 3, 4]
    capped = ids(choose(falling(), NOTHING, 12, rules=rules_of(Rule("cap", category="c0", value=1))))
    assert [row for row in capped if row % NUM_CATEGORIES == 0] == [0]
    assert len(capped) == 12


def test_boost_of_one_lifts_from_the_last_place_to_the_first_and_below_zero_it_sinks() -> None:
    # Places are one apart, and a list of five is four ways long.
    assert ids(choose(falling(), NOTHING, 5, rules=rules_of(Rule("boost", "i4", value=1.01))))[0] == 4
    assert ids(choose(falling(), NOTHING, 5, rules=rules_of(Rule("boost", "i4", value=0.6))))[2] == 4
    assert ids(choose(falling(), NOTHING, 5, rules=rules_of(Rule("boost", "i0", value=-0.6))))[:3] == [1, 2, 0]
    assert ids(choose(falling(), NOTHING, 5, rules=rules_of(Rule("boost", "i0", value=-5)))) == [1, 2, 3, 4, 5]
    # Of an item that is boosted by itself and by its category, what is said of the item counts.
    both = rules_of(Rule("boost", "i0", value=0.1), Rule("boost", category="c0", value=-5))
    assert ids(choose(falling(), NOTHING, 5, rules=both))[0] == 0


def test_what_a_pin_stands_against() -> None:
    pin = Rule("pin", "i20", value=1)
    assert ids(choose(falling(), NOTHING, 3, rules=rules_of(pin, Rule("block", "i20")))) == [0, 1, 2]
    seen = NOTHING.copy()
    seen[20] = True
    assert ids(choose(falling(), seen, 3, rules=rules_of(pin))) == [0, 1, 2]
    assert ids(choose(falling(), NOTHING, 3, rules=rules_of(pin, Rule("cap", category="c2", value=0)))) == [20, 0, 1]
    behind = rules_of(Rule("pin", "i20", value=9))
    assert ids(choose(falling(), NOTHING, 3, rules=behind)) == [0, 1, 2]
    only = ~NOTHING
    only[[3, 20]] = False
    assert ids(choose(falling(), only, 10, rules=behind)) == [3, 20]


def test_scores_are_those_of_the_model() -> None:
    found = choose(falling(), NOTHING, 4, rules=rules_of(Rule("pin", "i20", value=1), Rule("boost", "i9", value=5)))
    assert found.rows_K.tolist() == [20, 9, 0, 1]
    assert found.scores_K.tolist() == [-20, -9, 0, -1]
    assert found.is_pinned_K.tolist() == [True, False, False, False]


def test_rules_about_what_is_not_offered_any_more_bear_on_nothing() -> None:
    gone = rules_of(Rule("pin", "was-sold", value=1), Rule("block", "was-sold"), Rule("cap", category="gone", value=0))
    assert ids(choose(falling(), NOTHING, 3, rules=gone)) == [0, 1, 2]


@pytest.mark.parametrize(
    "unclear",
    [
        {"kind": "pin", "category": "c0", "value": 1},
        {"kind": "pin", "item_id": "i0", "value": 0},
        {"kind": "pin", "item_id": "i0", "value": 1.5},
        {"kind": "boost", "item_id": "i0", "value": 6},
        {"kind": "cap", "item_id": "i0", "value": 1},
        {"kind": "block"},
        {"kind": "block", "item_id": "i0", "category": "c0"},
        {"kind": "hide", "item_id": "i0"},
        {"kind": "bury", "item_id": "x" * 300},
    ],
)
def test_unclear_rules_are_refused(unclear: dict[str, str | float]) -> None:
    with pytest.raises(UsageError):
        Rule(**unclear)  # type: ignore[arg-type]


# ---- a place for a new item ----------------------------------------------------------------------


def test_best_new_item_gets_its_place_unless_one_stands_before_it() -> None:
    def listed(*new: int, place: int = 3, rules: tuple[Rule, ...] = ()) -> list[int]:
        newcomers = Newcomers(place, np.array(new, np.int64))
        return ids(choose(falling(), NOTHING, 5, rules=rules_of(*rules), newcomers=newcomers))

    assert listed(30, 25) == [0, 1, 25, 2, 3]
    assert listed(30, 4) == [0, 1, 4, 2, 3]
    assert listed(30, 1) == [0, 1, 2, 3, 4]
    assert listed() == [0, 1, 2, 3, 4]
    assert listed(30, place=9) == [0, 1, 2, 3, 4]
    assert listed(30, 25, rules=(Rule("block", "i25"),)) == [0, 1, 30, 2, 3]
    assert listed(30, 25, rules=(Rule("bury", "i25"),)) == [0, 1, 30, 2, 3]
    assert listed(30, rules=(Rule("pin", "i20", value=1),)) == [20, 0, 1, 30, 2]
    # Of category 0 one may stand in the list: another waits if the first stands before it, and else takes its place.
    assert listed(30, 25, rules=(Rule("cap", category="c0", value=1),)) == [0, 1, 25, 2, 3]
    assert listed(30, rules=(Rule("cap", category="c0", value=1),)) == [0, 1, 2, 3, 4]
    assert listed(27, rules=(Rule("cap", category="c3", value=1),)) == [0, 1, 27, 2, 4]


# ---- places left to chance -----------------------------------------------------------------------


def test_chances_that_are_told_are_those_that_lists_have() -> None:
    rules = rules_of(Rule("pin", "i30", value=2), Rule("cap", value=2), Rule("block", "i7"))
    exploration = Exploration(0.3, 10, np.random.default_rng(0))
    times, k = 20_000, 5
    counts = np.zeros((NUM_ITEMS, k))
    told = np.full((NUM_ITEMS, k), np.nan)
    for _ in range(times):
        found = choose(falling(), NOTHING, k, rules=rules, exploration=exploration)
        places = np.arange(k)
        counts[found.rows_K, places] += 1
        assert np.isnan(told[found.rows_K, places]).all() or np.allclose(
            np.nan_to_num(told[found.rows_K, places], nan=-1)[~np.isnan(told[found.rows_K, places])],
            found.chance_K[~np.isnan(told[found.rows_K, places])],
        )
        told[found.rows_K, places] = found.chance_K
    shown = ~np.isnan(told)
    assert np.abs(counts[shown] / times - told[shown]).max() < 0.015
    # Of a place all items together have the chance 1.
    assert np.nansum(told, axis=0) == pytest.approx(np.ones(k))
    assert told[30, 1] == 1


def test_too_few_items_to_explore_leave_the_list_as_it_is() -> None:
    few = ~NOTHING
    few[:6] = False
    found = choose(falling(), few, 5, exploration=Exploration(1.0, 10, np.random.default_rng(0)))
    assert ids(found) == [0, 1, 2, 3, 4]
    assert found.chance_K.tolist() == [1.0] * 5


# ---- very many lists -----------------------------------------------------------------------------


def check_lists(count: int, seed: int) -> int:
    """Makes so many lists under rules drawn at random, checks each, and gives how many items they held."""
    random = np.random.default_rng(seed)
    items, total = catalogue(), 0
    for number in range(count):
        if number % 50 == 0:
            rules = read_rules(_drawn(random), items)
        banned_N = random.random(NUM_ITEMS) < random.random()
        k = int(random.integers(1, 15))
        found = choose(
            scored(random.standard_normal(NUM_ITEMS)),
            banned_N,
            k,
            rules=rules,
            diversity=float(random.choice([0, 0, 0.5])),
            newcomers=Newcomers(int(random.integers(1, 6)), random.permutation(NUM_ITEMS)[:4]),
            exploration=Exploration(0.3, 8, random) if random.random() < 0.5 else None,
        )
        _check(found, banned_N, rules, k)
        total += len(found.rows_K)
    return total


def _drawn(random: np.random.Generator) -> list[Rule]:
    rules: dict[tuple[str, str, str], Rule] = {}
    for _ in range(int(random.integers(0, 12))):
        item, category = f"i{random.integers(NUM_ITEMS)}", f"c{random.integers(NUM_CATEGORIES)}"
        kind = str(random.choice(["pin", "boost", "bury", "block", "cap"]))
        about_item = kind == "pin" or (kind != "cap" and random.random() < 0.7)
        values = {"pin": random.integers(1, 12), "boost": random.uniform(-3, 3), "cap": random.integers(0, 4)}
        category = "" if kind == "cap" and random.random() < 0.3 else category
        about = (item, "") if about_item else ("", category)
        rule = Rule(kind, *about, float(values.get(kind, 0)))  # type: ignore[arg-type]
        rules[kind, rule.item_id, rule.category] = rule
    return list(rules.values())


def _check(found: Chosen, banned_N: npt.NDArray[np.bool_], rules: ShopRules | None, k: int) -> None:
    rows, pinned, explored = found.rows_K, found.is_pinned_K, found.is_explored_K
    assert not banned_N[rows].any()
    assert len(set(rows.tolist())) == len(rows) <= k
    if rules is None:
        assert len(rows) == min(k, int((~banned_N).sum()))
        return
    assert not rules.blocked_N[rows].any()
    allowed_N = ~(banned_N | rules.blocked_N)
    if not rules.most:
        assert len(rows) == min(k, int(allowed_N.sum()))
    own = rows[~pinned]
    counts = np.bincount(rules.category_N[rows], minlength=NUM_CATEGORIES)
    for category, most in rules.most.items():
        by_pins = int((rules.category_N[rows[pinned]] == category).sum())
        assert counts[category] <= max(most, by_pins)
    if not explored.any():
        buried = rules.buried_N[own]
        assert not (buried[:-1] & ~buried[1:]).any()
    assert not rules.buried_N[rows[explored]].any()
    places = {row: place for place, row in rules.pins}
    if len(rows) == k and len(set(places.values())) == len(places):
        assert all(places[row] == place for place, row in enumerate(rows.tolist()) if pinned[place])


def test_no_blocked_or_seen_item_in_twenty_thousand_lists() -> None:
    assert check_lists(20_000, seed=0) > 50_000


@pytest.mark.slow
def test_no_blocked_or_seen_item_in_a_million_lists() -> None:
    assert check_lists(1_000_000, seed=1) > 2_500_000
