"""The page of customer service as a customer and the team use it, in a real browser."""

import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Seen, Served

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
Open = Callable[..., Seen]
NASTY = "<img src=x onerror=alert(1)><script>alert(2)</script><b style='position:fixed'>bold</b>"
LABELS = """() => {
  const content = '[dir=auto], .bars .name, td, dd, .plainlist, datalist, script, style, .tag';
  const walker = document.createTreeWalker(document.querySelector('.gradio-container'), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.checkVisibility() && !element.closest(content)) found.push(walker.currentNode.textContent);
  }
  return found.join(' ');
}"""
"""The visible words that are neither data nor what somebody wrote."""
TEAM_TABS = ("insight", "knowledge", "unanswered", "handoffs", "ratings", "model")


def say(page: Page, text: str) -> Locator:
    """Sends a message and gives the bot's line, once it is whole."""
    before = page.locator("#chat-log .line").count() if page.locator("#chat-log [role=log]").count() else 0
    page.locator("#composer textarea").fill(text)
    page.locator("#composer textarea").press("Enter")
    return settled(page, before + 2)


def settled(page: Page, lines: int) -> Locator:
    expect(page.locator("#chat-log [role=log] .line")).to_have_count(lines)
    expect(page.locator("#chat-live .line")).to_have_count(0)
    return page.locator("#chat-log .line").last


def answered(page: Page, question: str) -> Locator:
    """Asks a question of the knowledge base; if the bot asks back, says that just this was meant."""
    line = say(page, question)
    if line.locator(".options .choice").count():
        lines = page.locator("#chat-log .line").count()
        line.locator(".options .choice", has_text=question).first.click()
        line = settled(page, lines + 2)
    return line


def team(page: Page, name: str) -> None:
    """Opens one of the team's tabs, in whatever language, behind the menu of a narrow page too."""
    page.get_by_role("tab").nth(1).click()
    number = 2 + TEAM_TABS.index(name)
    if number < page.get_by_role("tab").count():
        page.get_by_role("tab").nth(number).click()
    else:
        page.locator(".overflow-menu:visible > button").last.click()
        page.locator(".overflow-dropdown button", has_text=name.capitalize()).last.click()


def expect_text(page: Page, selector: str, text: str) -> None:
    expect(page.locator(selector)).to_contain_text(text, use_inner_text=True)


