"""Makes every page open in one language, Gradio's own words included, and keeps it from talking to other machines."""

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.texts import Language
from core.ui.translations import COOKIE, LOCALES, QUERY, choose_language

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
"""The page may load and send nothing beyond its own server. Gradio's front end needs inline scripts and eval."""


class LanguageSwitch:
    """Tells each HTML page its language before Gradio's scripts start, and remembers what the switch asked for.

    Gradio takes its language from `navigator.language` and offers no other way; so that property is set first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Rewriter(scope, send).send)


class _Rewriter:
    """Holds an HTML answer back until it is whole, then sends it with the language inside; lets the rest pass."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self.downstream = scope, send
        self.start: Message | None = None
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self.start = message
        elif self.start is None:
            await self.downstream(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        language, asked = _language(self.scope)
        body = localise(self.body, language)
        kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        kept += [
            (b"content-length", str(len(body)).encode()),
            (b"content-security-policy", POLICY.encode()),
            (b"referrer-policy", b"same-origin"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if asked:
            kept.append((b"set-cookie", f"{COOKIE}={language}; Path=/; SameSite=Lax; Max-Age=31536000".encode()))
        await self.downstream({**start, "headers": kept})
        await self.downstream({"type": "http.response.body", "body": body})


def request_language(headers: Mapping[str, str], query: str | None = None) -> Language:
    """The language of the page that a request comes from.

    Args:
        headers: Of the request, names in lower case.
        query: `lang` of the address; None = it says nothing.
    """
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except Exception:  # a cookie of another program that cannot be read
        morsel = None
    return choose_language(query, morsel.value if morsel else None, headers.get("accept-language", ""))


def localise(html: bytes, language: Language) -> bytes:
    """The page with its language told to the browser before any other script runs."""
    locale = LOCALES[language]
    script = (
        f"<script>for (const [name, value] of [['language', '{locale}'], ['languages', ['{locale}']]])"
        "Object.defineProperty(navigator, name, {get: () => value, configurable: true});</script>"
    )
    html = html.replace(b'lang="en"', f'lang="{locale}"'.encode(), 1)
    return html.replace(b"<head>", b"<head>" + script.encode(), 1)


def _is_html(message: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])


def _language(scope: Scope) -> tuple[Language, bool]:
    """The language and whether the address asked for it."""
    headers: dict[str, Any] = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    query = parse_qs(scope["query_string"].decode("latin-1")).get(QUERY, [None])[0]
    return request_language(headers, query), query is not None
