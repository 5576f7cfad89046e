"""The page of the recommender as a visitor and the shop's team use it, in a real browser."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, expect

from apps.recommender.app import SPEC
from apps.recommender.offering import ItemChange
from apps.recommender.recommender import Recommender
from apps.recommender.shop import Shop
from apps.recommender.ui import build_shop_page
from apps.recommender.ui.lists import Lists
from core.serving.predictor import load_predictor
from core.serving.store import Store
from core.ui.launch import build_server, open_port
from tests.browser.conftest import Seen, Served, opened

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
Open = Callable[..., Seen]
NASTY = "<img src=x onerror=alert(1)><script>alert(2)</script><b style='position:fixed'>bold</b>"
TABS = ("shop", "rules", "history", "compare", "model")
LABELS = """() => {
  const content = '[dir=auto], td, dd, th, .plainlist, .plots, .measured, .fine, script, style, .ranges, nav';
  const walker = document.createTreeWalker(document.querySelector('.gradio-container'), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.checkVisibility() && !element.closest(content)) found.push(walker.currentNode.textContent);
  }
  return found.join(' ');
}"""
"""The visible words that are neither data nor what somebody wrote."""


def ids(page: Page) -> list[str]:
    return page.locator("#grid .item").evaluate_all("cards => cards.map(card => card.dataset.id)")


def seen(place: Locator) -> str:
    return place.inner_text().strip()


def act(page: Page, what: str, number: int) -> str:
    """Clicks on a card and gives its id, once the list has followed."""
    card = page.locator("#grid .item").nth(number)
    item_id = str(card.get_attribute("data-id"))
    card.locator(f"[data-act={what}] >> visible=true").click()
    expect(page.locator(f"#grid .deed.{what}").first).to_be_visible()
    expect(page.locator(f"#grid .item[data-id={json.dumps(item_id)}]")).to_have_count(0)
    return item_id


def mode(page: Page, name: str) -> None:
    page.locator(f"#who [data-mode={name}]").click()
    expect(page.locator(f"#who [data-mode={name}]")).to_have_attribute("aria-pressed", "true")


def interested(page: Page, words: str) -> None:
    mode(page, "new")
    page.locator("#who textarea").fill(words)
    page.locator("#who [data-act=interests]").click()
    expect(page.locator("#grid .sources")).to_contain_text(words[:20], use_inner_text=True)


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab").nth(TABS.index(name)).click()


def test_known_user_is_shown_with_reasons_and_is_no_cold_start(open_shop: Open) -> None:
    page = open_shop().page
    expect(page.locator("#grid h2")).to_contain_text("For user visitor-", use_inner_text=True)
    expect(page.locator("#grid .sources")).to_contain_text("events in the log", use_inner_text=True)
    assert page.locator("#grid .cold").count() == 0
    assert len(ids(page)) == 12
    expect(page.locator("#grid .item .why >> visible=true").first).to_contain_text("because you", use_inner_text=True)
    assert page.locator("#grid .item mark >> visible=true").count() > 0


def test_user_is_found_by_typing_and_enter_chooses(open_shop: Open) -> None:
    page = open_shop().page
    page.locator("#who [name=query]").fill("visitor-00")
    expect(page.locator("#who [data-user=visitor-001]")).to_be_visible()
    assert page.locator("#who [name=query]").input_value() == "visitor-00"
    page.locator("#who [data-user=visitor-003]").click()
    expect(page.locator("#grid h2")).to_contain_text("visitor-003", use_inner_text=True)
    page.locator("#who [name=query]").fill("visitor-007")
    page.locator("#who [name=query]").press("Enter")
    expect(page.locator("#grid h2")).to_contain_text("visitor-007", use_inner_text=True)
    page.locator("#who [name=query]").fill("nobody")
    expect(page.locator("#who .found")).to_contain_text("No such user", use_inner_text=True)


@pytest.mark.parametrize("what", ["like", "view"])
def test_new_visitor_is_a_cold_start_and_every_click_changes_the_list(what: str, open_shop: Open) -> None:
    page = open_shop().page
    mode(page, "new")
    expect(page.locator("#grid h2")).to_contain_text("Popular now", use_inner_text=True)
    expect(page.locator("#grid .cold")).to_be_visible()
    title = seen(page.locator("#grid .item h3 >> visible=true").nth(2))
    before = ids(page)
    act(page, what, 2)
    expect(page.locator("#grid .sources")).to_contain_text("from 1 click on this page", use_inner_text=True)
    expect(page.locator("#grid .cold")).to_be_visible()
    expect(page.locator("#grid .item .why b >> visible=true").first).to_have_text(title)
    assert ids(page) != before
    changed = page.locator("#grid .item.fresh")
    assert changed.count() == len(set(ids(page)) - set(before)) > 0
    expect(changed.first.locator(".move")).to_have_text("new in the list", use_inner_text=True)
    expect(page.locator("#grid .changes")).to_contain_text(f"{changed.count()} new", use_inner_text=True)


def test_what_was_done_can_be_undone(open_shop: Open) -> None:
    page = open_shop().page
    mode(page, "new")
    expect(page.locator("#grid h2")).to_contain_text("Popular now", use_inner_text=True)
    before = ids(page)
    liked, dismissed = act(page, "like", 0), act(page, "dismiss", 1)
    page.locator(f'#grid [data-act=undo][data-item="{liked}"]').click()
    expect(page.locator("#grid .deed.like")).to_have_count(0)
    assert liked in ids(page)
    assert dismissed not in ids(page)
    page.locator("#grid [data-act=over]").click()
    expect(page.locator("#grid .deed")).to_have_count(0)
    assert ids(page) == before


def test_more_like_this_starts_from_the_item(open_shop: Open) -> None:
    page = open_shop().page
    card = page.locator("#grid .item").nth(4)
    title = seen(card.locator("h3 >> visible=true"))
    card.locator("[data-act=alike]").click()
    expect(page.locator("#grid h2")).to_contain_text(f"Like {title}", use_inner_text=True)
    expect(page.locator("#grid .cold")).to_be_visible()
    expect(page.locator("#who [data-mode=item]")).to_have_attribute("aria-pressed", "true")
    page.locator("#who [name=query]").fill("headlamp")
    found = page.locator("#who .found .entry", has_text="headlamp").first
    found.click()
    expect(page.locator("#grid h2")).to_contain_text("headlamp", use_inner_text=True)


@pytest.mark.parametrize(
    ("locale", "words", "found"), [("en-US", "something for tea lovers", "tea"), ("zh-CN", "给喜欢喝茶的人", "茶")]
)
def test_interests_in_words_find_what_they_mean(locale: str, words: str, found: str, open_shop: Open) -> None:
    page = open_shop(locale=locale).page
    interested(page, words)
    expect(page.locator("#grid .cold")).to_be_visible()
    titles = page.locator("#grid .item h3 >> visible=true").all_inner_texts()
    assert sum(found in title.lower() for title in titles) >= 4


def test_filters_act_at_once_and_can_be_reset(open_shop: Open) -> None:
    page = open_shop().page
    before = ids(page)
    page.locator("#tune .chips label", has_text="Garden").click()
    expect(page.locator("#grid .item .group >> visible=true").first).to_have_text("Garden")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#grid .group')].filter(e => e.checkVisibility())"
        ".every(e => e.textContent === 'Garden')"
    )
    page.locator("#tune [name=to]").fill("20")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#grid .price')].every(e => Number(e.textContent.replace(',', '')) <= 20)"
    )
    page.locator("#tune [name=in_stock]").check()
    page.wait_for_timeout(600)
    assert page.locator("#grid .item .tag.stop").count() == 0
    page.locator("#tune [name=from]").fill("19.95")
    expect(page.locator("#grid .card.empty")).to_contain_text("Widen the filters", use_inner_text=True)
    page.locator("#tune [data-act=reset]").click()
    expect(page.locator("#grid .item")).to_have_count(12)
    assert ids(page) == before
    assert not page.locator("#tune .chips input").first.is_checked()
    assert page.locator("#tune [name=to]").input_value() == ""


def test_diversity_acts_at_once_and_its_cost_is_told(open_shop: Open) -> None:
    page = open_shop().page
    before = ids(page)
    page.locator("#tune [name=diversity]").fill("0.7")
    expect(page.locator("#grid .cost")).to_contain_text(re.compile(r"cost \d+\.\d%"), use_inner_text=True)
    assert ids(page) != before
    assert page.locator("#grid .move").count() > 0
    page.locator("#tune [name=diversity]").fill("0")
    expect(page.locator("#grid .cost")).to_have_count(0)
    assert ids(page) == before


def test_history_and_comparison_are_of_the_visit(open_shop: Open) -> None:
    page = open_shop().page
    act(page, "like", 1)
    liked = seen(page.locator("#grid .deed.like > span > span[dir] >> visible=true"))
    user = seen(page.locator("#grid h2")).removeprefix("For user ")
    tab(page, "history")
    expect(page.locator("#history h2")).to_contain_text(user, use_inner_text=True)
    expect(page.locator("#history .past").first).to_contain_text(liked, use_inner_text=True)
    assert page.locator("#history .past").nth(1).locator("li").count() > 1
    tab(page, "compare")
    expect(page.locator("#compare .ranked").nth(1).locator("li")).to_have_count(10)
    expect(page.locator("#compare .count")).to_contain_text(re.compile(r"\d+ of 10 in both"), use_inner_text=True)
    lists = [page.locator("#compare .ranked").nth(n).locator("strong").all_inner_texts() for n in (0, 1)]
    assert len(set(lists[0]) & set(lists[1])) == int(seen(page.locator("#compare .count")).split()[0])


def test_figures_stand_on_the_model_tab(open_shop: Open) -> None:
    page = open_shop().page
    tab(page, "model")
    expect(page.locator("#model .tile .value >> visible=true").first).to_have_text(re.compile(r"0\.\d{3}"))
    expect(page.locator("#model .ranges >> visible=true").last.locator("li")).to_have_count(4)
    expect(page.locator("#model")).to_contain_text("evaluate RUN --baselines", use_inner_text=True)


def test_words_of_visitors_are_inert(open_shop: Open) -> None:
    page = open_shop().page
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.url.endswith("/x") else None)
    interested(page, f"tea {NASTY}")
    page.locator("#who [data-mode=user]").click()
    expect(page.locator("#who [name=query]")).to_be_visible()
    page.locator("#who [name=query]").fill(NASTY)
    expect(page.locator("#who .found")).to_contain_text("No such user", use_inner_text=True)
    assert page.locator("img[src=x]").count() == 0
    assert page.locator(".gradio-container b[style]").count() == 0
    assert not requests


@pytest.fixture
def nasty_shop(shop_bundle: Path, tmp_path: Path) -> Iterator[Served]:
    """The page with items added whose every word is markup that would run."""
    store = Store(str(tmp_path / "store.sqlite"))
    predictor = load_predictor(shop_bundle, SPEC)
    recommender = Recommender(predictor)
    shop = Shop(recommender, store)
    for number in range(3):
        told = f"{NASTY} {number}"
        item_id = f"'\"><img src=x onerror=alert(3)>{number}"
        more = {"title_zh": NASTY}
        shop.put_item(ItemChange(item_id, title=told, description=told, tags=told, category=NASTY, more=more))
    page = build_shop_page(Lists(shop), predictor)
    listener = open_port("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(build_server({"/": page}), log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", shop_bundle)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        store.close()


def test_words_of_items_are_inert_and_new_items_are_told(nasty_shop: Served, chromium: Browser) -> None:
    with opened(nasty_shop, chromium, "#grid .item") as open_nasty:
        page = open_nasty().page
        page.locator("#tune .chips label", has_text="<script>").click()
        expect(page.locator("#grid .item")).to_have_count(3)
        expect(page.locator("#grid h3 >> visible=true").first).to_contain_text("onerror=alert(1)")
        expect(page.locator("#grid .item .tag.good").first).to_have_text("new item", use_inner_text=True)
        act(page, "like", 0)
        page.locator("#grid .item").first.locator("[data-act=alike]").click()
        expect(page.locator("#grid h2")).to_contain_text("Like <img", use_inner_text=True)
        for name in TABS[:3]:
            tab(page, name)
            page.wait_for_timeout(500)
        assert page.locator("img[src=x]").count() == 0
        assert page.locator(".gradio-container b[style]").count() == 0


def test_keyboard_goes_on_where_it_was(open_shop: Open) -> None:
    page = open_shop().page
    before = ids(page)
    page.locator("#grid .item").nth(3).locator(".title >> visible=true").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#grid .deed.view")).to_be_visible()
    assert before[3] not in ids(page)
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.closest('#grid .item') !== null")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('act')")


def test_chinese_page_has_no_english_labels(open_shop: Open) -> None:
    page = open_shop(locale="zh-CN").page
    expect(page).to_have_title("商品推荐")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in seen(page.locator("#grid h3 >> visible=true").first))
    act(page, "like", 0)
    for name in TABS:
        tab(page, name)
        page.wait_for_timeout(1200)
        words = re.findall(r"[A-Za-z]{4,}", page.evaluate(LABELS))
        assert not set(words) - {"visitor", "nDCG", "apps", "recommender", "evaluate", "baselines", "python"}, name


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_contrast_enough_and_nothing_scrolls_sideways(dark: bool, open_shop: Open) -> None:
    page = open_shop(dark=dark, width=390 if dark else 1280).page
    act(page, "like", 0)
    page.locator("#tune details").evaluate("one => one.open = true")
    for name in TABS:
        tab(page, name)
        page.mouse.move(0, 0)
        page.wait_for_timeout(1200)
        assert page.evaluate(CONTRAST) == {}, name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), name
