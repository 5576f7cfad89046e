"""What browser tests share: the page served once, a browser that notes what it should not see, and files to upload."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from tests.browser.chromium import find_chromium, serve_page, start_chromium

TEXT_MS = 20_000


@dataclass
class Seen:
    """A page, and what must stay empty: errors in its console and requests that leave this machine."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Served:
    """The address of the page and the file of its store."""

    url: str
    store: Path


@pytest.fixture(scope="session")
def served(quick_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _serve(quick_bundle, tmp_path_factory, "medical_imaging")


@pytest.fixture(scope="session")
def served_support(support_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _serve(support_bundle, tmp_path_factory, "customer_service")


@pytest.fixture(scope="session")
def served_shop(shop_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _serve(shop_bundle, tmp_path_factory, "recommender")


def _serve(run: Path, folders: pytest.TempPathFactory, app: str) -> Iterator[Served]:
    if find_chromium() is None:
        pytest.skip("no Chromium (chromium, chromium-browser or google-chrome) is installed")
    store = folders.mktemp("store") / "store.sqlite"
    with serve_page(run, store, app) as url:
        yield Served(url, store)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def open_page(served: Served, chromium: Browser) -> Iterator[Callable[..., Seen]]:
    """Opens the medical page in a fresh browser: `open_page(locale="zh-CN")`."""
    with opened(served, chromium, "#examples button") as opening:
        yield opening


@pytest.fixture
def open_support(served_support: Served, chromium: Browser) -> Iterator[Callable[..., Seen]]:
    """Opens the page of customer service in a fresh browser."""
    with opened(served_support, chromium, "#chat-log .choice >> visible=true") as opening:
        yield opening


@pytest.fixture
def open_shop(served_shop: Served, chromium: Browser) -> Iterator[Callable[..., Seen]]:
    """Opens the page of the recommender in a fresh browser."""
    with opened(served_shop, chromium, "#grid .item") as opening:
        yield opening


@contextmanager
def opened(served: Served, chromium: Browser, ready: str) -> Iterator[Callable[..., Seen]]:
    """Opens pages; checks at the end what they must not have done.

    Args:
        served: The page.
        chromium: The browser.
        ready: Stands on the page when it can be used.
    """
    opened: list[Seen] = []

    def opening(query: str = "", locale: str = "en-US", width: int = 1280, dark: bool = False) -> Seen:
        viewport: ViewportSize = {"width": width, "height": 900}
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        seen = Seen(chromium.new_page(locale=locale, viewport=viewport, color_scheme=scheme))
        opened.append(seen)
        _watch(seen)
        seen.page.set_default_timeout(TEXT_MS)
        seen.page.goto(served.url + query)
        seen.page.wait_for_selector(ready)
        return seen

    yield opening
    for seen in opened:
        seen.page.close()
        assert not seen.errors
        assert not seen.outside
        assert not seen.dialogs


@pytest.fixture(scope="session")
def lesion() -> Image.Image:
    """A drawn lesion."""
    from apps.medical_imaging.sample.dataset import plan_rows, render_image

    return Image.fromarray(render_image(plan_rows(8, 11)[5], 160, 11)[0])


@pytest.fixture
def files(lesion: Image.Image, tmp_path: Path) -> dict[str, Path]:
    """Files to upload: good, blurred, black, broken, DICOM with and without an ending, and one with a nasty name."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    made = {
        "good": folder / "lesion.png",
        "blurred": folder / "blurred.png",
        "black": folder / "black.png",
        "broken": folder / "broken.jpg",
        "dicom": folder / "lesion.dcm",
        "bare_dicom": folder / "IM000001",
        "nasty": folder / "<img src=x onerror=alert(1)>.png",
    }
    lesion.save(made["good"])
    lesion.save(made["nasty"])
    lesion.filter(ImageFilter.GaussianBlur(9)).save(made["blurred"])
    Image.new("RGB", (160, 160)).save(made["black"])
    made["broken"].write_bytes(b"\xff\xd8\xff not an image")
    write_dicom(lesion, made["dicom"])
    write_dicom(lesion, made["bare_dicom"])
    return made


def write_dicom(image: Image.Image, path: Path) -> None:
    """A colour DICOM file that names a patient, whom nobody may see."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.PatientName = "Secret^Person"
    dataset.Rows, dataset.Columns = image.height, image.width
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = np.asarray(image).tobytes()
    dataset.save_as(path, enforce_file_format=True)


def _watch(seen: Seen) -> None:
    page = seen.page

    def is_outside(url: str) -> bool:
        return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:"))

    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", lambda request: seen.outside.append(request.url) if is_outside(request.url) else None)
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
