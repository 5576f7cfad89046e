"""What the page says around the items, in both languages."""

from core.texts import Text

# ---- for whom
FOR_WHOM = Text("For whom", "为谁推荐")
MODES = {
    "user": Text("Known user", "已知用户"),
    "new": Text("New visitor", "新访客"),
    "item": Text("From an item", "从商品出发"),
}
FIND_USER, FIND_ITEM = Text("Find a user by id", "按编号查找用户"), Text("Find an item by its name", "按名称查找商品")
FIND = Text("Find", "查找")
INTERESTS = Text("What are they looking for?", "想找什么？")
INTERESTS_EXAMPLE = Text("a gift for a tea lover", "送给爱喝茶的人")
SHOW = Text("Show", "推荐")
OR_CLICK = Text(
    "Or just like and view cards: every click counts at once.", "也可以直接点击喜欢或查看商品，每次点击立即生效。"
)
NOBODY_FOUND, NOTHING_FOUND = Text("No such user.", "没有该用户。"), Text("No such item.", "没有该商品。")
EVENTS = Text("{n} events", "{n} 条行为")
ONE_EVENT = Text("1 event", "1 条行为")

# ---- how the list is to be
TUNE = Text("The list", "列表设置")
DIVERSITY, NOVELTY = Text("Diversity", "多样性"), Text("Novelty", "新颖度")
BEST, VARIED = Text("best match", "最匹配"), Text("most varied", "最多样")
FAMILIAR, UNUSUAL = Text("well-known too", "含热门"), Text("off the beaten track", "偏冷门")
CATEGORIES = Text("Categories", "类别")
PRICE_FROM, PRICE_TO = Text("Price from", "最低价"), Text("to", "最高价")
IN_STOCK = Text("In stock only", "仅看有货")
RESET = Text("Reset", "重置")

# ---- above the list
HEADS = {
    "known": Text("For user {who}", "为用户 {who} 推荐"),
    "events": Text("For a new visitor", "为新访客推荐"),
    "interests": Text("For a new visitor", "为新访客推荐"),
    "item": Text("Like {item}", "与“{item}”相似"),
    "nothing": Text("Popular now", "热门商品"),
}
COLD = Text("cold start", "冷启动")
FROM_EVENTS = Text("from {n} clicks on this page", "依据本页的 {n} 次点击")
FROM_ONE_EVENT = Text("from 1 click on this page", "依据本页的 1 次点击")
FROM_INTERESTS = Text("from interests: {said}", "依据兴趣：{said}")
FROM_LOG = Text("{n} events in the log", "日志中有 {n} 条行为")
FROM_ITEM = Text("nothing is known but this item", "仅知道这件商品")
FROM_NOTHING = Text("nothing is known yet", "尚无任何信息")
COST = Text(
    "Diversity and novelty cost {share} of the list's expected worth (discounted by rank, as in nDCG).",
    "多样性与新颖度使列表的预期价值（按排名折扣，同 nDCG）下降 {share}。",
)
AWAY = Text(
    "The store is away: the newest events, and changes of rules, do not count until it is back.",
    "存储暂不可用：恢复之前，最新行为与规则变更不会生效。",
)
CHANGED = Text("{new} new in this list, {moved} moved.", "{new} 件新上榜，{moved} 件变动。")
SAME = Text("The list is the same.", "列表没有变化。")
NOTHING_FITS = Text("Nothing fits. Widen the filters.", "没有符合条件的商品，请放宽筛选条件。")
DEEDS = {"view": Text("viewed", "看过"), "like": Text("liked", "喜欢"), "dismiss": Text("dismissed", "不感兴趣")}
THIS_VISIT = Text("On this page", "本次访问")
UNDO = Text("Undo: {item}", "撤销：{item}")
START_OVER = Text("Start over", "重新开始")

# ---- on a card
VIEW, LIKE = Text("View: {item}", "查看：{item}"), Text("Like: {item}", "喜欢：{item}")
DISMISS, ALIKE = Text("Not for me: {item}", "不感兴趣：{item}"), Text("More like this: {item}", "更多类似：{item}")
MORE = Text("More like this", "更多类似")
NEW_ITEM, SOLD_OUT = Text("new item", "新商品"), Text("sold out", "已售罄")
RANK = Text("Rank", "第")
CAME_IN, UP, DOWN = (
    Text("new in the list", "新上榜"),
    Text("up {n}", "上升 {n}"),
    Text("down {n}", "下降 {n}"),
)
BECAUSE = {
    "browse": Text("because you looked at", "因为您浏览过"),
    "click": Text("because you viewed", "因为您看过"),
    "comment": Text("because you commented on", "因为您评论过"),
    "share": Text("because you shared", "因为您分享过"),
    "purchase": Text("because you bought", "因为您购买过"),
    "rating": Text("because you rated", "因为您评价过"),
}
BECAUSE_LIKED = Text("because you liked", "因为您喜欢")
BECAUSE_OF = Text("because of", "因为")
FITS = Text("matches:", "匹配：")
POPULAR, PINNED, EXPLORE = (
    Text("liked by many", "很多人喜欢"),
    Text("placed here by the shop", "店铺置顶"),
    Text("shown to learn about it", "探索展示"),
)

# ---- other tabs
KINDS = {
    "browse": Text("browsed", "浏览"),
    "click": Text("clicked", "点击"),
    "comment": Text("commented", "评论"),
    "share": Text("shared", "分享"),
    "purchase": Text("bought", "购买"),
    "rating": Text("rated", "评分"),
}


def filled(words: Text, **values: object) -> Text:
    """The words with their gaps filled; a value in both languages is given as a `Text`."""
    english = {name: value.en if isinstance(value, Text) else value for name, value in values.items()}
    chinese = {name: value.zh if isinstance(value, Text) else value for name, value in values.items()}
    return Text(words.en.format(**english), words.zh.format(**chinese))


def counted(words: Text, one: Text, count: int) -> Text:
    """The words for a number of things."""
    return one if count == 1 else filled(words, n=f"{count:,}")
