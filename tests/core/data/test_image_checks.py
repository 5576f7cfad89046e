"""Duplicates, look-alikes and leaked groups are found; plain images do not all look alike."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from core.data.image_checks import (
    Checked,
    check_leakage,
    find_exact_duplicates,
    find_near_duplicates,
)
from core.data.image_decode import difference_hash
from core.data.image_files import read_image, to_square
from core.data.module import SplitName
from core.data.report import DataReport, DuplicatePair, Duplicates
from core.data.split import find_leaked_groups
from core.errors import UserError
from tests.core.data.conftest import draw_pixels

T, V, S = "train", "validation", "test"


def checked(images: Sequence[Image.Image], splits: Sequence[SplitName]) -> Checked:
    pixels = np.stack([to_square(image, 32) for image in images])
    hashes = [difference_hash(square) for square in pixels]
    digests = np.unique(pixels.reshape(len(pixels), -1), axis=0, return_inverse=True)[1]
    return Checked(
        [f"{number}.png" for number in range(len(images))],
        splits,
        np.repeat(digests.reshape(-1, 1).astype(np.uint8), 16, axis=1),
        np.array([bits for bits, _ in hashes], np.uint64),
        np.array([plain for _, plain in hashes]),
        pixels,
        np.arange(len(images)),
    )


def recompressed(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.resize((image.width * 2, image.height * 2)).save(buffer, "JPEG", quality=60)
    return read_image(buffer.getvalue())


def test_find_exact_duplicates_tells_within_from_across() -> None:
    one, two, three = (Image.fromarray(draw_pixels(number)) for number in range(3))
    images = checked([one, one, two, two, two, three], [T, T, T, S, V, S])
    within, across = find_exact_duplicates(images)
    assert (within.count, across.count) == (1, 3)
    assert within.pairs[0] == DuplicatePair(first="0.png", first_split=T, second="1.png", second_split=T)
    assert {(pair.first, pair.second) for pair in across.pairs} == {
        ("2.png", "3.png"),
        ("2.png", "4.png"),
        ("3.png", "4.png"),
    }


def test_find_near_duplicates_finds_a_recompressed_image() -> None:
    pictures = [Image.fromarray(draw_pixels(number)) for number in range(20)]
    images = checked([*pictures, recompressed(pictures[4])], [T] * 20 + [S])
    found = find_near_duplicates(images, 3)
    assert [(pair.first, pair.second) for pair in found.pairs] == [("4.png", "20.png")]
    assert found.pairs[0].bits <= 3


def test_find_near_duplicates_does_not_look_inside_a_split_nor_repeat_exact_ones() -> None:
    one = Image.fromarray(draw_pixels(1))
    assert find_near_duplicates(checked([one, recompressed(one)], [T, T]), 3).count == 0
    assert find_near_duplicates(checked([one, one], [T, S]), 3).count == 0


@pytest.mark.parametrize("noise", [0, 2, 5])
def test_find_near_duplicates_leaves_plain_images_out(noise: int) -> None:
    draws = np.random.default_rng(0)
    plain = [
        Image.fromarray((draws.integers(0, noise + 1, (40, 40, 3)) + 10 * number).astype(np.uint8))
        for number in range(20)
    ]
    assert find_near_duplicates(checked(plain, [T, S] * 10), 3).count == 0


def test_find_near_duplicates_tells_dark_blobs_apart() -> None:
    y, x = np.mgrid[:96, :96]
    blobs = []
    for number in range(30):
        wide, high = np.random.default_rng(number).uniform(8, 30, 2)
        inside = ((x - 48) / wide) ** 2 + ((y - 48) / high) ** 2 < 1
        blobs.append(
            Image.fromarray(np.where(inside, 60, 200 - np.hypot(x - 48, y - 48) / 2).astype(np.uint8)).convert("RGB")
        )
    images = checked(blobs, [T, S] * 15)
    assert find_near_duplicates(images, 3).count < 15


def test_find_near_duplicates_of_many_images_is_exact() -> None:
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 256, (600, 32, 32, 3), dtype=np.uint8)
    dhashes = draws.integers(0, 2**63, 600, dtype=np.uint64)
    dhashes[599] = dhashes[3] ^ np.uint64(0b101)
    pixels[599] = pixels[3]
    hashes = draws.integers(0, 256, (600, 16), dtype=np.uint8)
    splits: list[SplitName] = ["train"] * 500 + ["test"] * 100
    names = [str(number) for number in range(600)]
    found = find_near_duplicates(
        Checked(names, splits, hashes, dhashes, np.zeros(600, bool), pixels, np.arange(600)), 2
    )
    assert [(pair.first, pair.second, pair.bits) for pair in found.pairs] == [("3", "599", 2)]


def test_find_leaked_groups_names_groups_in_two_splits() -> None:
    assert find_leaked_groups(["p", "p", "q", None, None, "r"], [T, S, T, T, S, V]) == ["p"]


@pytest.mark.parametrize(
    ("report", "name"),
    [
        (DataReport(source="x", leaked_groups=("p7",), leaked_group_count=1), "p7"),
        (
            DataReport(
                source="x",
                exact_duplicates_across=Duplicates(
                    count=1, pairs=(DuplicatePair(first="a.png", first_split=T, second="b.png", second_split=S),)
                ),
            ),
            "a.png",
        ),
    ],
)
def test_check_leakage_names_the_first_and_the_way_out(report: DataReport, name: str) -> None:
    with pytest.raises(UserError) as caught:
        check_leakage(report)
    assert name in caught.value.what
    assert "allow-leakage" in caught.value.fix
    assert report.has_leakage


def test_check_leakage_of_clean_report_passes() -> None:
    check_leakage(DataReport(source="x"))