def rows(store: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(store) as connection:
        return connection.execute(query).fetchall()


def new_entry(page: Page) -> None:
    """Opens an empty form."""
    team(page, "knowledge")
    expect(page.locator("#knowledge-form [data-act=save]")).to_be_visible()
    if page.locator("#knowledge-form [data-act=delete]").count():
        page.locator("#knowledge-list [data-act=new]").click()
        expect(page.locator("#knowledge-form [data-act=delete]")).to_have_count(0)


def add_entry(page: Page, question: str, answer: str, url: str = "") -> None:
    new_entry(page)
    for name, value in (("question", question), ("answer", answer), ("url", url)):
        page.locator(f"#knowledge-form [name={name}]").fill(value)
    page.locator("#knowledge-form [data-act=save]").click()
    expect_text(page, "#knowledge-form", "Saved.")


@pytest.mark.parametrize(
    ("locale", "question", "answer"),
    [
        ("en-US", "How can I see the status of my order?", "Open My account"),
        ("zh-CN", "怎么查看我的订单状态？", "我的账户"),
    ],
)
def test_question_is_answered_with_a_source_to_follow(
    locale: str, question: str, answer: str, open_support: Open
) -> None:
    page = open_support(locale=locale).page
    line = answered(page, question)
    expect(line.locator(".said")).to_contain_text(answer)
    source = line.locator(".sources a").first
    expect(source).to_have_text(question)
    assert str(source.get_attribute("href")).startswith("https://help.lindenmarket.example/")
    assert source.get_attribute("target") == "_blank"
    assert "noopener" in str(source.get_attribute("rel"))


def test_examples_are_in_the_language_of_the_page_and_can_be_clicked(open_support: Open) -> None:
    page = open_support(locale="zh-CN").page
    example = page.locator("#chat-log .choice >> visible=true").first
    text = example.inner_text()
    assert any("\u4e00" <= character <= "\u9fff" for character in text)
    example.click()
    settled(page, 2)
    expect(page.locator("#chat-log .line.customer .said")).to_have_text(text)


def test_unclear_message_is_asked_back_and_a_button_answers(open_support: Open) -> None:
    page = open_support().page
    line = say(page, "order address cancel delivery invoice")
    options = line.locator(".options .choice")
    expect(options.first).to_be_visible()
    chosen = next(text for text in options.all_inner_texts() if text != "Talk to a person")
    options.filter(has_text=chosen).first.click()
    answer = settled(page, 4)
    expect(answer.locator(".sources")).to_be_visible()
    expect(page.locator("#chat-log .options .choice").first).to_be_disabled()


def test_person_takes_over_answers_into_the_chat_and_gives_it_back(open_support: Open) -> None:
    customer, agent = open_support().page, open_support().page
    say(customer, "my number is +1 415 555 2671, where is order LM-20481500?")
    customer.locator("#chat-bar [data-act=person]").click()
    expect_text(customer, "#chat-bar", "A colleague will answer here")
    team(agent, "handoffs")
    agent.locator("#handoff-list .entry", has_text="Talk to a person").first.click()
    expect_text(agent, "#handoff", "the customer asked for a person")
    expect_text(agent, "#handoff .said-by", "where is order LM-20481500?")
    assert "555 2671" not in agent.content()
    agent.locator("#handoff [name=text]").fill(f"It is with the carrier.\n{NASTY}")
    agent.locator("#handoff [name=agent]").fill("Kim")
    agent.locator("#handoff [data-act=answer]").click()
    expect_text(agent, "#handoff", "Sent.")
    expect(customer.locator("#chat-log .line.agent .said")).to_have_text(f"It is with the carrier.\n{NASTY}")
    agent.locator("#handoff [data-act=close]").click()
    expect_text(agent, "#handoff", "the assistant answers again")
    expect_text(customer, "#chat-log", "The conversation is back with the assistant.")
    assert customer.locator("img[src=x]").count() == agent.locator("img[src=x]").count() == 0


def test_reload_keeps_the_chat_and_the_answer_of_a_person_arrives(open_support: Open) -> None:
    customer, agent = open_support().page, open_support().page
    question = "How can I see the status of my order?"
    line = answered(customer, question)
    line.locator("[data-act=like]").click()
    expect(line.locator("[data-act=like]")).to_have_attribute("aria-pressed", "true")
    say(customer, f"I need a person {NASTY}")
    customer.locator("#chat-bar [data-act=person]").click()
    expect_text(customer, "#chat-bar", "A colleague will answer here")
    expect(customer.locator("#chat-live .line")).to_have_count(0)
    customer.reload()
    expect_text(customer, "#chat-bar", "A colleague will answer here")
    expect(customer.locator("#chat-log .line.customer .said").first).to_have_text(question)
    expect(customer.locator("#chat-log .sources a").first).to_have_text(question)
    expect(customer.locator("#chat-log [data-act=like][aria-pressed=true]")).to_have_count(1)
    assert customer.locator("img[src=x]").count() == 0
    team(agent, "handoffs")
    # Who has waited longest comes first; earlier tests may have left somebody waiting.
    entry = agent.locator("#handoff-list .entry", has_text="Talk to a person").last
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "true")
    expect_text(agent, "#handoff .said-by", "I need a person")
    agent.locator("#handoff [name=text]").fill("Here I am.")
    agent.locator("#handoff [data-act=answer]").click()
    expect_text(agent, "#handoff", "Sent.")
    expect(customer.locator("#chat-log .line.agent .said")).to_have_text("Here I am.")
    agent.locator("#handoff [data-act=close]").click()
    expect_text(customer, "#chat-log", "The conversation is back with the assistant.")
    customer.locator("#chat-bar [data-act=clear]").click()
    expect(customer.locator("#chat-log [role=log]")).to_have_count(0)
    customer.wait_for_timeout(300)
    customer.reload()
    customer.wait_for_selector("#chat-log .choice >> visible=true")
    customer.wait_for_timeout(500)
    assert customer.locator("#chat-log .line.customer").count() == 0


def test_entry_answers_as_soon_as_it_is_added_and_no_more_once_deleted(open_support: Open) -> None:
    page = open_support().page
    question, answer = "Do you lend umbrellas to visitors?", "Yes, red umbrellas wait at the door."
    add_entry(page, question, answer, "https://help.lindenmarket.example/umbrellas")
    page.get_by_role("tab").first.click()
    line = answered(page, question)
    expect(line.locator(".said")).to_contain_text(answer)
    expect(line.locator(".sources a").first).to_have_attribute("href", "https://help.lindenmarket.example/umbrellas")
    team(page, "knowledge")
    page.locator("#knowledge-form [data-act=delete]").click()
    expect_text(page, "#knowledge-form", "Deleted.")
    page.get_by_role("tab").first.click()
    expect(say(page, question).locator(".said")).not_to_contain_text("umbrellas")


