"""How good the answers about images are: labels, decisions, and places.

Shapes: N examples, H = W = image_px, K labels, h and w of a coarser map.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.data.module import Example
from core.evaluation.classification import classification_metrics
from core.evaluation.decision import DecisionPolicy
from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.location import dice, iou, is_pointing_hit
from core.evaluation.uncertainty import Estimate, bootstrap_mean
from core.tasks.image_decode import MASK_THRESHOLD, enlarge_all, quality_refusals
from core.tasks.image_schema import ImageSchema
from core.tasks.task import Arrays

CHUNK = 256
AGE_BANDS = (30, 50, 70)


def evaluate_images(
    outputs: Arrays,
    arrays: Arrays,
    schema: ImageSchema,
    policy: DecisionPolicy | None,
    examples: Sequence[Example],
    *,
    resamples: int,
) -> Evaluation:
    """Label metrics, and where there are masks, mask and pointing metrics; see `Task.evaluate`."""
    groups = [example.get("group") for example in examples] if examples else None
    if policy is None:
        metrics = classification_metrics(
            outputs["probabilities"], arrays["label"], schema.labels, resamples=resamples, seed=0, groups=groups
        )
        evaluation = Evaluation(metrics)
    else:
        from core.evaluation.classification_report import evaluate_classification

        evaluation = evaluate_classification(
            outputs["probabilities"],
            arrays["label"],
            schema.labels,
            policy=policy,
            novelty=outputs["novelty"],
            refusals=quality_refusals(arrays["image"], schema),
            groups=groups,
            subgroups=_subgroups(examples),
            resamples=resamples,
            seed=0,
        )
    return _with_location(evaluation, outputs, arrays, schema, groups, resamples)


def _subgroups(examples: Sequence[Example]) -> dict[str, list[str | None]]:
    """Columns worth a table of their own: age band, sex, site."""
    columns = {
        "age": [_age_band(example.get("age")) for example in examples],
        "sex": [example.get("sex") for example in examples],
        "site": [example.get("site") for example in examples],
    }
    return {name: column for name, column in columns.items() if len({value for value in column if value}) > 1}


def _age_band(age: float | None) -> str | None:
    if age is None:
        return None
    edges = (0, *AGE_BANDS)
    band = int(np.searchsorted(AGE_BANDS, age, side="right"))
    return f"{edges[band]} to {AGE_BANDS[band] - 1}" if band < len(AGE_BANDS) else f"{AGE_BANDS[-1]} and more"


def _with_location(
    evaluation: Evaluation,
    outputs: Arrays,
    arrays: Arrays,
    schema: ImageSchema,
    groups: Sequence[object] | None,
    resamples: int,
) -> Evaluation:
    """Adds IoU and Dice of the masks, and how often the strongest evidence lies in the lesion."""
    if "has_mask" not in arrays:
        return evaluation
    # An empty mask says that there is nothing to find: overlap with nothing is not defined.
    rows = np.flatnonzero((arrays["has_mask"] > 0) & arrays["mask"].any(axis=(1, 2)))
    if len(rows) == 0:
        return evaluation
    found: dict[str, npt.NDArray[np.float64]] = {}
    if "mask" in outputs:
        found["mask_iou"], found["mask_dice"] = _overlaps(outputs["mask"], arrays["mask"], rows, schema.image_px)
    if "evidence" in outputs:
        hits = [is_pointing_hit(outputs["evidence"][r, arrays["label"][r]], arrays["mask"][r] > 0) for r in rows]
        found["pointing_game"] = np.asarray(hits, np.float64)
    of_rows = None if groups is None else [groups[int(row)] for row in rows]
    location = {name: _mean(values, of_rows, resamples) for name, values in found.items()}
    table = Table(
        ("metric", "examples", "value"), tuple((name, len(rows), estimate) for name, estimate in location.items())
    )
    return replace(
        evaluation,
        metrics={**evaluation.metrics, **location},
        tables={**evaluation.tables, "location": table},
    )


def _mean(values: npt.NDArray[np.float64], groups: Sequence[object] | None, resamples: int) -> Estimate:
    return bootstrap_mean(values, resamples=resamples, seed=0, groups=groups)


def _overlaps(
    mask_Nhw: npt.NDArray[np.float32], true_NHW: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], side: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """IoU and Dice of each row at training size, a few at a time."""
    overlaps, dices = [], []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        predicted = enlarge_all(mask_Nhw[chunk], side) >= MASK_THRESHOLD
        for one, row in zip(predicted, chunk, strict=True):
            overlaps.append(iou(one, true_NHW[row] > 0))
            dices.append(dice(one, true_NHW[row] > 0))
    return np.asarray(overlaps), np.asarray(dices)
