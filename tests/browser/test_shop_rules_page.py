"""Rules and events of a running shop: set on the page by the team, sent by programs, seen in every list."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Seen, Served, opened

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
ONE_OF_EACH = """() => {
  const groups = [...document.querySelectorAll('#grid .item')].map((card) => card.querySelector('.group').textContent);
  return groups.length === 12 && new Set(groups).size === 12;
}"""
Open = Callable[..., Seen]


@pytest.fixture
def open_shop(served_shop: Served, chromium: Browser) -> Iterator[Open]:
    with opened(served_shop, chromium, "#grid .item") as open_page:
        yield open_page


def ask(served: Served, name: str, told: Any) -> dict[str, Any]:
    answer = httpx.post(f"{served.url}/gradio_api/run/{name}", json={"data": [told]}, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"][0]
    return found


def items(found: dict[str, Any]) -> list[str]:
    return [item["item"] for item in found["items"]]


def rules_tab(page: Page) -> None:
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("#rules .in-force")).to_be_visible()


def take_back(page: Page) -> None:
    page.locator("#rules [data-act=back] >> visible=true").first.click()
    expect(page.locator("#rules [role=status]")).to_contain_text("taken back", use_inner_text=True)


def test_rule_is_seen_before_it_is_set_and_then_holds_for_every_list(open_shop: Open, served_shop: Served) -> None:
    page = open_shop().page
    first = str(page.locator("#grid .item").first.get_attribute("data-id"))
    rules_tab(page)
    page.locator("#rule label", has_text="Block").click()
    page.locator("#rule [name=query]").fill(first)
    page.locator(f"#rules [data-item='{first}']").click()
    gone = page.locator("#rules .preview section").first.locator("li").first
    expect(gone).to_contain_text("leaves", use_inner_text=True)
    page.locator("#rule [data-act=set]").click()
    expect(page.locator("#rules [role=status]")).to_contain_text("your name", use_inner_text=True)
    assert first in items(ask(served_shop, "recommend", {"k": 400}))
    page.locator("#rule [name=who]").fill("Ann")
    page.locator("#rule [name=why]").fill("recalled <b>today</b>")
    page.locator("#rule [data-act=set]").click()
    expect(page.locator("#rules [role=status]")).to_contain_text("from now on", use_inner_text=True)
    assert first not in items(ask(served_shop, "recommend", {"k": 400}))
    expect(page.locator("#rules .audit li").first).to_contain_text("Ann: recalled <b>today</b>", use_inner_text=True)
    page.get_by_role("tab").first.click()
    expect(page.locator(f"#grid .item[data-id='{first}']")).to_have_count(0)
    page.get_by_role("tab").nth(1).click()
    take_back(page)
    expect(page.locator("#rules .audit li")).to_have_count(2)
    assert first in items(ask(served_shop, "recommend", {"k": 400}))


def test_category_is_capped_and_a_wrong_number_is_told(open_shop: Open, served_shop: Served) -> None:
    page = open_shop().page
    rules_tab(page)
    page.locator("#rule label", has_text="Cap").click()
    page.locator("#rules [data-place=each]").click()
    page.locator("#rule [name=value]").fill("many")
    expect(page.locator("#rules")).to_contain_text("Give a number", use_inner_text=True)
    page.locator("#rule [name=value]").fill("1")
    page.locator("#rule [name=who]").fill("Ann")
    page.locator("#rule [name=why]").fill("variety")
    page.locator("#rule [data-act=set]").click()
    expect(page.locator("#rules .in-force li")).to_contain_text("at most 1", use_inner_text=True)
    page.get_by_role("tab").first.click()
    page.wait_for_function(ONE_OF_EACH)
    page.get_by_role("tab").nth(1).click()
    take_back(page)


def test_events_that_programs_send_change_the_next_list_and_the_history(open_shop: Open, served_shop: Served) -> None:
    user = "visitor-011"
    before = ask(served_shop, "recommend", {"user": user, "k": 12})
    assert before["start"] == "known"
    assert before["live"]
    assert set(before["items"][0]) == {"item", "title", "rank", "score", "reason", "new"}
    event = {"user_id": user, "item_id": items(before)[0], "kind": "purchase", "key": "order-1"}
    first = ask(served_shop, "event", event)
    assert first == ask(served_shop, "event", event)
    after = ask(served_shop, "recommend", {"user": user, "k": 12})
    assert items(before)[0] not in items(after)
    page = open_shop().page
    page.locator("#who [name=query]").fill(user)
    page.locator(f"#who [data-user={user}]").click()
    expect(page.locator("#grid h2")).to_contain_text(user, use_inner_text=True)
    assert page.locator("#grid .item").evaluate_all("cards => cards.map(card => card.dataset.id)") == items(after)
    page.get_by_role("tab").nth(2).click()
    expect(page.locator("#history .past li").first).to_contain_text("bought", use_inner_text=True)


def test_items_of_programs_are_offered_at_once(open_shop: Open, served_shop: Served) -> None:
    liked = {"history": ["teapot-glass", "green_tea-organic"], "k": 12}
    texts = {"title": "Glass teapot for two", "description": "A teapot that pours without a drip."}
    new = {"item_id": "teapot-new", **texts, "tags": ["tea", "pot", "brewing", "茶", "茶壶"], "price": 39}
    assert ask(served_shop, "item", new)["id"] > 0
    assert "teapot-new" in items(ask(served_shop, "recommend", liked))
    page = open_shop().page
    page.locator("#who [data-mode=item]").click()
    expect(page.locator("#who [data-mode=item]")).to_have_attribute("aria-pressed", "true")
    page.locator("#who [name=query]").fill("pot for two")
    expect(page.locator("#who [data-item=teapot-new]")).to_be_visible()
    ask(served_shop, "item", {"item_id": "teapot-new", "in_stock": False})
    found = items(ask(served_shop, "recommend", {**liked, "filters": {"in_stock_only": True}}))
    assert "teapot-new" not in found


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("recommend", {"user": "visitor-001", "k": 0}, "A list of 0 items"),
        ("recommend", {"history": ["no-such-item"]}, "no item `no-such-item`"),
        ("recommend", {"usr": "visitor-001"}, "usr"),
        ("recommend", {"diversity": 2}, "diversity"),
        ("recommend", "visitor-001", "the whole"),
        ("recommend", None, "the whole"),
        ("event", {"user_id": "u", "item_id": "teapot-glass", "kind": "stare"}, "no kind of event"),
        ("event", {"user_id": "u", "item_id": "teapot-glass"}, "kind"),
        ("event", {"user_id": "u", "item_id": "teapot-glass", "kind": "click", "time": 1.7e12}, "time"),
        ("event", ["a"], "the whole"),
        ("item", {"title": "Teapot"}, "item_id"),
        ("item", {"item_id": "a", "price": -1}, "price"),
        ("item", {"item_id": "a", "colour": "red"}, "colour"),
    ],
)
def test_programs_are_told_what_is_wrong(name: str, asked: Any, message: str, served_shop: Served) -> None:
    assert message in ask(served_shop, name, asked)["error"]


def test_interests_history_and_filters_of_programs(served_shop: Served) -> None:
    found = ask(
        served_shop,
        "recommend",
        {
            "history": ["teapot-glass", {"item_id": "tent-light", "kind": "purchase", "time": 1_700_000_000}],
            "interests": "a gift for a tea lover",
            "filters": {"max_price": 30, "in_stock_only": True},
            "k": 5,
        },
    )
    assert found["start"] == "events"
    assert len(found["items"]) == 5