def test_deleted_entry_can_be_put_back_and_a_contradiction_is_told(open_support: Open) -> None:
    page = open_support().page
    add_entry(page, "Is there a piano in the shop?", "Yes, upstairs.")
    add_entry(page, "Is there a piano in the shop?", "No.")
    expect_text(page, "#knowledge-form", "contradicts")
    page.locator("#knowledge-form [data-act=delete]").click()
    page.locator("#knowledge-form [data-act=restore]").click()
    expect_text(page, "#knowledge-form", "It is back.")
    page.locator("#knowledge-form [data-act=delete]").click()
    expect_text(page, "#knowledge-form", "Deleted.")


def test_link_that_runs_something_is_refused(open_support: Open) -> None:
    page = open_support().page
    new_entry(page)
    for name, value in (("question", "Click me?"), ("answer", "Here."), ("url", "javascript:alert(1)")):
        page.locator(f"#knowledge-form [name={name}]").fill(value)
    page.locator("#knowledge-form [data-act=save]").click()
    expect_text(page, "#knowledge-form", "is not a web address")
    assert page.locator("#knowledge-form [name=answer]").input_value() == "Here."


def test_what_the_page_refuses_is_told_in_chinese(open_support: Open) -> None:
    page = open_support(locale="zh-CN").page
    new_entry(page)
    page.locator("#knowledge-form [name=question]").fill("有停车场吗？")
    page.locator("#knowledge-form [data-act=save]").click()
    expect_text(page, "#knowledge-form", "请先填写答案")
    page.locator("#knowledge-form [name=answer]").fill("有。")
    page.locator("#knowledge-form [name=url]").fill("parking")
    page.locator("#knowledge-form [data-act=save]").click()
    expect_text(page, "#knowledge-form", "这不是网页地址")
    page.get_by_role("tab").first.click()
    page.locator("#chat-bar [data-act=person]").click()
    settled(page, 2)
    team(page, "handoffs")
    page.locator("#handoff [data-act=answer]").click()
    expect_text(page, "#handoff", "请先填写回复")


def test_unanswered_question_becomes_an_entry_in_one_click(open_support: Open, served_support: Served) -> None:
    page = open_support().page
    question = "zyxgloop quarblefax wibbledorn?"
    for _ in range(3):
        if say(page, question).inner_text().count("passing you to a colleague"):
            break
    assert rows(served_support.store, "select * from unanswered where text like '%zyxgloop%'")
    team(page, "unanswered")
    card = page.locator("#unanswered .card", has_text="zyxgloop")
    card.locator("[name=answer]").fill("Wibbledorns are on aisle 9.")
    card.locator("[data-act=entry]").click()
    expect_text(page, "#unanswered", "Added.")
    expect(page.locator("#unanswered .card", has_text="zyxgloop")).to_have_count(0)
    page.get_by_role("tab").first.click()
    page.locator("#chat-bar [data-act=clear]").click()
    expect(page.locator("#chat-log [role=log]")).to_have_count(0)
    expect(answered(page, question).locator(".said")).to_contain_text("Wibbledorns are on aisle 9.")


def test_nothing_that_is_written_runs(open_support: Open) -> None:
    page = open_support().page
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.url.endswith("/x") else None)
    line = say(page, NASTY)
    expect(page.locator("#chat-log .line.customer .said")).to_have_text(NASTY)
    question = f"What does {NASTY} mean?"
    add_entry(page, question, f"It means ${{alert(3)}} {{{{x}}}} {NASTY}")
    page.get_by_role("tab").first.click()
    page.locator("#chat-bar [data-act=clear]").click()
    expect(page.locator("#chat-log [role=log]")).to_have_count(0)
    line = answered(page, question)
    expect(line.locator(".said")).to_contain_text("onerror=alert(1)")
    for name in TEAM_TABS[:5]:
        team(page, name)
        page.wait_for_timeout(400)
    assert page.locator("img[src=x]").count() == 0
    assert page.locator(".gradio-container b[style]").count() == 0
    assert not requests
    team(page, "knowledge")
    page.locator("#knowledge-form [data-act=delete]").click()
    expect_text(page, "#knowledge-form", "Deleted.")


