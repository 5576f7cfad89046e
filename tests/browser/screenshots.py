"""Makes the pictures in docs/screenshots anew, of the app of a run: `python -m tests.browser.screenshots RUN`.

They show sample data alone: drawn images, and the questions of a shop that does not exist.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from core.export.bundle import load_bundle
from tests.browser.chromium import ROOT, serve_page, start_chromium

TARGET = ROOT / "docs" / "screenshots"
LOCALES = {"en": "en-US", "zh": "zh-CN"}
WIDTH, MAX_COLOURS, MAX_BYTES = 1280, 256, 200_000
ANSWER_MS = 20_000
EXAMPLE = 0
CHATS = {
    "en": ("Can I pay with PayPal?", "refund", "I haven't got the money for the shoes I sent back"),
    "zh": ("运费多少钱？", "退款", "钱什么时候能退回来？"),
}
"""An answer with its source, a question that is too short and asked back, and one to look into."""
INTERESTS = {"en": "something for tea lovers", "zh": "给喜欢喝茶的人"}


def main(run: Path) -> None:
    """The pictures of an app, one a language and place."""
    app = load_bundle(run).manifest.app
    draw, height = DRAWERS[app]
    TARGET.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serve_page(run, Path(folder) / "store.sqlite", app) as url,
    ):
        browser = start_chromium(playwright)
        for language, locale in LOCALES.items():
            page = browser.new_page(locale=locale, viewport=ViewportSize(width=WIDTH, height=height))
            page.set_default_timeout(ANSWER_MS)
            page.goto(url)
            draw(page, language)
            page.close()
        browser.close()


def draw_medical_imaging(page: Page, language: str) -> None:
    """A drawn melanoma, answered."""
    page.locator("#examples button").nth(EXAMPLE).click()
    page.wait_for_selector("#answer .verdict >> visible=true")
    keep(page, f"medical_imaging_{language}")


def draw_customer_service(page: Page, language: str) -> None:
    """The chat, and what the team sees of its last message."""
    page.wait_for_selector("#chat-log .choice >> visible=true")
    answered, asked_back, looked_into = CHATS[language]
    say(page, answered)
    say(page, asked_back)
    keep(page, f"customer_service_{language}")
    say(page, looked_into)
    page.get_by_role("tab").nth(1).click()
    page.wait_for_selector("#insight .bars >> visible=true")
    keep(page, f"customer_service_team_{language}")


def say(page: Page, text: str) -> None:
    """Sends a message and waits for the whole reply."""
    lines = page.locator("#chat-log [role=log] .line").count()
    page.locator("#composer textarea").fill(text)
    page.locator("#composer textarea").press("Enter")
    expect(page.locator("#chat-log [role=log] .line")).to_have_count(lines + 2, timeout=ANSWER_MS)
    expect(page.locator("#chat-live .line")).to_have_count(0)


def keep(page: Page, name: str) -> None:
    """The picture of the page, once it stands still."""
    page.wait_for_timeout(1000)
    page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
    target = TARGET / f"{name}.png"
    page.screenshot(path=target)
    if target.stat().st_size > MAX_BYTES:
        shrink(target)


def shrink(path: Path) -> None:
    """Fewer colours: a quarter of the size, and no difference to see."""
    picture = Image.open(path).convert("RGB")
    picture.quantize(MAX_COLOURS, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def draw_recommender(page: Page, language: str) -> None:
    """Somebody new who says what they look for and likes one thing; then what the team sees."""
    page.wait_for_selector("#grid .item")
    page.locator("#who [data-mode=new]").click()
    page.locator("#who textarea").fill(INTERESTS[language])
    page.locator("#who [data-act=interests]").click()
    page.wait_for_selector("#grid .sources >> visible=true")
    expect(page.locator("#grid .sources")).to_contain_text(INTERESTS[language], use_inner_text=True)
    page.locator("#grid [data-act=like]").nth(1).click()
    page.wait_for_selector("#grid .deed")
    page.mouse.move(0, 0)
    keep(page, f"recommender_{language}")
    page.get_by_role("tab").last.click()
    page.wait_for_selector("#plots img")
    keep(page, f"recommender_model_{language}")


DRAWERS: Mapping[str, tuple[Callable[[Page, str], None], int]] = {
    "medical_imaging": (draw_medical_imaging, 1010),
    "customer_service": (draw_customer_service, 960),
    "recommender": (draw_recommender, 1010),
}
"""What draws the pictures of an app, and how high they are in px."""

if __name__ == "__main__":
    main(Path(sys.argv[1]))
