"""One page that leads to every app, in a real browser."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from apps.customer_service.app import SPEC as SUPPORT
from apps.recommender.app import SPEC as SHOP
from core.serving.predictor import load_predictor
from core.serving.store import Store
from core.ui.hub import build_hub

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hub(shop_bundle: Path, support_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import uvicorn

    folder = tmp_path_factory.mktemp("hub")
    runs = {SHOP: shop_bundle, SUPPORT: support_bundle}
    stores = {spec.name: Store(str(folder / f"{spec.name}.sqlite")) for spec in runs}
    pages = {
        f"/{spec.name}": spec.build_page(load_predictor(run, spec, threads=1), stores[spec.name])
        for spec, run in runs.items()
    }
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_hub(list(runs), pages), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    for store in stores.values():
        store.close()


@pytest.mark.parametrize(("locale", "title", "shop"), [("en-US", "Open", "Recommender"), ("zh-CN", "打开", "商品推荐")])
def test_every_app_is_reached_and_works(locale: str, title: str, shop: str, hub: str, chromium: Browser) -> None:
    page = chromium.new_page(locale=locale)
    page.goto(hub)
    expect(page.locator(".apps a >> visible=true")).to_have_count(2)
    card = page.locator(".apps li", has_text=shop)
    expect(card.locator("a")).to_contain_text(title, use_inner_text=True)
    card.locator("a").click()
    expect(page).to_have_title(shop)
    page.wait_for_selector("#grid .item")
    page.goto(f"{hub}/customer_service/")
    page.wait_for_selector("#chat-log .choice >> visible=true")
    page.close()
