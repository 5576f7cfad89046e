"""Served outputs to typed answers about images.

Shapes: B batch, H = W = image_px, K labels, h and w of a coarser map.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data.image_quality import image_quality
from core.evaluation.decision import DecisionPolicy
from core.evaluation.masks import mask_box, mask_outlines
from core.tasks.image_answer import Alarm, ImageAnswer, Presence, Region
from core.tasks.image_schema import ImageSchema
from core.tasks.task import Arrays
from core.texts import Text

FloatMap = npt.NDArray[np.float32]
MASK_THRESHOLD = 0.5
HEAT_MAP_THRESHOLD = 0.5
SMALLEST_AREA = 0.002
"""Share of the image under which a mask counts as empty."""


def decode_images(outputs: Arrays, arrays: Arrays, schema: ImageSchema, policy: DecisionPolicy) -> list[ImageAnswer]:
    """One answer for each image."""
    probabilities_BK = outputs["probabilities"]
    refusals = quality_refusals(arrays["image"], schema)
    verdicts = policy.judge(probabilities_BK, outputs["novelty"], schema.labels, refusals)
    alarm_B = policy.alarm_scores(probabilities_BK, schema.labels)
    answers = []
    for row, verdict in enumerate(verdicts):
        order_K = np.argsort(-probabilities_BK[row], kind="stable")
        ranking = tuple((schema.labels[k], float(probabilities_BK[row, k])) for k in order_K)
        mask = _enlarge(outputs["mask"][row], schema.image_px) if "mask" in outputs else None
        heat_map = _positive_share(outputs["evidence"][row, order_K[0]])
        presence = _presence(dict(ranking), mask, schema)
        answers.append(
            ImageAnswer(
                verdict=verdict,
                ranking=ranking,
                presence=presence,
                alarm=None if alarm_B is None else _alarm(float(alarm_B[row]), policy),
                region=None if presence.present is False else _region(mask, heat_map, schema.image_px),
                heat_map=heat_map,
                mask=mask,
            )
        )
    return answers


def quality_refusals(image_BHWC: npt.NDArray[np.uint8], schema: ImageSchema) -> list[list[Text]]:
    """Why an image cannot be assessed, whatever the model says: blurred, too dark, too bright."""
    sharpness_B, brightness_B = image_quality(image_BHWC)
    return [
        _refusals(float(sharpness), float(brightness), schema)
        for sharpness, brightness in zip(np.atleast_1d(sharpness_B), np.atleast_1d(brightness_B), strict=True)
    ]


def _refusals(sharpness: float, brightness: float, schema: ImageSchema) -> list[Text]:
    found = []
    if sharpness < schema.sharpness_low:
        found.append(
            Text(
                "The image is blurred: take it again, in focus and without movement.",
                "图像模糊：请对焦并保持稳定后重新拍摄。",
            )
        )
    if brightness < schema.brightness_low:
        found.append(
            Text("The image is too dark: take it again with more light.", "图像过暗：请在更充足的光线下重新拍摄。")
        )
    if brightness > schema.brightness_high:
        found.append(
            Text("The image is overexposed: take it again with less light.", "图像过曝：请降低曝光后重新拍摄。")
        )
    return found


def _presence(probability_of: dict[str, float], mask: FloatMap | None, schema: ImageSchema) -> Presence:
    if schema.normal_label:
        lesion = 1 - probability_of[schema.normal_label]
        return Presence(present=lesion >= 0.5, probability=lesion, basis="normal_label")
    if mask is not None:
        is_found = float((mask >= MASK_THRESHOLD).mean()) >= SMALLEST_AREA
        return Presence(present=is_found, probability=None, basis="mask")
    return Presence(present=None, probability=None, basis="not_judged")


def _alarm(probability: float, policy: DecisionPolicy) -> Alarm:
    point = policy.operating_point
    assert point is not None
    return Alarm(
        labels=point.positive_labels,
        probability=probability,
        threshold=point.threshold,
        flagged=probability >= point.threshold,
        sensitivity=point.sensitivity.value,
        specificity=point.specificity.value,
    )


def _region(mask: FloatMap | None, heat_map: FloatMap, image_px: int) -> Region | None:
    if mask is not None and float((mask >= MASK_THRESHOLD).mean()) >= SMALLEST_AREA:
        inside, basis = mask >= MASK_THRESHOLD, "mask"
    elif mask is None and heat_map.max() > 0:
        inside, basis = _enlarge(heat_map, image_px) >= HEAT_MAP_THRESHOLD, "heat_map"
    else:
        return None
    outlines, box = mask_outlines(inside), mask_box(inside)
    if not outlines or box is None:
        return None
    return Region(
        outlines=tuple(tuple((float(x), float(y)) for x, y in outline) for outline in outlines),
        box=box,
        area=float(inside.mean()),
        basis="mask" if basis == "mask" else "heat_map",
    )


def _positive_share(evidence_hw: FloatMap) -> FloatMap:
    """Evidence for a label in [0, 1]: what speaks against it is 0, the strongest place is 1."""
    positive = np.maximum(evidence_hw, 0)
    return np.asarray(positive / max(float(positive.max()), 1e-12), np.float32)


def _enlarge(map_hw: FloatMap, side: int) -> FloatMap:
    image = Image.fromarray(np.ascontiguousarray(map_hw, np.float32))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.float32)


def enlarge_all(map_Bhw: FloatMap, side: int) -> FloatMap:
    """(B, h, w) to (B, side, side), bilinear."""
    return np.stack([_enlarge(one, side) for one in map_Bhw]) if len(map_Bhw) else np.zeros((0, side, side), np.float32)
