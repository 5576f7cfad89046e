"""Opens an app's page on this machine and serves it until Ctrl+C."""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.app import AppSpec
from core.errors import UserError
from core.serving.predictor import load_predictor
from core.serving.store import Store

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

MAX_UPLOAD = "200mb"
MAX_WAITING = 512
"""Requests that may wait for their turn: more than this is a flood, and is told to come back later."""
PORTS_TRIED = 50
GRACE_S = 1


def launch_page(spec: AppSpec, run: Path, *, host: str, port: int, store_url: str) -> None:
    """Serves the page of a run or bundle; returns after Ctrl+C.

    Args:
        spec: The app.
        run: A run or a bundle.
        host: Address to listen on.
        port: 0 = any free one.
        store_url: SQLite file or database URL for what readers say.

    Raises:
        UserError: No such bundle, the port is in use, or the store cannot be opened.
    """
    listener = open_port(host, port)
    store = None
    try:
        predictor = load_predictor(run, spec)
        store = Store(store_url)
        server = build_server({"/": spec.build_page(predictor, store)})
        tell_address(host, listener)
        serve(server, listener)
    finally:
        if store is not None:
            store.close()
        listener.close()


def build_server(pages: "Mapping[str, gr.Blocks]") -> "FastAPI":
    """A web server with pages, their languages and their rules: no telemetry, no sharing, no files of this machine.

    Args:
        pages: By the path under which each is served.
    """
    prepare_gradio()
    import gradio as gr
    from fastapi import FastAPI

    from core.ui.frame import STYLES, build_theme, page_head
    from core.ui.language_switch import LanguageSwitch
    from core.ui.translations import build_i18n

    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    server.add_middleware(LanguageSwitch)
    for path, page in pages.items():
        gr.mount_gradio_app(
            server,
            page.queue(max_size=MAX_WAITING, default_concurrency_limit=2),
            path=path,
            i18n=build_i18n(),
            theme=build_theme(),
            css_paths=[*STYLES],
            head=page_head(),
            footer_links=[],
            run_history=False,
            allowed_paths=[],
            max_file_size=MAX_UPLOAD,
            show_error=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
        )
    return server


def tell_address(host: str, listener: socket.socket) -> None:
    """Says where the page is."""
    shown = host if host not in ("0.0.0.0", "::", "") else "127.0.0.1"
    _tell(f"Page: http://{shown}:{listener.getsockname()[1]}")


def prepare_gradio() -> None:
    """Keeps Gradio from calling home; has to come before it is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_SHARE"] = "False"


def open_port(host: str, port: int) -> socket.socket:
    """A bound socket, so that nobody can take the port between looking and serving.

    Raises:
        UserError: The port is in use or the address is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return _bind(family, host, port)
    except OSError as error:
        free = _free_port(host, port)
        raise UserError(
            f"The page cannot listen on {host}:{port}: {error.strerror or error}.",
            "A free port and an address of this machine.",
            f"Use --port {free}." if free else "Use another --host or --port.",
        ) from None


def serve(server: "FastAPI", listener: socket.socket) -> None:
    """Serves until Ctrl+C or a signal to end."""
    import uvicorn

    config = uvicorn.Config(
        server, log_level="critical", timeout_graceful_shutdown=GRACE_S, lifespan="on", access_log=False
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        _tell("Stopped.")


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows this option lets two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()  # who reads "Page: ..." may connect at once
    except OSError:
        listener.close()
        raise
    return listener


def _free_port(host: str, port: int) -> int | None:
    for candidate in range(port + 1, min(port + PORTS_TRIED, 65536)):
        try:
            _bind(socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0][0], host, candidate).close()
        except OSError:
            continue
        return candidate
    return None
