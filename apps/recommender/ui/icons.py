"""Small line drawings: one for what a category is about, and one for each thing that a card can be told."""

import re


def _icon(shape: str, size: int = 18) -> str:
    return (
        f'<svg viewBox="0 0 24 24" width="{size}" height="{size}" fill="none" stroke="currentColor" stroke-width="1.6" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{shape}</svg>'
    )


HEART = _icon('<path d="M12 20C6 15.6 3.5 12.6 3.5 9.2a4.4 4.4 0 0 1 8.5-1.6 4.4 4.4 0 0 1 8.5 1.6c0 3.4-2.5 6.4-8.5 10.8z"/>')
CROSS = _icon('<path d="M6 6l12 12M18 6 6 18"/>')
ALIKE = _icon('<rect x="3.5" y="8" width="11" height="12" rx="2"/><path d="M9 4.5h8.5a2 2 0 0 1 2 2V15"/>')
EYE = _icon('<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="2.6"/>', 15)
WORDS = _icon('<path d="M4 7h16M4 12h10M4 17h13"/>', 15)
TREND = _icon('<path d="M3 17l6-6 4 4 8-9M15 6h6v6"/>', 15)
PIN = _icon('<path d="M9 3.5h6l-1 6 3.5 3.5h-11L10 9.5zM12 13v7.5"/>', 15)
DICE = _icon('<rect x="4" y="4" width="16" height="16" rx="3"/><path d="M8.5 8.5h.01M15.5 15.5h.01M15.5 8.5h.01M8.5 15.5h.01"/>', 15)

