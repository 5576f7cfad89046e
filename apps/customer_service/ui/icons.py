"""Small drawings of the chat, in the colour of the text around them."""


def _icon(path: str) -> str:
    return (
        '<svg viewBox="0 0 24 24" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.8" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{path}</svg>'
    )


THUMB_UP = _icon(
    '<path d="M7 11v9H4v-9zM7 11l4-8a2.5 2.5 0 0 1 2.4 3.2L12.6 9H19a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.8 20H7"/>'
)
THUMB_DOWN = _icon(
    '<path d="M17 13V4h3v9zM17 13l-4 8a2.5 2.5 0 0 1-2.4-3.2l.8-2.8H5a2 2 0 0 1-2-2.3l1.2-7A2 2 0 0 1 6.2 4H17"/>'
)
RETRY = _icon('<path d="M20 11a8 8 0 1 0-2.3 6.3M20 4v7h-7"/>')
PERSON = _icon('<circle cx="12" cy="8" r="3.6"/><path d="M4.8 20c.8-3.6 3.6-5.4 7.2-5.4s6.4 1.8 7.2 5.4"/>')
BROOM = _icon('<path d="M4 7h16M9 7V4.5h6V7M6.5 7l1 13h9l1-13M10 11v5M14 11v5"/>')
ARROW = _icon('<path d="M12 19V5M5.5 11.5 12 5l6.5 6.5"/>')
BOT_FACE = _icon('<rect x="4.5" y="8" width="15" height="11" rx="4"/><path d="M12 8V4.6M9.2 13v1M14.8 13v1"/>')
AGENT_FACE = PERSON