def test_line_breaks_stay_long_words_wrap_and_arabic_stands_right(open_support: Open) -> None:
    page = open_support(width=390).page
    page.locator("#composer textarea").fill(f"first\nsecond {'w' * 300}\n\u0645\u0631\u062d\u0628\u0627")
    page.locator("#composer textarea").press("Enter")
    settled(page, 2)
    said = page.locator("#chat-log .line.customer .said")
    assert said.inner_text().startswith("first\nsecond")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    say(page, "\u0645\u0631\u062d\u0628\u0627")
    assert said.last.evaluate("line => getComputedStyle(line).direction") == "rtl"


def test_dislike_is_stored_with_its_reason(open_support: Open, served_support: Served) -> None:
    page = open_support().page
    line = answered(page, "Can I cancel my order?")
    line.locator("[data-act=dislike]").click()
    line.locator(".reasons [name=words]").fill("Write to me at pat@shop.example")
    line.locator(".own [data-act=reason]").click()
    expect(line).to_contain_text("Thank you.")
    value, reason = rows(served_support.store, "select value, reason from rating order by created")[-1]
    assert (value, reason) == (-1, "Write to me at [email]")
    line.locator("[data-act=like]").click()
    expect(line.locator("[data-act=like]")).to_have_attribute("aria-pressed", "true")
    assert rows(served_support.store, "select value from rating order by created")[-1] == (1,)
    team(page, "ratings")
    expect_text(page, "#ratings", "This helped")


def test_retry_asks_again_and_clear_empties(open_support: Open, served_support: Served) -> None:
    page = open_support().page
    line = answered(page, "Can I cancel my order?")
    lines = page.locator("#chat-log .line").count()
    kept = rows(served_support.store, "select count(*) from message")[0][0]
    assert isinstance(kept, int)
    line.locator("[data-act=again]").click()
    # The log looks the same before and after: that it was asked again is seen in the store.
    until = time.monotonic() + 20
    while rows(served_support.store, "select count(*) from message") != [(kept + 2,)]:
        assert time.monotonic() < until, "it was not asked again"
        page.wait_for_timeout(100)
    settled(page, lines)
    page.wait_for_timeout(1000)  # a click while the answer is being put in is dropped
    page.locator("#chat-bar [data-act=clear]").click()
    expect(page.locator("#chat-log .choice >> visible=true").first).to_be_visible()
    expect(page.locator("#chat-log .line.customer")).to_have_count(0)


def test_insight_shows_intents_words_and_passages(open_support: Open) -> None:
    page = open_support().page
    say(page, "Can I cancel my order?")
    team(page, "insight")
    expect_text(page, "#insight", "Can I cancel my order?")
    expect_text(page, "#insight", "Intents, with calibrated probability")
    expect(page.locator("#insight .bars >> visible=true").locator("li").first).to_be_visible()
    expect(page.locator("#insight .judged mark >> visible=true").first).to_be_visible()
    expect_text(page, "#insight table >> visible=true >> nth=1", "Can I cancel my order?")
    page.locator("#insight [name=label]").fill("order_cancel")
    page.locator("#insight [data-act=keep]").click()
    expect_text(page, "#insight", "the next training learns it")


def test_chinese_page_has_no_english_labels(open_support: Open) -> None:
    page = open_support(locale="zh-CN").page
    expect(page).to_have_title("智能客服助手")
    expect(page.locator("#composer textarea")).to_have_attribute("placeholder", "请输入您的问题")
    answered(page, "怎么查看我的订单状态？")
    page.locator("#chat-log [data-act=dislike]").last.click()
    expect_text(page, "#chat-log", "哪里不好？")
    for name in ("", *TEAM_TABS):
        if name:
            team(page, name)
            page.wait_for_timeout(1000)
        words = re.findall(r"[A-Za-z]{4,}", page.evaluate(LABELS))
        slots = {"order", "number", "date", "amount", "product"}
        assert not set(words) - {"AUROC", "http", "https", "English", *slots}, name


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_contrast_enough_and_nothing_scrolls_sideways(dark: bool, open_support: Open) -> None:
    page = open_support(dark=dark, width=390 if dark else 1280).page
    answered(page, "How can I see the status of my order?")
    page.locator("#chat-log [data-act=dislike]").last.click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(800)
    assert page.evaluate(CONTRAST) == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    for name in TEAM_TABS:
        team(page, name)
        page.mouse.move(0, 0)
        page.wait_for_timeout(1200)
        assert page.evaluate(CONTRAST) == {}, name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), name
