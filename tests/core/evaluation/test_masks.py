"""Outlines give the mask back when filled; components and boxes are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageChops, ImageDraw

from core.evaluation.location import dice, iou, is_pointing_hit
from core.evaluation.masks import label_components, largest_components, mask_box, mask_outlines

from .simulated import STEADY

ROW, COLUMN = np.mgrid[:96, :96] + 0.5
FROM_CENTRE = np.hypot(COLUMN - 50, ROW - 46)
SHAPES = {
    "circle": FROM_CENTRE < 35,
    "ring": (FROM_CENTRE < 35) & (FROM_CENTRE > 14),
    "at the border": np.hypot(COLUMN, ROW - 10) < 30,
    "several": np.sin(COLUMN / 8) * np.sin(ROW / 8) > 0.3,
    "star": FROM_CENTRE - 6 * np.sin(5 * np.arctan2(ROW - 46, COLUMN - 50)) < 30,
    "everything": np.ones((96, 96), bool),
    "wide": np.hypot((COLUMN - 48) / 4, ROW - 48)[20:70] < 10,
}


def fill(outlines, shape, zoom=8):
    """Even-odd filling of the outlines, looked up at the middle of every pixel."""
    height, width = shape
    canvas = Image.new("1", (width * zoom, height * zoom))
    for outline in outlines:
        layer = Image.new("1", canvas.size)
        corners = [(x * width * zoom - 0.5, y * height * zoom - 0.5) for x, y in outline]
        ImageDraw.Draw(layer).polygon(corners, fill=1)
        canvas = ImageChops.logical_xor(canvas, layer)
    return np.asarray(canvas)[zoom // 2 :: zoom, zoom // 2 :: zoom]


def signed_area(outline):
    x, y = np.array(outline).T
    return np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2


@pytest.mark.parametrize("name", SHAPES)
def test_outlines_filled_give_the_mask_back(name):
    mask = SHAPES[name]
    outlines = mask_outlines(mask)
    assert iou(fill(outlines, mask.shape), mask) > 0.96
    assert all(3 <= len(outline) <= 64 for outline in outlines)
    assert all(0 <= value <= 1 for outline in outlines for point in outline for value in point)


def test_ring_has_a_border_and_a_hole_that_turn_against_each_other():
    outer, hole = mask_outlines(SHAPES["ring"])
    assert signed_area(outer) > 0 > signed_area(hole)


def test_outlines_keep_to_the_number_of_points():
    assert len(mask_outlines(SHAPES["star"], max_points=10)[0]) == 10


def test_single_pixel_empty_mask_and_touching_corners():
    mask = np.zeros((4, 4), bool)
    assert mask_outlines(mask) == ()
    assert mask_box(mask) is None
    mask[1, 1] = True
    assert mask_outlines(mask) == (((0.375, 0.25), (0.5, 0.375), (0.375, 0.5), (0.25, 0.375)),)
    mask[2, 2] = True
    assert len(mask_outlines(mask)) == 2 == label_components(mask).max()


@STEADY
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_outlines_that_are_not_thinned_give_any_mask_back_exactly(mask):
    outlines = mask_outlines(mask, max_points=1000, tolerance_px=0)
    assert sum(signed_area(outline) > 0 for outline in outlines) == label_components(mask).max()
    np.testing.assert_array_equal(fill(outlines, mask.shape), mask)


@STEADY
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_thinned_outlines_change_only_pixels_at_a_border(mask):
    changed = fill(mask_outlines(mask, max_points=1000), mask.shape) != mask
    around = np.lib.stride_tricks.sliding_window_view(np.pad(mask, 1), (3, 3))
    assert not (changed & (around.all(axis=(2, 3)) | ~around.any(axis=(2, 3)))).any()


@STEADY
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_components_are_closed_under_neighbourhood_and_sorted_by_size(mask):
    labels = label_components(mask)
    assert ((labels > 0) == mask).all()
    for first, second in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        both = (first > 0) & (second > 0)
        assert (first[both] == second[both]).all()
    sizes = np.bincount(labels.ravel())[1:]
    assert (np.diff(sizes) <= 0).all()
    assert (sizes > 0).all()


def test_components_of_a_snake_are_one():
    mask = np.zeros((9, 9), bool)
    mask[::2] = True
    mask[1::4, -1] = True
    mask[3::4, 0] = True
    assert label_components(mask).max() == 1


def test_largest_components_drop_the_small_ones():
    mask = np.zeros((10, 10), bool)
    mask[:4, :4], mask[6:8, 6:8], mask[9, 0] = True, True, True
    assert largest_components(mask).sum() == 16
    assert largest_components(mask, 3).sum() == 21
    assert largest_components(mask, 3, min_share=0.2).sum() == 20
    assert largest_components(np.zeros((3, 3), bool)).sum() == 0


def test_box_is_in_fractions():
    mask = np.zeros((10, 20), bool)
    mask[2:5, 4:10] = True
    assert mask_box(mask) == (0.2, 0.2, 0.5, 0.5)


def test_overlaps_of_a_case_worked_by_hand():
    first, second, empty = np.array([[1, 1, 0]], bool), np.array([[0, 1, 1]], bool), np.zeros((1, 3), bool)
    assert (iou(first, second), dice(first, second)) == (pytest.approx(1 / 3), 0.5)
    assert (iou(empty, empty), dice(empty, empty), iou(first, empty)) == (1, 1, 0)


def test_pointing_game_allows_for_its_tolerance():
    heat, mask = np.zeros((5, 5)), np.zeros((100, 100), bool)
    heat[2, 2] = 1  # its middle is at (50, 50)
    mask[53:60, 45:55] = True
    assert is_pointing_hit(heat, mask, tolerance=0.03)
    assert not is_pointing_hit(heat, mask, tolerance=0.02)
    assert not is_pointing_hit(np.ones((5, 5)), mask)
    assert not is_pointing_hit(heat, np.zeros((100, 100), bool))
