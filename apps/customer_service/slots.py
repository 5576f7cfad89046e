"""What a customer has told that answers have a place for: order number, date, amount, product."""

import re
from collections.abc import Iterable

MAX_VALUE = 80
ENOUGH = 4000
"""Characters of a message that are looked through."""

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
ORDER_NUMBER = (
    r"(?<![a-z0-9_@-])([a-z]{1,4}-?\d{5,16})(?![a-z0-9_-])",
    r"(?:order|purchase|ref(?:erence)?)\s*(?:number|no\.?|nr\.?|id|#)?\s*(?:is|:|#)?\s*#?([a-z]{0,4}-?\d{4,16})(?![a-z0-9_-])",
    r"(?:订单|单号|编号)\s*(?:号码?|编号)?\s*(?:是|为)?\s*[:：#]?\s*([a-z]{0,4}-?\d{4,20})(?![a-z0-9_-])",
    r"(?<![a-z0-9_])#(\d{4,16})(?![a-z0-9_])",
    r"\A\s*#?(\d{6,16})\s*\Z",
)
"""With letters, after a word for it, after #, or as the whole message; a bare number may be a telephone."""
DATE = (
    r"(?<!\d)(\d{4}-\d{1,2}-\d{1,2})(?!\d)",
    r"(?<![\d/.])(\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d{2}))(?![\d/])",
    rf"(?<!\w)(\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+\d{{4}})?)(?!\w)",
    rf"(?<!\w)({_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?)(?!\w)",
    r"((?:\d{4}\s?年\s?)?\d{1,2}\s?月\s?\d{1,2}\s?[日号])",
)
"""Only dates that stay true: "yesterday" would be another day when the session goes on."""
AMOUNT = (
    r"((?:[€$£¥￥]|(?:EUR|USD|GBP|RMB|CNY)\s)\s?\d{1,7}(?:[.,]\d{3})*(?:[.,]\d{1,2})?)(?!\d)",
    r"(?<![\w.,])(\d{1,7}(?:[.,]\d{1,2})?\s?(?:€|euros?|eur|dollars?|usd|pounds?|gbp|rmb|yuan)\b)",
    r"(?<![\d.,])(\d{1,7}(?:\.\d{1,2})?\s?(?:€|元|块钱|块|欧元|美元|人民币))",
)
PRODUCT = (
    r"[\u300c\u300e\u300a\u201c\"]([^\u300c-\u300f\u300a\u300b\u201c\u201d\"{}\n]{2,40})[\u300d\u300f\u300b\u201d\"]",
    r"\b(?:my|the|this)\s+((?:[a-z]+\s){0,2}?[a-z]+)\s+(?:(?:is|was|has|came|arrived|got|seems)\s+(?:\w+\s)?"
    r"(?:broken|damaged|defective|faulty|cracked|scratched|leaking|sold\sout|out\sof\sstock|smashed|shattered)"
    r"|broke|stopped\sworking|does(?:n't|\snot)\swork)",
    r"(?:我的|我买的|买的|收到的|这款|这个|这台)([\u4e00-\u9fff]{2,8}?)(?:到货时|收到时|到了就)?(?:是|已经|都|就)?"
    r"(?:坏|破|碎|裂|漏水|有划痕|缺货|没货|不能用|用不了|开不了)",
)
"""In quotation marks, or said to be broken or sold out."""
NOT_PRODUCTS = frozenset({
    "order", "parcel", "package", "item", "items", "product", "delivery", "box", "thing", "things", "goods", "stuff",
    "screen", "payment", "refund", "account", "one", "it", "packaging", "shipment", "website", "site", "app", "link",
    "page", "code", "card", "voucher", "订单", "包裹", "快递", "东西", "商品", "货", "货物", "产品", "物品",
    "盒子", "箱子", "包装", "外包装", "网站", "页面", "链接", "优惠码",
})  # fmt: skip
"""Words that stand where a product may stand, and name none."""
PATTERNS = {"order_number": ORDER_NUMBER, "date": DATE, "amount": AMOUNT, "product": PRODUCT}
SLOTS = tuple(PATTERNS)


def find_slots(text: str, products: Iterable[str] = ()) -> dict[str, str]:
    """Slot name to what the text says; only slots that it speaks of.

    Args:
        text: One message.
        products: Names that customers use for what the team sells; the longest that is found is taken.
    """
    head = text[:ENOUGH]
    found = {name: value for name, patterns in PATTERNS.items() if (value := _first(name, patterns, head))}
    named = [name for name in products if name and name.casefold() in head.casefold()]
    if named:
        found["product"] = _clean(max(named, key=len))
    return found


def _first(name: str, patterns: Iterable[str], text: str) -> str:
    for pattern in patterns:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            value = _clean(match.group(1))
            if name != "product" or not NOT_PRODUCTS & set(value.casefold().split()):
                return value.upper() if name == "order_number" else value
    return ""


def _clean(value: str) -> str:
    """Without braces, so that a customer cannot write a slot into an answer."""
    return " ".join(value.replace("{", "").replace("}", "").split())[:MAX_VALUE]
