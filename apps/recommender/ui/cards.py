"""A ranked list as a grid of cards, in both languages; all of an item's words are inert."""

import zlib
from collections.abc import Collection, Sequence

from apps.recommender.wish import Ranked, RankedList, Reason, Seen
from core.data.catalogue import Catalogue
from core.texts import Language, Text
from core.ui.forms import button, empty, tag
from core.ui.inert import inert
from core.ui.translations import in_both, inline

STARTS = {
    "known": Text("From what this visitor did", "根据该访客的行为"),
    "events": Text("New visitor: from your clicks alone", "新访客：仅根据您的点击"),
    "interests": Text("New visitor: from stated interests", "新访客：根据填写的兴趣"),
    "item": Text("Starting from one item", "从一件商品出发"),
    "nothing": Text("Nothing is known yet: what most people like", "尚无任何信息：大家都喜欢的商品"),
}
BECAUSE = Text("because of", "因为您看过")
WORDS = Text("speaks for it:", "相关词：")
POPULAR = Text("liked by many", "很多人喜欢")
LIKE, DISMISS, MORE = Text("Like", "喜欢"), Text("Not for me", "不感兴趣"), Text("More like this", "更多类似")
NEW, CHANGED = Text("new item", "新商品"), Text("new in the list", "新上榜")
SOLD_OUT = Text("sold out", "已售罄")
NOBODY = Text("Nothing fits. Widen the filters.", "没有符合条件的商品，请放宽筛选条件。")
COST = Text("diversity and novelty cost {share} of the list's worth", "多样性与新颖度使列表价值下降 {share}")
HISTORY = Text("What it goes by, newest first", "依据的行为（从新到旧）")
SHOWN_EVENTS = 12


def title_of(catalogue: Catalogue, row: int, language: Language) -> str:
    """What an item is called, in a language where the data has it."""
    return _told(catalogue, "title", row, language) or catalogue.titles[row] or catalogue.ids[row]


def render_list(found: RankedList, catalogue: Catalogue, before: Collection[str]) -> str:
    """The grid, with what the list was made from above it.

    Args:
        found: The list.
        catalogue: Of its items.
        before: Ids of the list that stood there before; empty = there was none.
    """
    if not found.items:
        return empty(NOBODY)
    cost = f"{found.diversity_cost:.0%}"
    told = Text(COST.en.format(share=cost), COST.zh.format(share=cost)) if found.diversity_cost else None
    head = f'<p class="quiet start">{inline(STARTS[found.start])}{f" · {inline(told)}" if told else ""}</p>'
    cards = "".join(
        _card(item, catalogue, is_changed=bool(before) and item.item_id not in before) for item in found.items
    )
    return f'{head}<ol class="cards">{cards}</ol>'


def render_events(events: Sequence[Seen], catalogue: Catalogue) -> str:
    """What a list goes by, the newest first."""
    rows = [(event, catalogue.row_of(event.item_id)) for event in reversed(events[-SHOWN_EVENTS:])]
    listed = [(event, row) for event, row in rows if row is not None]
    if not listed:
        return ""

    def lines(language: Language) -> str:
        items = "".join(
            f'<li><span dir="auto">{inert(title_of(catalogue, row, language), 120)}</span> '
            f'<span class="fine">{inert(event.kind, 40)}</span></li>'
            for event, row in listed
        )
        return f'<ul class="plainlist">{items}</ul>'

    return f'<section class="card"><h2>{inline(HISTORY)}</h2>{in_both(lines)}</section>'


def _card(item: Ranked, catalogue: Catalogue, *, is_changed: bool) -> str:
    row = item.row

    def words(language: Language) -> str:
        category = _told(catalogue, "category", row, language) or catalogue.categories[row]
        description = _told(catalogue, "description", row, language) or catalogue.descriptions[row]
        return (
            f'<p class="fine" dir="auto">{inert(category, 60)}</p>'
            f'<h3 dir="auto">{inert(title_of(catalogue, row, language), 160)}</h3>'
            f'<p class="about" dir="auto">{inert(description, 220)}</p>'
            f'<p class="why">{_reason(item.reason, catalogue, language)}</p>'
        )

    price = catalogue.prices[row]
    shown_price = f'<span class="price">{price:,.2f}</span>' if price == price else ""
    tags = "".join(
        tag(text, tone)
        for text, tone, is_so in (
            (NEW, "good", item.is_new),
            (CHANGED, "warn", is_changed),
            (SOLD_OUT, "stop", not catalogue.in_stock[row]),
        )
        if is_so
    )
    acts = "".join(
        button(act, text, "quietly", item=item.item_id)
        for act, text in (("like", LIKE), ("dismiss", DISMISS), ("more", MORE))
    )
    hue = zlib.crc32(catalogue.categories[row].encode()) % 360

    def letter(language: Language) -> str:
        name = _told(catalogue, "category", row, language) or catalogue.categories[row] or catalogue.titles[row] or "·"
        return f'<span class="letter" aria-hidden="true">{inert(name[0].upper(), 2)}</span>'

    return (
        f'<li class="item" style="--hue: {hue}"><div class="tile-top"><span class="rank">{item.rank}</span>'
        f"{in_both(letter)}{shown_price}</div>"
        f'<div class="tags">{tags}</div>{in_both(words)}<div class="buttons">{acts}</div></li>'
    )


def _reason(reason: Reason, catalogue: Catalogue, language: Language) -> str:
    parts = []
    if reason.kind == "popular":
        parts.append(POPULAR.in_language(language))
    row = catalogue.row_of(reason.item_id) if reason.item_id else None
    if row is not None:
        parts.append(f"{BECAUSE.in_language(language)} <b>{inert(title_of(catalogue, row, language), 90)}</b>")
    if reason.words:
        marked = " ".join(f"<mark>{inert(word, 30)}</mark>" for word in reason.words)
        parts.append(f"{WORDS.in_language(language)} {marked}")
    return " · ".join(parts)


def _told(catalogue: Catalogue, name: str, row: int, language: Language) -> str:
    """A text of an item in one language, where the data has a column for it, such as title_zh."""
    column = catalogue.more.get(f"{name}_{language}")
    return column[row] if column else ""
