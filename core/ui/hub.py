"""One page that leads to every app, and the apps' own pages behind it."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from core.app import AppSpec
from core.serving.predictor import load_predictor
from core.serving.store import Store
from core.texts import Text
from core.ui.launch import build_server, open_port, prepare_gradio, serve, tell_address

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

TITLE = Text("AI application suite", "AI 应用套件")
SUMMARY = Text("Choose an app. Each was trained on sample data.", "请选择一个应用。各应用均已用示例数据训练。")
OPEN = Text("Open", "打开")


def launch_hub(specs: Sequence[AppSpec], *, host: str, port: int) -> None:
    """Serves the newest run of each app, and a page that leads to all of them; returns after Ctrl+C.

    Args:
        specs: Each has a finished run at runs/<name>/latest.
        host: Address to listen on.
        port: 0 = any free one.

    Raises:
        UserError: A run is not whole, the port is in use, or a store cannot be opened.
    """
    listener = open_port(host, port)
    with ExitStack() as closing:
        closing.callback(listener.close)
        pages: dict[str, gr.Blocks] = {}
        for spec in specs:
            store = Store(str(Path("runs") / spec.name / "store.sqlite"))
            closing.callback(store.close)
            pages[f"/{spec.name}"] = spec.build_page(load_predictor(Path("runs") / spec.name / "latest", spec), store)
        server = build_hub(specs, pages)
        tell_address(host, listener)
        serve(server, listener)


def build_hub(specs: Sequence[AppSpec], pages: "dict[str, gr.Blocks]") -> "FastAPI":
    """The web server: apps under their names, and the page that leads to them at the root."""
    prepare_gradio()
    from fastapi.responses import HTMLResponse

    server = build_server(pages)
    page = render_hub(specs)
    server.add_api_route("/", lambda: HTMLResponse(page), methods=["GET"], include_in_schema=False)
    return server


def render_hub(specs: Sequence[AppSpec]) -> str:
    """The page, whole, in both languages."""
    from html import escape

    from core.ui.frame import STYLES, page_head, render_header
    from core.ui.translations import inline

    style = "".join(file.read_text(encoding="utf-8") for file in STYLES)
    cards = "".join(
        f'<li class="card"><h2>{inline(spec.title)}</h2><p>{inline(spec.summary)}</p>'
        f'<p><a href="/{escape(spec.name)}/">{inline(OPEN)}</a></p></li>'
        for spec in specs
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(TITLE.en)}</title><style>{style}{HUB_STYLE}</style>{page_head()}</head>"
        f'<body class="gradio-container"><main class="main"><div id="page-header">{render_header(TITLE, SUMMARY)}</div>'
        f'<ul class="apps">{cards}</ul></main></body></html>'
    )


HUB_STYLE = """
body { margin: 0; font-family: system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei',
  'Noto Sans CJK SC', sans-serif; background: #f5f7f8; color: var(--suite-text); }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; --suite-text: #e4ecef; --suite-quiet: #a3b4bc;
  --suite-line: #2d3b43; --suite-surface: #182228; --suite-accent: #5cc4d6; } body { background: #10171b; } }
.apps { list-style: none; margin: 20px 0; padding: 0; display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); }
.apps .card { display: flex; flex-direction: column; gap: 10px; }
.apps p { margin: 0; color: var(--suite-quiet); } .apps p:last-child { margin-top: auto; }
.apps a { display: inline-block; padding: 8px 18px; border-radius: 10px; background: var(--suite-accent);
  color: var(--suite-surface); font-weight: 600; text-decoration: none; }
"""
