"""What intents, decisions and reasons are called on the page."""

from collections.abc import Mapping

from apps.customer_service.options import label_words
from core.texts import LANGUAGES, Language, Text

DECISIONS = {
    "answered": Text("answered", "已作答"),
    "unsure": Text("not certain", "不确定"),
    "refused": Text("no answer", "无答案"),
}
TONES = {"answered": "good", "unsure": "warn", "refused": "stop"}
KINDS = {
    "answer": Text("Answer from the knowledge base", "依据知识库作答"),
    "small_talk": Text("Small talk", "寒暄"),
    "clarify": Text("Asked back", "反问确认"),
    "fallback": Text("No answer known", "没有答案"),
    "handoff": Text("Handed to a person", "转人工"),
    "refused": Text("Nothing to judge", "无可判断的内容"),
}
REASONS = {
    "retrieval": Text("the knowledge base has an entry that answers it", "知识库中有能回答的条目"),
    "intent": Text("the intent is clear and has an entry", "意图明确且有对应条目"),
    "option": Text("the customer chose this meaning", "客户选择了该含义"),
    "follow_up": Text("understood with the turn before", "结合上一轮理解"),
    "small_talk": Text("the message asks nothing", "消息中没有提问"),
    "unsure": Text("several meanings are likely", "存在多种可能的含义"),
    "disagreement": Text("intent and knowledge base point to different entries", "意图与知识库指向不同条目"),
    "out_of_scope": Text("unlike anything it knows", "超出已知范围"),
    "no_knowledge": Text("nothing is written about it", "知识库中没有相关内容"),
    "no_words": Text("the message has no words", "消息中没有文字"),
    "none_of_these": Text("the customer meant none of the options", "客户否定了所有选项"),
    "asked_for_person": Text("the customer asked for a person", "客户要求人工服务"),
    "crisis": Text("somebody may be in danger", "可能有人身危险"),
    "repeated_failure": Text("no answer several times in a row", "连续多次未能作答"),
    "handed_over": Text("a person has the conversation", "人工正在处理"),
}
LANGUAGE_NAMES = {"en": Text("English", "英文"), "zh": Text("Chinese", "中文"), "": Text("any", "不限")}


def reason_words(reason: str) -> Text:
    """Why a reply is as it is; a reason of another program as it stands."""
    return REASONS.get(reason, Text(reason, reason))


def intent_words(label: str, words: Mapping[str, Text]) -> Text:
    """An intent in readable words."""
    return Text(*(label_words(label, words, language) for language in LANGUAGES))


def intent_word(label: str, words: Mapping[str, Text], language: Language) -> str:
    """An intent in readable words."""
    return label_words(label, words, language)
