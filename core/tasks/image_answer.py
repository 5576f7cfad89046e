"""The typed answer for one image: is there a lesion, of which type, where, and may one rely on it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from core.evaluation.decision import Verdict


@dataclass(frozen=True)
class Presence:
    """Is there a lesion; `present` is None where the training data could not teach it."""

    present: bool | None
    probability: float | None
    basis: Literal["normal_label", "mask", "not_judged"]


@dataclass(frozen=True)
class Alarm:
    """The operating point applied: do the labels that must not be missed reach their threshold?"""

    labels: tuple[str, ...]
    probability: float
    threshold: float
    flagged: bool
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Region:
    """Where: one or more closed outlines and their box, in fractions of width and height.

    Args:
        outlines: Polygons of (x, y).
        box: (xmin, ymin, xmax, ymax).
        area: Share of the image, in [0, 1].
        basis: A trained mask, or the class activation map of the first label at half its maximum.
    """

    outlines: tuple[tuple[tuple[float, float], ...], ...]
    box: tuple[float, float, float, float]
    area: float
    basis: Literal["mask", "heat_map"]


@dataclass(frozen=True)
class ImageAnswer:
    """Everything the suite says about one image.

    Args:
        verdict: Answered, unsure or refused, with reasons and the prediction set.
        ranking: (label, calibrated probability), most probable first.
        presence: Is there a lesion.
        alarm: The operating point; None where there are no positive labels.
        region: Where; None where nothing was found.
        heat_map: Evidence for the first label, (h, w) in [0, 1]; 0 = none or against.
        mask: Probability of lesion for each pixel, (h, w) in [0, 1]; None without a mask head.
    """

    verdict: Verdict
    ranking: tuple[tuple[str, float], ...]
    presence: Presence
    alarm: Alarm | None
    region: Region | None
    heat_map: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32] | None

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixel maps, JSON-ready; fractions and probabilities to four places."""
        record = {
            **self.verdict.to_json(),
            "label": self.ranking[0][0],
            "probability": self.ranking[0][1],
            "ranking": [{"label": label, "probability": probability} for label, probability in self.ranking],
            "presence": asdict(self.presence),
            "alarm": asdict(self.alarm) if self.alarm else None,
            "region": asdict(self.region) if self.region else None,
        }
        return cast(dict[str, Any], _rounded(record))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
