"""Makes the pictures in docs/screenshots anew: `python -m tests.browser.screenshots RUN`; drawn sample images only."""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.chromium import ROOT, serve_page, start_chromium

TARGET = ROOT / "docs" / "screenshots"
LOCALES = {"en": "en-US", "zh": "zh-CN"}
VIEWPORT = {"width": 1280, "height": 1010}
COLOURS = 256
EXAMPLE = 0


def main(run: Path) -> None:
    """One picture a language: a drawn melanoma, answered."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        serve_page(run, Path(folder) / "store.sqlite") as url,
    ):
        browser = start_chromium(playwright)
        for language, locale in LOCALES.items():
            page = browser.new_page(locale=locale, viewport=VIEWPORT)
            page.goto(url)
            page.locator("#examples button").nth(EXAMPLE).click()
            page.wait_for_selector("#answer .verdict >> visible=true")
            page.wait_for_timeout(1000)
            page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
            target = TARGET / f"medical_imaging_{language}.png"
            page.screenshot(path=target)
            shrink(target)
            page.close()
        browser.close()


def shrink(path: Path) -> None:
    """Fewer colours: a quarter of the size, and no difference to see."""
    picture = Image.open(path).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