SHAPES: dict[str, str] = {
    "headphones": '<path d="M4 15v-3a8 8 0 0 1 16 0v3M4 14.5h3.2V20H5.5A1.5 1.5 0 0 1 4 18.5zM20 14.5h-3.2V20h1.7a1.5 1.5 0 0 0 1.5-1.5z"/>',
    "bath": '<path d="M3 12h18v2a6 6 0 0 1-6 6H9a6 6 0 0 1-6-6zM6 12V6.2a2.2 2.2 0 0 1 4.4 0M7.5 19.6 6.5 21.5M16.5 19.6l1 1.9"/>',
    "bed": '<path d="M3 19V6M3 16h18v3M21 16v-2.5a3 3 0 0 0-3-3h-7V16"/><circle cx="7" cy="12" r="2"/>',
    "book": '<path d="M12 6.5C10 5 7.4 4.5 4 4.5v13.5c3.4 0 6 .5 8 2 2-1.5 4.6-2 8-2V4.5c-3.4 0-6 .5-8 2zM12 6.5V20"/>',
    "chair": '<path d="M6 11V8a3 3 0 0 1 3-3h6a3 3 0 0 1 3 3v3M3 12.5a2 2 0 0 1 4 0V15h10v-2.5a2 2 0 0 1 4 0V18H3zM6 18v2.5M18 18v2.5"/>',
    "sprout": '<path d="M12 20.5V11M12 13.5c0-4.5-3-7-8-7 0 4.5 3 7 8 7zM12 11c0-4 2.5-7 8-7.5 0 4.5-2.5 7.5-8 7.5zM8 20.5h8"/>',
    "pot": '<path d="M5 10.5h14V16a3.5 3.5 0 0 1-3.5 3.5h-7A3.5 3.5 0 0 1 5 16zM2.5 10.5h19M9.5 7.5c0-1.6 1-1.6 1-3.2M13.5 7.5c0-1.6 1-1.6 1-3.2"/>',
    "lamp": '<path d="M9 3.5h6L18.5 12h-13zM12 12v8M8 20.5h8"/>',
    "tent": '<path d="M12 5 2.5 19.5h19zM12 5l-1.2-2M12 5l1.2-2M12 12.5l-3.6 7M12 12.5l3.6 7"/>',
    "paw": '<circle cx="6" cy="11" r="1.8"/><circle cx="10" cy="6.5" r="1.9"/><circle cx="14.5" cy="6.5" r="1.9"/><circle cx="18.3" cy="11" r="1.8"/><path d="M12.2 11.5c2.8 0 5 3.2 5 5.3 0 1.5-1 2.4-2.4 2.4-1 0-1.7-.5-2.6-.5s-1.6.5-2.6.5c-1.4 0-2.4-.9-2.4-2.4 0-2.1 2.2-5.3 5-5.3z"/>',
    "pencil": '<path d="M4 20l1-4.2L16.2 4.6l3.2 3.2L8.2 19zM13.8 7l3.2 3.2"/>',
    "plate": '<circle cx="12" cy="12" r="8"/><circle cx="12" cy="12" r="4.5"/>',
    "cup": '<path d="M4.5 9.5H17V14a5 5 0 0 1-5 5H9.5a5 5 0 0 1-5-5zM17 10.5h1.5a2.5 2.5 0 0 1 0 5H17M8.5 6.5c0-1.5 1-1.5 1-3M12.5 6.5c0-1.5 1-1.5 1-3"/>',
    "blocks": '<rect x="3.5" y="13" width="7.5" height="7.5" rx="1"/><rect x="13" y="13" width="7.5" height="7.5" rx="1"/><rect x="8.2" y="3.5" width="7.5" height="7.5" rx="1"/>',
    "film": '<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M8 5v14M16 5v14M3.5 9.7H8M3.5 14.3H8M16 9.7h4.5M16 14.3h4.5"/>',
    "rocket": '<path d="M12 3c3.5 2.5 4.5 6.5 4 11.5H8C7.5 9.5 8.5 5.5 12 3zM8 12l-3 3.5V18l3-1.5M16 12l3 3.5V18l-3-1.5M10.5 18l1.5 3 1.5-3"/><circle cx="12" cy="9" r="1.5"/>',
    "heart": '<path d="M12 20C6 15.6 3.5 12.6 3.5 9.2a4.4 4.4 0 0 1 8.5-1.6 4.4 4.4 0 0 1 8.5 1.6c0 3.4-2.5 6.4-8.5 10.8z"/>',
    "mask": '<path d="M4.5 5.5c5 1.5 10 1.5 15 0v6.5c0 4.5-3.5 8-7.5 8s-7.5-3.5-7.5-8zM8 10.5c.8-.8 1.7-.8 2.5 0M13.5 10.5c.8-.8 1.7-.8 2.5 0M9 15.5c2-1.3 4-1.3 6 0"/>',
    "star": '<path d="M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9L12 16.9l-5.2 2.8 1-5.9L3.5 9.7l5.9-.8z"/>',
    "music": '<path d="M9 18V5.5l11-2V16"/><circle cx="6.5" cy="18" r="2.5"/><circle cx="17.5" cy="16" r="2.5"/>',
    "lens": '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5 20.5 20.5"/>',
    "bolt": '<path d="M13.5 3 5 13.5h6L10 21l8.5-10.5h-6z"/>',
    "compass": '<circle cx="12" cy="12" r="8.5"/><path d="M15.5 8.5l-2 5-5 2 2-5z"/>',
    "ghost": '<path d="M5.5 20V11a6.5 6.5 0 0 1 13 0v9l-2.2-1.8L14 20l-2-1.8L10 20l-2.3-1.8zM9.7 11h.01M14.3 11h.01"/>',
    "smile": '<circle cx="12" cy="12" r="8.5"/><path d="M8.5 14c1.8 2.6 5.2 2.6 7 0M9 9.5h.01M15 9.5h.01"/>',
    "camera": '<path d="M3.5 8h4l1.5-2.5h6L16.5 8h4v11h-17z"/><circle cx="12" cy="13" r="3.3"/>',
    "shirt": '<path d="M8.5 4 3.5 7l2 4 2-1v10h9V10l2 1 2-4-5-3c-1 2-6 2-7 0z"/>',
    "phone": '<rect x="7" y="3" width="10" height="18" rx="2"/><path d="M11 17.5h2"/>',
    "bag": '<path d="M5.5 8h13l1 12.5h-15zM9 10.5V7a3 3 0 0 1 6 0v3.5"/>',
}  # fmt: skip
WORDS_OF_SHAPES: tuple[tuple[str, str], ...] = (
    ("audio|sound|speaker|headphone|音响|耳机", "headphones"),
    ("bath|shower|care|beauty|浴", "bath"),
    ("bed|sleep|textile|床", "bed"),
    ("book|read|magazine|书|图书", "book"),
    ("furniture|chair|sofa|home|家具|家居", "chair"),
    ("garden|plant|flower|花|园", "sprout"),
    ("tea|coffee|drink|茶|咖啡", "cup"),
    ("tableware|dish|dining|餐", "plate"),
    ("kitchen|cook|food|grocery|厨|食", "pot"),
    ("light|lamp|灯", "lamp"),
    ("outdoor|camp|sport|hik|户外|运动", "tent"),
    ("pet|dog|cat|宠", "paw"),
    ("station|office|paper|art|craft|文具|办公", "pencil"),
    ("cloth|fashion|shoe|wear|服|衣|鞋", "shirt"),
    ("electronic|phone|computer|digital|数码|手机|电脑", "phone"),
    ("toy|game|child|baby|kid|玩具|儿童", "blocks"),
    ("sci-?fi|science|space|科幻", "rocket"),
    ("romance|love|爱情", "heart"),
    ("drama|剧", "mask"),
    ("fantasy|animation|奇幻|动画", "star"),
    ("music|音乐", "music"),
    ("myster|crime|noir|悬疑|犯罪", "lens"),
    ("action|thriller|war|动作|战争|惊悚", "bolt"),
    ("adventure|western|travel|冒险|西部|旅", "compass"),
    ("horror|恐怖", "ghost"),
    ("comedy|喜剧", "smile"),
    ("documentary|photo|纪录|摄影", "camera"),
    ("film|movie|video|imax|电影", "film"),
)
"""Which words of a category's name ask for which drawing; the first that fits."""


def category_icon(category: str) -> str:
    """The drawing for a category; a bag where its name says nothing."""
    name = category.casefold()
    shape = next((shape for words, shape in WORDS_OF_SHAPES if re.search(rf"(?<![a-z])(?:{words})", name)), "bag")
    return _icon(SHAPES[shape], 40)
