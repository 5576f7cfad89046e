"""What the chat says around the messages, in both languages."""

from core.texts import Text

YOU, ASSISTANT, AGENT = Text("You:", "您："), Text("Assistant:", "智能客服："), Text("Colleague:", "人工客服：")
NAME = Text("Assistant", "智能客服")
STATUS = Text("Answers from the knowledge base", "依据知识库作答")
WAITING_STATUS = Text("A colleague will answer here", "人工客服将在此回复")
WELCOME = Text(
    "Hello! Ask me anything about our service. I answer with sources, and a person is one click away.",
    "您好！有什么想了解的，请直接问我。我会给出答案和来源，您也可以随时转人工。",
)
EXAMPLES = Text("For example:", "例如：")
TYPING = Text("The assistant is writing", "智能客服正在输入")
SOURCES = Text("Sources", "来源")
FOLLOW_UPS = Text("You may also want to know:", "您可能还想了解：")
BY_MODEL = Text("Worded by a language model from these sources.", "由语言模型依据以上来源生成。")
LIKE, DISLIKE, AGAIN = Text("This helped", "有帮助"), Text("This did not help", "没有帮助"), Text("Try again", "重试")
THANKS = Text("Thank you.", "感谢反馈。")
WHY = Text("What was wrong?", "哪里不好？")
REASONS = {
    "wrong": Text("It is wrong", "答案有误"),
    "off_topic": Text("Not what I asked", "答非所问"),
    "outdated": Text("Out of date", "内容过时"),
    "unclear": Text("Hard to understand", "看不明白"),
}
"""By what is stored."""
OWN_WORDS = Text("In your own words", "用您自己的话说")
SEND = Text("Send", "发送")
PERSON = Text("Talk to a person", "转人工客服")
CLEAR = Text("New chat", "清空对话")
WRITE = Text("Write your message", "请输入您的问题")
CLOSED = Text("The conversation is back with the assistant.", "对话已交回智能客服。")
MASKED = Text(
    "Phone numbers, e-mail addresses, card and identity numbers and names are masked before anything is stored.",
    "电话、邮箱、银行卡号、证件号和姓名在存储前都会脱敏。",
)
FAILED = Text(
    "Something went wrong on our side. Please try again, or talk to a person.", "系统出了点问题，请重试或转人工。"
)
