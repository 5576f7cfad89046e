"""Images are decoded once; a cache that is stale or damaged is made again; two processes may build at once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.image_files import read_image, to_square
from core.data.image_rows import ImageRow
from core.data.pixel_cache import PixelCache, load_pixels
from core.errors import UserError
from tests.core.data.conftest import ROOT, write_image


@pytest.fixture
def rows(tmp_path: Path) -> list[ImageRow]:
    files = [write_image(tmp_path / "set" / f"图 {number}.jpg", number) for number in range(40)]
    files[7].write_bytes(files[7].read_bytes()[:500])
    files[9].write_bytes(b"")
    return [ImageRow(path.name, path) for path in files]


def load(rows: list[ImageRow], tmp_path: Path, px: int = 24) -> tuple[PixelCache, list[tuple[int, int]]]:
    """The cache and the progress reported while it was made."""
    calls: list[tuple[int, int]] = []
    return load_pixels(rows, px, 50, tmp_path / "cache", lambda *call: calls.append(call)), calls


def test_load_pixels_gives_pixels_in_the_order_of_rows(rows: list[ImageRow], tmp_path: Path) -> None:
    cache, calls = load(rows, tmp_path)
    assert calls == [(number, 40) for number in range(1, 41)]
    assert cache.pixels.shape == (40, 24, 24, 3)
    for index in (0, 20, 39):
        assert np.array_equal(cache.pixels[index], to_square(read_image(tmp_path / "set" / rows[index].path), 24))
    assert [item.reason for item in cache.rejected] == ["truncated", "empty_file"]
    assert cache.facts["accepted"].sum() == 38
    assert not cache.pixels[7].any()


def test_load_pixels_second_time_does_not_decode(rows: list[ImageRow], tmp_path: Path) -> None:
    first, _ = load(rows, tmp_path)
    second, calls = load(rows, tmp_path)
    assert calls == []
    assert np.array_equal(first.pixels, second.pixels)
    assert first.rejected == second.rejected
    assert first.facts.tobytes() == second.facts.tobytes()
    assert not second.pixels.flags.writeable


def test_load_pixels_of_changed_file_or_size_decodes(rows: list[ImageRow], tmp_path: Path) -> None:
    load(rows, tmp_path)
    write_image(tmp_path / "set" / rows[7].path, 7)
    cache, calls = load(rows, tmp_path)
    assert calls
    assert cache.facts["accepted"].sum() == 39
    assert load(rows, tmp_path, px=16)[1]


def damage_index(folder: Path) -> None:
    (folder / "index.json").write_text("{")


def damage_size(folder: Path) -> None:
    (folder / "pixels.npy").write_bytes((folder / "pixels.npy").read_bytes()[:-5])


def damage_byte(folder: Path) -> None:
    data = bytearray((folder / "pixels.npy").read_bytes())
    data[5000] ^= 1
    (folder / "pixels.npy").write_bytes(data)


def damage_file(folder: Path) -> None:
    (folder / "facts.npy").unlink()


@pytest.mark.parametrize("damage", [damage_index, damage_size, damage_byte, damage_file])
def test_load_pixels_of_damaged_cache_decodes_again(damage, rows: list[ImageRow], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, _ = load(rows, tmp_path)
    expected = np.array(first.pixels)
    (folder,) = (tmp_path / "cache" / "images").iterdir()
    damage(folder)
    second, calls = load(rows, tmp_path)
    assert calls
    assert np.array_equal(second.pixels, expected)
    assert load(rows, tmp_path)[1] == []
    assert [path.name for path in (tmp_path / "cache" / "images").iterdir()] == [folder.name]


def test_load_pixels_interrupted_leaves_nothing(rows: list[ImageRow], tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_pixels(rows, 24, 50, tmp_path / "cache", stop)
    assert list((tmp_path / "cache" / "images").iterdir()) == []


def test_load_pixels_in_folder_that_cannot_be_written_is_refused(rows: list[ImageRow], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cache"):
        load_pixels(rows, 24, 50, tmp_path / "file" / "cache")


def test_load_pixels_by_several_processes_at_once_agrees(rows: list[ImageRow], tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from core.data.image_rows import ImageRow\n"
        "from core.data.pixel_cache import load_pixels\n"
        "rows = [ImageRow(p.name, p) for p in sorted(Path(sys.argv[1]).iterdir())]\n"
        "print(int(load_pixels(rows, 24, 50, Path(sys.argv[2])).pixels.astype(int).sum()))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "set"), str(tmp_path / "cache")]
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)]
    sums = {job.communicate()[0].strip() for job in jobs}
    assert len(sums) == 1
    assert int(sums.pop()) > 0
    assert len(list((tmp_path / "cache" / "images").iterdir())) == 1


@pytest.fixture
def masked(tmp_path: Path) -> list[ImageRow]:
    image = write_image(tmp_path / "a.png", 1)  # 48 x 40
    half = np.zeros((40, 48), np.uint8)
    half[:, :24] = 255
    Image.fromarray(half).save(tmp_path / "half.png")
    Image.fromarray(half[:, :20]).save(tmp_path / "narrow.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    return [
        ImageRow("mask", image, mask=tmp_path / "half.png"),
        ImageRow("none", image),
        ImageRow("box", image, boxes=((24, 0, 48, 20),)),
        ImageRow("outside", image, boxes=((50, 0, 60, 20),)),
        ImageRow("narrow", image, mask=tmp_path / "narrow.png"),
        ImageRow("bad", image, mask=tmp_path / "bad.png"),
        ImageRow("lost", image, mask=tmp_path / "lost.png"),
    ]


def test_load_pixels_reads_masks_and_fills_boxes(masked: list[ImageRow], tmp_path: Path) -> None:
    cache, _ = load(masked, tmp_path)
    slots = dict(zip([row.path for row in masked], cache.facts["mask_slot"].tolist(), strict=True))
    assert cache.facts["accepted"].all()
    assert [name for name, slot in slots.items() if slot >= 0] == ["mask", "box"]
    assert cache.masks[slots["mask"]][:, :12].all()
    assert cache.masks[slots["mask"]].sum() == 24 * 12
    assert cache.masks[slots["box"]][:12, 12:].all()
    assert cache.masks[slots["box"]].sum() == 12 * 12
    reasons = {item.path: item.reason for item in cache.rejected}
    assert reasons == {
        "mask outside": "corrupt", "mask narrow.png": "wrong_mode",
        "mask bad.png": "not_an_image", "mask lost.png": "missing",
    }  # fmt: skip
