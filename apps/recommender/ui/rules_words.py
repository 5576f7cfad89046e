"""What the tab with the rules says, in both languages."""

from core.serving.rules import RuleKind
from core.texts import Text

KINDS: dict[RuleKind, Text] = {
    "pin": Text("Pin", "置顶"),
    "boost": Text("Boost", "加权"),
    "bury": Text("Bury", "后置"),
    "block": Text("Block", "屏蔽"),
    "cap": Text("Cap", "限量"),
}
MEANINGS: dict[RuleKind, Text] = {
    "pin": Text("it stands at this place of every list that may hold it", "在允许出现的每个列表中固定在该位置"),
    "boost": Text(
        "it rises; 1 is the way from the last place of a list to the first, below 0 it sinks",
        "排名上升：1 相当于从列表末位升到首位，负数则下降",
    ),
    "bury": Text("it stands behind everything else", "排在所有其他商品之后"),
    "block": Text("it never stands in a list", "永不出现在列表中"),
    "cap": Text("at most so many of a category in one list", "同一列表中该类别最多出现的数量"),
}
NEW_RULE = Text("A rule for every list", "适用于所有列表的规则")
KIND, ABOUT = Text("What is to happen", "规则类型"), Text("Find an item or category", "查找商品或类别")
VALUES = Text("Place, boost or number", "位置、权重或数量")
WHO, WHY = Text("Your name", "您的姓名"), Text("Why", "原因")
NO_WHO = Text("Fill in your name and why: both are kept.", "请填写姓名与原因，二者都会被记录。")
KEPT = Text("Both are kept with every change.", "每次变更都会记录姓名与原因。")
SET, TAKE_BACK = Text("Set the rule", "设置规则"), Text("Take back", "撤回")
CHOSEN = Text("About: {what}", "对象：{what}")
CHOOSE = Text("Choose what it is about.", "请选择对象。")
EACH_CATEGORY = Text("each category", "每个类别")
CATEGORY = Text("category", "类别")
PREVIEW = Text("Preview, on the list of the first tab", "预览（以第一个标签页的列表为例）")
NOW, THEN = Text("Now", "当前"), Text("With this rule", "应用规则后")
SAME = Text("This list stays the same.", "该列表没有变化。")
LEAVES = Text("leaves", "移出")
COMES = Text("comes in", "新进")
IN_FORCE, NONE = Text("In force", "生效中的规则"), Text("No rule is in force.", "暂无生效的规则。")
AUDIT, NO_CHANGE = Text("What was changed", "变更记录"), Text("Nothing was changed yet.", "暂无变更。")
ACTIONS = {"rule set": Text("set", "设置"), "rule taken back": Text("taken back", "撤回")}
IS_SET = Text("The rule is set: it holds for every list from now on.", "规则已设置，立即对所有列表生效。")
IS_BACK = Text("The rule is taken back.", "规则已撤回。")
NO_NUMBER = Text("Give a number.", "请填写数字。")
GONE = Text("not offered any more", "已下架")
AT, UP_TO = Text("at place {n}", "第 {n} 位"), Text("at most {n}", "最多 {n} 件")
BY = Text("by {n}", "{n}")
