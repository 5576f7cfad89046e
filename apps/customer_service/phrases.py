"""Words that are understood without a model: danger, asking for a person, greeting, thanks, none of these."""

import re
from collections.abc import Iterable
from typing import Literal

from apps.customer_service.message import plain_form

Crisis = Literal["self_harm", "danger"]

SELF_HARM = (
    "kill myself", "killing myself", "suicide", "suicidal", "end my life", "take my own life", "want to die",
    "wanna die", "hurt myself", "harm myself", "self-harm", "self harm", "don't want to live", "no reason to live",
    "自杀", "自殺", "轻生", "輕生", "不想活", "活不下去", "结束生命", "結束生命", "结束自己", "我想死", "想去死",
    "自残", "自殘", "伤害自己", "傷害自己",
)  # fmt: skip
DANGER = (
    "is on fire", "caught fire", "house is burning", "electric shock", "got electrocuted", "it is smoking",
    "it's smoking", "started smoking", "gas leak", "exploded", "someone is hurt", "call an ambulance",
    "going to hurt me", "threatening me", "i'm in danger", "i am in danger", "着火", "起火", "冒烟", "触电", "爆炸了",
    "煤气泄漏", "燃气泄漏", "有人受伤", "有生命危险", "威胁我的安全",
)  # fmt: skip
PERSON = (
    "talk to a person", "talk to a human", "talk to someone", "talk to an agent", "talk to a real person",
    "talk to a representative", "talk to an operator", "speak to a person", "speak to a human", "speak to someone",
    "speak to an agent",
    "speak with a person", "speak with a human", "speak with someone", "speak with an agent",
    "speak to a real person", "speak to a representative", "chat with a human", "chat with a person", "real person",
    "real human", "live agent", "human agent", "human please", "a human being", "connect me to an agent",
    "转人工", "转接人工", "轉人工", "人工客服", "人工服务", "找人工", "要人工", "真人客服", "真人服务",
    "跟真人", "和真人", "与真人", "要真人", "找真人", "找个人", "跟人说话",
)  # fmt: skip
PERSON_ALONE = ("human", "agent", "person", "operator", "representative", "人工", "客服", "真人")
"""Ask for a person when they are the whole message."""
PERSON_LABELS = (
    "talk_to_human", "talk_to_person", "talk_to_agent", "talk_to_a_person", "talk_to_a_human", "talk_to_an_agent",
    "speak_to_human", "speak_to_person", "speak_to_agent", "human_agent", "live_agent", "agent", "human", "operator",
    "handoff", "hand_off", "handover", "human_handoff", "transfer_to_agent", "contact_human_agent", "转人工",
    "人工客服", "人工",
)  # fmt: skip
TALK_LABELS = {
    "greeting": ("greeting", "greetings", "greet", "hello", "hi", "welcome", "问候", "打招呼", "你好"),
    "thanks": ("thanks", "thank_you", "thank", "thankyou", "gratitude", "感谢", "谢谢"),
    "goodbye": ("goodbye", "good_bye", "bye", "farewell", "告别", "再见"),
    "bot": ("are_you_a_bot", "bot_challenge", "what_is_your_name", "who_are_you", "who_made_you", "你是谁"),
}
"""Kinds of small talk to the spellings of their labels."""
TALK_PHRASES = {
    "greeting": (
        "hi", "hello", "hey", "hi there", "hello there", "hey there", "good morning", "good afternoon",
        "good evening", "你好", "您好", "嗨", "哈喽", "在吗", "在么", "有人吗", "早上好", "下午好", "晚上好", "你好呀",
    ),
    "thanks": (
        "thanks", "thank you", "thx", "ty", "cheers", "many thanks", "thanks a lot", "thank you so much",
        "thank you very much", "great thanks", "ok thanks", "谢谢", "多谢", "感谢", "谢了", "谢谢你", "谢谢您",
        "好的谢谢",
        "非常感谢", "太感谢了",
    ),
    "goodbye": ("bye", "goodbye", "bye bye", "see you", "cya", "再见", "拜拜", "回头见", "下次再聊"),
    "acknowledge": ("ok", "okay", "great", "perfect", "got it",
        "i see", "alright", "好的", "好", "明白了", "知道了", "嗯"),
    "bot": ("are you a bot", "are you a robot", "are you human", "who are you", "你是机器人吗", "你是谁", "你是人吗"),
}  # fmt: skip
"""Kinds of small talk to whole messages that are one."""
NONE_OF_THESE = (
    "none of these", "none of them", "none of those", "none", "neither", "no", "nope", "something else", "都不是",
    "都不对", "不是", "不对", "没有", "别的", "其他问题",
)  # fmt: skip
YES = ("yes", "yeah", "yep", "yes please", "right", "correct", "exactly", "是", "是的", "对", "对的", "没错", "嗯")


def find_crisis(text: str, more: Iterable[str] = ()) -> Crisis | None:
    """What danger a message speaks of; the team's own phrases count as danger."""
    if holds_phrase(text, SELF_HARM):
        return "self_harm"
    return "danger" if holds_phrase(text, (*DANGER, *more)) else None


def asks_for_person(text: str, more: Iterable[str] = ()) -> bool:
    """Does a message ask for a person?"""
    return plain_form(text) in PERSON_ALONE or holds_phrase(text, (*PERSON, *more))


def find_talk(text: str) -> str | None:
    """Which kind of small talk a whole message is."""
    said = plain_form(text).replace(", ", " ").replace("，", "")
    return next((kind for kind, phrases in TALK_PHRASES.items() if said in phrases), None)


def talk_of_label(label: str) -> str | None:
    """Which kind of small talk an intent label names."""
    key = label_key(label)
    return next((kind for kind, labels in TALK_LABELS.items() if key in labels), None)


def is_person_label(label: str, more: Iterable[str] = ()) -> bool:
    """Does an intent label stand for asking for a person?"""
    return label_key(label) in {*PERSON_LABELS, *map(label_key, more)}


def label_key(label: str) -> str:
    """A label as spellings of it are compared."""
    return re.sub(r"[\s\-_/.]+", "_", label.strip().casefold())


def holds_phrase(text: str, phrases: Iterable[str]) -> bool:
    """Does a text hold one of these phrases? Latin ones only as whole words."""
    said = plain_form(text)
    return any(_holds(said, phrase) for phrase in map(plain_form, phrases) if phrase)


def _holds(said: str, phrase: str) -> bool:
    start = said.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        if not (_joins(said[start - 1 : start], phrase[0]) or _joins(phrase[-1], said[end : end + 1])):
            return True
        start = said.find(phrase, start + 1)
    return False


def _joins(left: str, right: str) -> bool:
    """Are two neighbouring characters inside one Latin word?"""
    return (left + right).isascii() and left.isalnum() and right.isalnum()
