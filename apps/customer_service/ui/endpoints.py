"""What programs call: `/chat`, and `/messages` for what a person has answered."""

from typing import Any

import gradio as gr

from apps.customer_service.desk import Desk
from apps.customer_service.ui.chat_tab import MAX_MESSAGE
from core.errors import UserError
from core.ui.actions import PROGRAMS


def add_endpoints(desk: Desk) -> None:
    """Adds them to the page that is being built.

    Args:
        desk: Replies, and keeps what was said.
    """
    message, conversation = gr.Textbox(visible=False), gr.Textbox(visible=False)
    after, answer = gr.Number(visible=False, precision=0), gr.JSON(visible=False)

    def chat(message: str, conversation_id: str = "") -> dict[str, Any]:
        """The reply to a message; an empty conversation id starts a new one."""
        try:
            turn = desk.hear_program(str(conversation_id or ""), str(message or "")[:MAX_MESSAGE])
        except UserError as error:
            return {"error": str(error)}
        return {
            **turn.reply.to_json(),
            "conversation_id": turn.conversation_id,
            "message_id": turn.message_id,
        }

    def messages(conversation_id: str, after: float = 0) -> dict[str, Any]:
        """What was said in a conversation after a message id, masked as it is stored."""
        found = desk.conversations.messages(str(conversation_id or ""), int(after or 0))
        return {"messages": [{"id": m.id, "role": m.role, "text": m.text, "created": m.created} for m in found]}

    gr.Button(visible=False).click(chat, [message, conversation], answer, api_name="chat", **PROGRAMS)
    gr.Button(visible=False).click(messages, [conversation, after], answer, api_name="messages", **PROGRAMS)
