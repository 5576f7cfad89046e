"""An image with its overlays: stacked in the browser, so that opacity and choice act at once, without the server."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.tasks.image_answer import Region
from core.texts import Text
from core.ui.translations import inline

MAX_SIDE_PX = 1400
"""Longer sides are scaled down for display; the model and the store get the original."""
MAP_PX = 256
STRONGEST_ALPHA, MASK_ALPHA = 235, 90
HEAT_STOPS = np.array([[0, 60, 160], [0, 190, 230], [255, 240, 90]], np.float32)
"""Blue, cyan, yellow: far from every colour of skin, and ordered by lightness for readers who see no hues."""
MASK_COLOUR = (0, 200, 235)

OVERLAY = Text("Overlay", "叠加显示")
NONE = Text("Original only", "仅原图")
MASK = Text("Lesion mask", "病灶掩膜")
HEAT_MAP = Text("Evidence map", "依据热力图")
OPACITY = Text("Opacity", "不透明度")
LESS, MORE = Text("less evidence", "依据较弱"), Text("more evidence", "依据较强")
DISPLAYED = Text("the image that is read", "所阅图像")


@dataclass(frozen=True)
class Overlay:
    """A map over the whole image.

    Args:
        kind: A mask is filled, evidence is coloured by strength.
        values: (h, w) in [0, 1].
    """

    kind: Literal["mask", "heat_map"]
    values: npt.NDArray[np.floating[Any]]


def render_viewer(image: Image.Image, overlays: Sequence[Overlay], region: Region | None) -> str:
    """The image with a choice of overlays, a slider for their opacity, and the outline.

    Args:
        image: RGB.
        overlays: The first is shown first; none = only the image.
        region: Its outlines are drawn whenever the overlay that they were taken from is shown.
    """
    shown = image.copy()
    shown.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    layers = [_photo(shown)]
    for overlay in overlays:
        is_source = region is not None and region.basis == overlay.kind
        outline = _outline(region) if region is not None and is_source else ""
        picture = f'<img alt="" src="{_data_uri(paint(overlay), "PNG")}">'
        layers.append(f'<div class="layer {overlay.kind}">{picture}{outline}</div>')
    controls = _controls(overlays) if overlays else ""
    ratio = f"{shown.width / shown.height:.4f}"
    return f'<div class="viewer"><div class="stage" style="--ratio:{ratio}">{"".join(layers)}</div>{controls}</div>'


def paint(overlay: Overlay) -> Image.Image:
    """An overlay as a picture with transparency."""
    small = Image.fromarray(np.ascontiguousarray(overlay.values, np.float32))
    values = np.clip(np.asarray(small.resize((MAP_PX, MAP_PX), Image.Resampling.BICUBIC)), 0, 1)
    rgba = np.zeros((MAP_PX, MAP_PX, 4), np.uint8)
    if overlay.kind == "mask":
        rgba[..., :3] = MASK_COLOUR
        rgba[..., 3] = np.where(values >= 0.5, MASK_ALPHA, 0)
    else:
        stops = np.linspace(0, 1, len(HEAT_STOPS))
        for channel in range(3):
            rgba[..., channel] = np.interp(values, stops, HEAT_STOPS[:, channel])
        rgba[..., 3] = STRONGEST_ALPHA * np.sqrt(values)
    return Image.fromarray(rgba)


def thumbnail_uri(image: Image.Image, side_px: int) -> str:
    """A small copy of an image as a data address."""
    small = image.copy()
    small.thumbnail((side_px, side_px))
    return _data_uri(small, "JPEG")


def _photo(image: Image.Image) -> str:
    words = f'<span class="hidden-words">{inline(DISPLAYED)}</span>'
    return f'<img class="photo" alt="" src="{_data_uri(image, "JPEG")}">{words}'


def _outline(region: Region) -> str:
    polygons = "".join(
        f'<polygon points="{" ".join(f"{x:.4f},{y:.4f}" for x, y in outline)}"/>' for outline in region.outlines
    )
    drawn = f'<g class="casing">{polygons}</g><g class="line">{polygons}</g>'
    return f'<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'


def _controls(overlays: Sequence[Overlay]) -> str:
    names = {"mask": MASK, "heat_map": HEAT_MAP}
    choices = [(overlay.kind, names[overlay.kind]) for overlay in overlays] + [("none", NONE)]
    radios = "".join(
        f'<label><input type="radio" name="overlay" value="{escape(kind)}"{" checked" if not number else ""}>'
        f"<span>{inline(name)}</span></label>"
        for number, (kind, name) in enumerate(choices)
    )
    slider = '<input type="range" min="0" max="100" value="50" class="opacity">'
    legend = f'<div class="legend">{inline(LESS)}<span class="ramp" aria-hidden="true"></span>{inline(MORE)}</div>'
    return (
        f'<div class="controls"><fieldset><legend class="hidden-words">{inline(OVERLAY)}</legend>{radios}</fieldset>'
        f'<label class="slider"><span>{inline(OPACITY)}</span>{slider}</label>{legend}</div>'
    )


def _data_uri(image: Image.Image, image_format: Literal["PNG", "JPEG"]) -> str:
    stream = io.BytesIO()
    image.save(stream, image_format, quality=92)
    return f"data:image/{image_format.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
