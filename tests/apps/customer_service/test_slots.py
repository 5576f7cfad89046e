"""Slots: what is taken from messages, and answers that read naturally whether it is known or not."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.customer_service.slots import SLOTS, find_slots
from apps.customer_service.templates import fill_slots
from core.texts import LANGUAGES, Language

SAMPLE = Path("apps/customer_service/sample")


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("Where is LM-20481503?", {"order_number": "LM-20481503"}),
        ("order number is 20481503", {"order_number": "20481503"}),
        ("status of order lm20481503 pls", {"order_number": "LM20481503"}),
        ("帮我看下LM-204815现在什么状态", {"order_number": "LM-204815"}),
        ("订单号：20481503", {"order_number": "20481503"}),
        ("20481503", {"order_number": "20481503"}),
        ("call me on 0612345678", {}),
        ("I ordered on 3 May 2026 for €62.40", {"date": "3 May 2026", "amount": "€62.40"}),
        ("ordered March 3rd, paid 12.50 euros", {"date": "March 3rd", "amount": "12.50 euros"}),
        ("2026-05-03 paid $1,200", {"date": "2026-05-03", "amount": "$1,200"}),
        ("5月3日付了329元", {"date": "5月3日", "amount": "329元"}),
        ("yesterday I paid", {}),
        ("my kettle is broken", {"product": "kettle"}),
        ("The desk lamp arrived damaged", {"product": "desk lamp"}),
        ("my order is damaged", {}),
        ("this is not about 3 months", {}),
        ("我买的花瓶碎了", {"product": "花瓶"}),
        ("收到的东西坏了", {}),
        ("「云朵沙发」还有货吗", {"product": "云朵沙发"}),
        ("", {}),
    ],
)
def test_slots_are_taken_from_what_customers_write(text: str, slots: dict[str, str]) -> None:
    assert find_slots(text) == slots


def test_the_teams_products_are_known_by_name_and_the_longest_wins() -> None:
    assert (
        find_slots("is the cloud SOFA xl in stock", ("Cloud Sofa", "Cloud Sofa XL", ""))["product"] == "Cloud Sofa XL"
    )


def test_a_customer_cannot_write_a_slot_into_an_answer() -> None:
    assert find_slots('the "{order_number}" thing', ("{amount}",)) == {}
    assert "{" not in fill_slots("About {product}.", find_slots("{amount} it", ("{amount}",)), "en")


@pytest.mark.parametrize(
    ("template", "slots", "shown"),
    [
        ("Choose order {order_number}.", {"order_number": "LM-1"}, "Choose order LM-1."),
        ("Choose order {order_number}.", {}, "Choose your order."),
        ("For order {order_number} you can ask.", {}, "For your order you can ask."),
        ("Send us order {order_number} now.", {}, "Send us your order number now."),
        ("The return of {order_number} is late.", {}, "The return of your order is late."),
        ("Your order {order_number} is late.", {}, "Your order is late."),
        ("{amount} is due.", {}, "The amount is due."),
        ("Both amounts of {amount} were booked.", {}, "Both amounts were booked."),
        ("It shows the date; for you that is {date}.", {}, "It shows the date."),
        ("We ship fast. It arrives on {date}. Enjoy.", {}, "We ship fast. It arrives on the agreed date. Enjoy."),
        ("Fast. Your date is {date}. Enjoy.", {}, "Fast. Enjoy."),
        ("Your date is {date}.", {}, "Your date is the agreed date."),
        ("Photos of {product}, please.", {"product": "kettle"}, "Photos of the kettle, please."),
        ("Photos of your {product}, please.", {"product": "kettle"}, "Photos of your kettle, please."),
        ("{product} is sold out.", {"product": "Cloud Sofa"}, "Cloud Sofa is sold out."),
        ("{{ order_number }} and { amount:.2f }", {"order_number": "A", "amount": "€1"}, "A and €1"),
        ("Hello {name}, welcome.", {}, "Hello, welcome."),
        ("{agent} will call you.", {}, "The agent will call you."),
        ("Open daily ({hours}).", {}, "Open daily."),
        ("Please visit us at {store}.", {}, "Please visit us."),
        ("No slots  here,  as written .", {}, "No slots  here,  as written ."),
    ],
)
def test_english_answers_read_on_without_what_is_unknown(template: str, slots: dict[str, str], shown: str) -> None:
    assert fill_slots(template, slots, "en") == shown


@pytest.mark.parametrize(
    ("template", "slots", "shown"),
    [
        ("点开订单 {order_number} 即可。", {"order_number": "LM-1"}, "点开订单 LM-1 即可。"),
        ("点开订单 {order_number} 即可。", {}, "点开订单即可。"),
        ("请把订单 {order_number} 发给我们。", {}, "请把订单号发给我们。"),
        ("确认里有日期，您的订单预计 {date} 送达。", {}, "确认里有日期。"),
        ("在 {date} 前可以改期。", {}, "在约定日期前可以改期。"),
        ("如果已扣款 {amount} 但失败。", {}, "如果已扣款但失败。"),
        ("关于 {product}，请联系我们。", {}, "关于该商品，请联系我们。"),
        ("您好{姓名}，欢迎。", {}, "您好姓名，欢迎。"),
    ],
)
def test_chinese_answers_read_on_without_what_is_unknown(template: str, slots: dict[str, str], shown: str) -> None:
    assert fill_slots(template, slots, "zh") == shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_sample_answer_reads_without_a_hole(language: Language) -> None:
    known = {"order_number": "LM-20481503", "date": "3 May", "amount": "€5", "product": "Cloud Sofa"}
    num_slots = 0
    for line in (SAMPLE / "knowledge" / f"faq_{language}.jsonl").read_text(encoding="utf-8").splitlines():
        answer = json.loads(line)["answer"]
        num_slots += "{" in answer
        bare = fill_slots(answer, {}, language)
        assert not re.search(r"[{}]|  | [,.;。，]|\(\)|（）|[,;，；][.。]", bare), bare
        assert len(bare) > 0.6 * len(answer)
        assert re.sub(r"\{(\w+)\}", lambda match: known[match.group(1)], answer) == fill_slots(answer, known, language)
    assert num_slots >= 30


PIECES = st.sampled_from(
    ["{", "}", "{{", "}}", *(f"{{{name}}}" for name in (*SLOTS, "x", "名字")), " ", ".", "，", "is", "订单"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12), st.dictionaries(st.sampled_from(SLOTS), st.just("v")))
@settings(max_examples=150, deadline=None)
def test_no_template_fails_or_shows_a_brace(pieces: list[str], slots: dict[str, str]) -> None:
    for language in LANGUAGES:
        shown = fill_slots("".join(pieces), slots, language)
        assert "{" not in shown
        assert "}" not in shown


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_slots_of_any_text_are_short_and_clean(text: str) -> None:
    for value in find_slots(text).values():
        assert 0 < len(value) <= 80
        assert not set(value) & set("{}\n")
