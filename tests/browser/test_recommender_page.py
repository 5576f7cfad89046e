"""The page of the recommender as a visitor uses it, in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Seen

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
Open = Callable[..., Seen]


def titles(page: Page) -> list[str]:
    return page.locator("#grid .item h3 >> visible=true").all_inner_texts()


def interested(page: Page, words: str) -> None:
    page.locator("#panel-wish textarea").fill(words)
    page.locator("#panel-wish textarea").press("Enter")


def test_liking_an_item_changes_the_list_and_says_because_of_what(open_shop: Open) -> None:
    page = open_shop().page
    expect(page.locator("#grid .start")).to_contain_text("Nothing is known yet", use_inner_text=True)
    before = titles(page)
    assert len(before) == 12
    page.locator("#grid [data-act=like]").nth(2).click()
    expect(page.locator("#grid .start")).to_contain_text("New visitor: from your clicks alone", use_inner_text=True)
    expect(page.locator("#grid .item .why b >> visible=true").first).to_have_text(before[2])
    expect(page.locator("#grid .tag.warn >> visible=true").first).to_be_visible()
    assert before[2] not in titles(page)
    expect(page.locator("#events li >> visible=true")).to_have_count(1)


def test_what_is_not_wanted_goes_and_more_like_it_comes(open_shop: Open) -> None:
    page = open_shop().page
    first = titles(page)[0]
    page.locator("#grid [data-act=dismiss]").first.click()
    expect(page.locator("#grid .item h3 >> visible=true").first).not_to_have_text(first)
    assert first not in titles(page)
    page.locator("#grid [data-act=more]").first.click()
    expect(page.locator("#grid .start")).to_contain_text("Starting from one item", use_inner_text=True)


@pytest.mark.parametrize(
    ("locale", "words", "found"), [("en-US", "something for tea lovers", "tea"), ("zh-CN", "给喜欢喝茶的人", "茶")]
)
def test_interests_in_words_find_what_they_mean(locale: str, words: str, found: str, open_shop: Open) -> None:
    page = open_shop(locale=locale).page
    interested(page, words)
    expect(page.locator("#grid .tag.warn >> visible=true").first).to_be_visible()
    assert sum(found in title.lower() for title in titles(page)) >= 4


def test_filters_and_sliders_act_at_once(open_shop: Open) -> None:
    page = open_shop().page
    interested(page, "camping")
    expect(page.locator("#grid .tag.warn >> visible=true").first).to_be_visible()
    before = titles(page)
    page.locator("#panel-wish input[type=range]").first.fill("0.7")
    expect(page.locator("#grid .start")).to_contain_text("of the list's worth", use_inner_text=True)
    assert titles(page) != before
    page.locator("#panel-wish input[type=number]").nth(1).fill("20")
    page.locator("#panel-wish input[type=number]").nth(1).press("Tab")
    expect(page.locator("#grid .item .price").first).to_be_visible()
    page.wait_for_timeout(800)
    prices = [float(text.replace(",", "")) for text in page.locator("#grid .item .price").all_inner_texts()]
    assert prices
    assert max(prices) <= 20


def test_words_of_visitors_are_inert(open_shop: Open) -> None:
    page = open_shop().page
    interested(page, "<img src=x onerror=alert(1)><script>alert(2)</script> tea")
    expect(page.locator("#grid .start")).to_contain_text("interests", use_inner_text=True)
    assert page.locator("img[src=x]").count() == 0


def test_figures_stand_on_the_model_tab_in_chinese(open_shop: Open) -> None:
    page = open_shop(locale="zh-CN").page
    expect(page).to_have_title("商品推荐")
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("#model .tile >> visible=true").first).to_be_visible()
    assert re.search(r"0\.\d\d", page.locator("#model .tile .value >> visible=true").first.inner_text())


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_contrast_enough_and_nothing_scrolls_sideways(dark: bool, open_shop: Open) -> None:
    page = open_shop(dark=dark, width=390 if dark else 1280).page
    page.locator("#grid [data-act=like]").first.click()
    expect(page.locator("#events li >> visible=true")).to_have_count(1)
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    assert page.evaluate(CONTRAST) == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
