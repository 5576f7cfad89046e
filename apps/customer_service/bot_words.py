"""What the bot says of its own, in both languages: short, warm, and honest about what it does not know."""

from core.texts import Text

TALK: dict[str, tuple[Text, ...]] = {
    "greeting": (
        Text("Hello! What can I help you with?", "您好！请问有什么可以帮您？"),
        Text("Hi again! What would you like to know?", "您好，请问想了解什么呢？"),
    ),
    "thanks": (
        Text("You're welcome! Is there anything else?", "不客气！还有其他可以帮您的吗？"),
        Text("Glad to help. Just write if there is more.", "很高兴能帮到您，有问题随时留言。"),
    ),
    "goodbye": (Text("Goodbye, and thank you for writing!", "再见，感谢您的来信！"),),
    "acknowledge": (Text("Good. I'm here if you need anything else.", "好的，有需要随时告诉我。"),),
    "bot": (
        Text(
            "I'm an automated assistant. I answer from our help pages, and a colleague can take over at any time.",
            "我是智能客服，根据帮助内容为您解答，您也可以随时转人工。",
        ),
    ),
}
NO_WORDS = Text(
    "Please write in a few words what it is about, and I'll look for the answer.",
    "请用几个字告诉我您想咨询什么，我来为您查找。",
)
CLARIFY = Text(
    "I want to be sure I understand. Did you mean one of these?", "我想确认一下您的意思，您是想问下面哪一个？"
)
CLARIFY_ONE = Text("I want to be sure I understand. Did you mean this?", "我想确认一下，您是想问这个吗？")
OTHERWISE = Text("If none fits, please say it in other words.", "如果都不是，请换个说法告诉我。")
FALLBACK = Text(
    "I'm sorry, I don't have an answer to that. Could you say it in other words? "
    "You can also talk to a person at any time.",
    "抱歉，这个问题我没有找到答案。能换个说法吗？您也可以随时转人工。",
)
NO_KNOWLEDGE = Text(
    "I'm sorry, I have nothing written about that, so I'd rather not guess. Would you like to talk to a person?",
    "抱歉，我这里没有相关资料，不敢随意答复。需要为您转接人工吗？",
)
NONE_OF_THESE = Text(
    "All right, none of these. Please tell me in other words what you need, or ask for a person.",
    "好的，都不是。请换个说法告诉我您的需要，或者回复“转人工”。",
)
HANDOFF = Text(
    "Of course. I'm passing you to a colleague, who will answer here and can read what you have written.",
    "好的，正在为您转接人工同事，对方会看到以上内容并在这里回复您。",
)
GIVE_UP = Text(
    "I'm sorry I couldn't help. I'm passing you to a colleague, who will answer here "
    "and can read what you have written.",
    "抱歉没能帮到您。正在为您转接人工同事，对方会看到以上内容并在这里回复您。",
)
WAITING = Text(
    "Your message is with a colleague, who will answer here.",
    "您的留言已转给人工同事，对方会在这里回复您。",
)
CRISIS = {
    "self_harm": Text(
        "I'm very sorry that you feel this way. You matter, and you don't have to go through this alone. "
        "If you might hurt yourself, please call your local emergency number now (112 in Europe, 911 in the US, where "
        "988 is a crisis line), or be with somebody you trust. I'm passing this to a colleague at once.",
        "听到您这样说，我很难过。您很重要，也不必独自承受。如果您可能伤害自己，请立刻拨打 120 或 110，"
        "或心理援助热线 12356，也请找一位信任的人陪着您。我马上请同事联系您。",
    ),
    "danger": Text(
        "Your safety comes first. Please move away from the danger, and call your local emergency number (112 in "
        "Europe, 911 in the US) if anyone may be hurt. I'm passing this to a colleague at once.",
        "您的安全最重要。请先远离危险，如有人可能受伤，请立刻拨打 119、120 或 110。我马上请同事联系您。",
    ),
}
CUT = Text("(Your message was long; I read its first {limit} characters.)", "（您的消息较长，我读了前 {limit} 个字。）")
SEE_ALSO = Text("See also: ", "相关内容：")
PERSON_OPTION = Text("Talk to a person", "转人工客服")
