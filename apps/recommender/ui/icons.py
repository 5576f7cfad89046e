"""Small line drawings: one for what a category is about, and one for each thing that a card can be told."""

import json
import re
from pathlib import Path

DRAWINGS: dict[str, str] = json.loads(Path(__file__).with_name("drawings.json").read_text(encoding="utf-8"))
"""Name to what stands inside an SVG of 24 by 24."""
DRAWN: tuple[tuple[str, str], ...] = (
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


def icon(name: str, size: int = 18) -> str:
    """A drawing in the colour of the text around it, as SVG."""
    return (
        f'<svg viewBox="0 0 24 24" width="{size}" height="{size}" fill="none" stroke="currentColor" stroke-width="1.6" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{DRAWINGS[name]}</svg>'
    )


def category_icon(category: str) -> str:
    """The drawing for a category; a bag where its name says nothing."""
    name = category.casefold()
    drawing = next((drawing for words, drawing in DRAWN if re.search(rf"(?<![a-z])(?:{words})", name)), "bag")
    return icon(drawing, 46)
