"""The medical page as a reader uses it, in a real browser."""

import csv
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Seen, Served

pytestmark = pytest.mark.browser
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
Open = Callable[..., Seen]


def visible_text(page: Page, selector: str) -> str:
    return page.locator(selector).inner_text()


def upload(page: Page, path: Path) -> None:
    page.locator("#drop input[type=file]").set_input_files(path)


def expect_text(page: Page, selector: str, text: str) -> None:
    expect(page.locator(selector)).to_contain_text(text, use_inner_text=True, timeout=20_000)


def choose(page: Page, selector: str, option: str) -> None:
    page.locator(f"{selector} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def saved_rows(store: Path) -> list[sqlite3.Row]:
    with sqlite3.connect(store) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute("select * from feedback order by id").fetchall()


def test_upload_answers_then_correction_is_saved_and_listed(
    open_page: Open, served: Served, files: dict[str, Path]
) -> None:
    page = open_page().page
    upload(page, files["good"])
    expect_text(page, "#answer .verdict >> visible=true", "Most likely")
    expect_text(page, "#answer", "sensitivity")
    expect_text(page, "#answer", "none given; the image alone was read")
    assert page.locator("#viewer .photo").is_visible()
    page.locator("#save").click()
    expect_text(page, "#saved", "Choose your label first")
    choose(page, "#own-label", "nevus")
    page.locator("#comment textarea").fill("=1+1 <b>bold</b>")
    page.locator("#save").click()
    expect_text(page, "#saved", "Saved as reading number")
    row = saved_rows(served.store)[-1]
    assert (row["label"], row["comment"], row["input_name"]) == ("nevus", "=1+1 <b>bold</b>", "lesion.png")
    assert row["input_content"].startswith(b"\x89PNG")
    page.get_by_role("tab", name="Readings").click()
    expect_text(page, "#readings", "=1+1 <b>bold</b>")


def test_opacity_and_overlay_change_without_the_server(open_page: Open, files: dict[str, Path]) -> None:
    page = open_page().page
    upload(page, files["good"])
    page.wait_for_selector("#viewer .opacity")
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url) if "queue" in request.url else None)
    page.locator("#viewer .opacity").fill("20")
    shown = page.locator("#viewer .layer >> visible=true").locator("img")
    assert shown.evaluate("image => getComputedStyle(image).opacity") == "0.2"
    page.locator("#viewer label", has_text="Original only").click()
    expect(page.locator("#viewer .layer >> visible=true")).to_have_count(0)
    assert not calls


def test_what_is_entered_about_a_patient_is_read_and_forgotten_with_the_image(
    open_page: Open, files: dict[str, Path]
) -> None:
    page = open_page().page
    upload(page, files["good"])
    expect_text(page, "#answer", "none given")
    choose(page, "#metadata-sex", "female")
    expect_text(page, "#answer .facts >> visible=true", "female")
    page.locator("#examples button").first.click()
    expect_text(page, "#answer", "none given")


@pytest.mark.parametrize("kind", ["dicom", "bare_dicom"])
def test_dicom_is_shown_and_answered_without_its_patient(kind: str, open_page: Open, files: dict[str, Path]) -> None:
    page = open_page().page
    upload(page, files[kind])
    expect_text(page, "#answer .verdict >> visible=true", "Most likely")
    assert page.locator("#viewer .photo").evaluate("image => image.naturalWidth") == 160
    assert "Secret" not in page.content()


@pytest.mark.parametrize(("kind", "reason"), [("blurred", "blurred"), ("black", "too dark")])
def test_unusable_image_is_refused_without_a_ranking(
    kind: str, reason: str, open_page: Open, files: dict[str, Path]
) -> None:
    page = open_page().page
    upload(page, files[kind])
    expect_text(page, "#answer", "Cannot assess this image")
    expect_text(page, "#answer", reason)
    bars = page.locator("#answer .bars >> visible=true")
    expect(bars).to_have_count(0)
    expect(page.locator("#viewer .layer")).to_have_count(0)
    page.locator("#answer summary >> visible=true").click()
    expect(bars).to_have_count(1)


