"""Rules of a shop and the audit of their changes, in real databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import UsageError, UserError
from core.serving.rules import Rule, Rules
from core.serving.store import Store

OpenStore = Callable[[], Store]


@pytest.fixture
def rules(open_store: OpenStore) -> Rules:
    return Rules(open_store().engine)


def test_rules_hold_until_they_are_taken_back_and_each_change_is_kept(rules: Rules, open_store: OpenStore) -> None:
    pin = rules.put("shop", Rule("pin", "tea-1", value=1), "Ann", "spring campaign")
    rules.put("shop", Rule("cap", category="茶与咖啡", value=3), "Ben", "more variety")
    rules.put("other", Rule("block", "tea-1"), "Cy", "recalled")
    elsewhere = Rules(open_store().engine)
    found = elsewhere.active("shop")
    assert [(rule.kind, rule.item_id, rule.category, rule.value) for rule in found] == [
        ("pin", "tea-1", "", 1.0),
        ("cap", "", "茶与咖啡", 3.0),
    ]
    elsewhere.take_back("shop", pin, "Dee", "campaign is over")
    assert [rule.kind for rule in rules.active("shop")] == ["cap"]
    told = [(row.who, row.action, row.why, row.details["kind"]) for row in rules.audit("shop")]
    assert told == [
        ("Dee", "rule taken back", "campaign is over", "pin"),
        ("Ben", "rule set", "more variety", "cap"),
        ("Ann", "rule set", "spring campaign", "pin"),
    ]


def test_rule_about_the_same_thing_takes_the_place_of_the_one_before(rules: Rules) -> None:
    rules.put("shop", Rule("boost", "tea-1", value=1), "Ann", "slow seller")
    rules.put("shop", Rule("boost", "tea-1", value=-0.5), "Ann", "too many came back")
    assert [rule.value for rule in rules.active("shop")] == [-0.5]
    assert rules.audit("shop")[0].details == {"kind": "boost", "item_id": "tea-1", "value": -0.5, "before": 1.0}


@pytest.mark.parametrize(("who", "why"), [("", "because"), ("Ann", "  ")])
def test_nothing_changes_unless_it_is_said_who_and_why(rules: Rules, who: str, why: str) -> None:
    kept = rules.put("shop", Rule("block", "tea-1"), "Ann", "recalled")
    with pytest.raises(UsageError, match="who"):
        rules.put("shop", Rule("block", "tea-2"), who, why)
    with pytest.raises(UsageError, match="who"):
        rules.take_back("shop", kept, who, why)
    assert [rule.item_id for rule in rules.active("shop")] == ["tea-1"]
    assert len(rules.audit("shop")) == 1


def test_rule_that_is_not_there_cannot_be_taken_back(rules: Rules) -> None:
    other = rules.put("other", Rule("block", "tea-1"), "Ann", "recalled")
    for number in (other, 99):
        with pytest.raises(UserError, match="no rule"):
            rules.take_back("shop", number, "Ann", "oops")
    assert rules.audit("shop") == []


def test_changes_at_the_same_moment_leave_one_rule_and_all_rows(rules: Rules) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: rules.put("shop", Rule("boost", "tea-1", value=n / 10), f"u{n}", "test"), range(4)))
    assert len(rules.active("shop")) == 1
    assert len(rules.audit("shop")) == 4
