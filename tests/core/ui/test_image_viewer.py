"""Overlays: what is shown, and where nothing is to be seen."""

import numpy as np
from PIL import Image

from core.tasks.image_answer import Region
from core.ui.image_viewer import MAP_PX, Overlay, paint, render_viewer

TRIANGLE = (((0.1, 0.2), (0.9, 0.2), (0.5, 0.8)),)
REGION = Region(outlines=TRIANGLE, box=(0.1, 0.2, 0.9, 0.8), area=0.24, basis="mask")


def test_no_evidence_is_transparent() -> None:
    values = np.zeros((8, 8), np.float32)
    values[:, 4:] = 1
    alpha = np.asarray(paint(Overlay("heat_map", values)))[..., 3]
    assert alpha.shape == (MAP_PX, MAP_PX)
    assert alpha[:, :32].max() == 0
    assert alpha[:, -32:].min() > 200


def test_mask_is_filled_from_one_half() -> None:
    values = np.full((4, 4), 0.49, np.float32)
    assert np.asarray(paint(Overlay("mask", values)))[..., 3].max() == 0
    assert np.asarray(paint(Overlay("mask", values + 0.02)))[..., 3].min() > 0


def test_outline_belongs_to_the_overlay_it_was_taken_from() -> None:
    maps = [Overlay(kind, np.ones((4, 4), np.float32)) for kind in ("mask", "heat_map")]  # type: ignore[arg-type]
    html = render_viewer(Image.new("RGB", (30, 20)), maps, REGION)
    mask, heat_map = html.split('<div class="layer heat_map">')
    assert "0.1000,0.2000" in mask
    assert "<polygon" not in heat_map
    assert "--ratio:1.5000" in html


def test_without_overlays_there_is_nothing_to_choose() -> None:
    html = render_viewer(Image.new("RGB", (30, 20)), [], REGION)
    assert "<input" not in html
    assert "<polygon" not in html