def test_file_that_cannot_be_read_says_why(open_page: Open, files: dict[str, Path]) -> None:
    page = open_page().page
    upload(page, files["broken"])
    expect_text(page, "#answer", "This file cannot be read")
    expect(page.locator("#save")).to_be_hidden()


def test_batch_goes_on_after_a_broken_file(open_page: Open, files: dict[str, Path], tmp_path: Path) -> None:
    page = open_page().page
    page.get_by_role("tab", name="Several").click()
    chosen = [files[kind] for kind in ("good", "broken", "black", "dicom")]
    page.locator("#batch-files input[type=file]").set_input_files(chosen)
    page.wait_for_timeout(500)
    page.locator("#batch-start").click()
    expect_text(page, "#batch-progress", "4 of 4 read")
    expect_text(page, "#batch-table", "cannot assess")
    with page.expect_download() as download:
        page.locator("#batch-download").click()
    target = tmp_path / "readings.csv"
    download.value.save_as(target)
    with target.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file"] for row in rows] == ["lesion.png", "broken.jpg", "black.png", "lesion.dcm"]
    assert [bool(row["error"]) for row in rows] == [False, True, False, False]
    assert rows[2]["decision"] == "refused"
    assert rows[2]["label"] == ""
    assert 0 < float(rows[0]["probability"]) <= 1


def test_chinese_browser_gets_a_chinese_page(open_page: Open, files: dict[str, Path]) -> None:
    page = open_page(locale="zh-CN").page
    expect(page).to_have_title("皮肤病灶阅片助手")
    expect_text(page, "#page-notice", "非医疗器械")
    expect_text(page, "#drop", "点击上传")
    upload(page, files["good"])
    expect_text(page, "#answer", "最可能")
    for tab in range(4):
        page.get_by_role("tab").nth(tab).click()
        shown = visible_text(page, ".gradio-container")
        for english in ("Known limits", "Your own", "Save", "probability", "No reading", "Bundle", "Read all"):
            assert english not in shown


def test_switch_changes_the_language_and_is_remembered(open_page: Open) -> None:
    page = open_page().page
    page.get_by_role("link", name="中文").click()
    expect_text(page, "#page-header h1", "皮肤病灶阅片助手")
    page.goto(page.url.split("?")[0])
    expect_text(page, "#page-header h1", "皮肤病灶阅片助手")
    expect_text(page, "#drop", "点击上传")


def test_nasty_file_name_stays_inert(open_page: Open, files: dict[str, Path]) -> None:
    page = open_page().page
    upload(page, files["nasty"])
    expect_text(page, "#answer .verdict >> visible=true", "Most likely")
    choose(page, "#own-label", "other")
    page.locator("#save").click()
    expect_text(page, "#saved", "Saved as reading number")
    page.get_by_role("tab", name="Readings").click()
    page.wait_for_timeout(500)
    assert page.locator("img[src=x]").count() == 0


def test_pasted_image_is_read(open_page: Open) -> None:
    page = open_page().page
    page.evaluate(
        """async () => {
          const image = await (await fetch(document.querySelector('#examples img').src)).blob();
          const data = new DataTransfer();
          data.items.add(new File([image], 'pasted.png', {type: 'image/png'}));
          document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}));
        }"""
    )
    expect_text(page, "#answer .verdict >> visible=true", "Most likely")
    expect_text(page, "#drop", "pasted")


def test_notice_stays_in_sight_and_cannot_be_closed(open_page: Open) -> None:
    page = open_page(width=390).page
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#page-notice")).to_be_in_viewport()
    expect(page.locator("#page-notice button")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_contrast_enough(dark: bool, open_page: Open, files: dict[str, Path]) -> None:
    page = open_page(dark=dark).page
    upload(page, files["good"])
    expect_text(page, "#answer .verdict >> visible=true", "Most likely")
    page.wait_for_timeout(1000)
    for tab in range(4):
        page.get_by_role("tab").nth(tab).click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(1500)
        assert page.evaluate(CONTRAST) == {}


def test_model_tab_shows_figures_and_plots(open_page: Open) -> None:
    page = open_page().page
    page.get_by_role("tab", name="Model").click()
    expect_text(page, "#model", "Balanced accuracy")
    expect_text(page, "#model", "Bundle")
    expect(page.locator("#plots img").first).to_be_visible(timeout=20_000)
