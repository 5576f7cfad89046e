"""Images to arrays, and served arrays to answers."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageFilter

from core.data.image_files import UnreadableImage
from core.evaluation.decision import DecisionPolicy
from core.evaluation.operating_point import fit_operating_point
from core.tasks.image_answer import ImageAnswer

from .pictures import SIDE, make_schema, make_task, textured

METADATA = {"uses_metadata": True, "age_mean": 50.0, "age_std": 10.0, "sexes": ("female", "male"), "sites": ("arm",)}
POLICY = DecisionPolicy(
    temperature=1.0, ece_before=None, ece_after=None, novelty_threshold=2.0, accepted_share=0.98, coverage=0.9,
    conformal_quantile=0.6, num_examples=100,
)  # fmt: skip


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def serve(rows: int = 1, *, first: float = 0.9, novelty: float = 1.0, mask: bool = False) -> dict[str, np.ndarray]:
    """Outputs as a graph gives them: melanoma first."""
    evidence = np.zeros((rows, 3, 3, 3), np.float32)
    evidence[:, 1, 1, 2] = 4.0
    evidence[:, 1, 0, 0] = -1.0
    outputs = {
        "probabilities": np.tile(np.array([(1 - first) * 0.75, first, (1 - first) * 0.25], np.float32), (rows, 1)),
        "novelty": np.full(rows, novelty, np.float32),
        "evidence": evidence,
    }
    if mask:
        outputs["mask"] = np.zeros((rows, 6, 6), np.float32)
        outputs["mask"][:, 2:5, 1:4] = 0.95
    return outputs


def decode(outputs: dict[str, np.ndarray], *, policy: DecisionPolicy = POLICY, **schema: object) -> ImageAnswer:
    pixels = schema.pop("pixels", None)
    arrays = {"image": textured()[None] if pixels is None else np.asarray(pixels)[None]}
    return make_task(make_schema(**schema)).decode(outputs, arrays, policy)[0]


# ---- encode ------------------------------------------------------------------------------------------


def test_encoded_images_are_the_pixels_whatever_they_came_in(tmp_path) -> None:
    pixels = textured()
    (tmp_path / "a.png").write_bytes(png(pixels))
    sources = [pixels, png(pixels), tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(pixels)]
    arrays = make_task().encode([{"image": source} for source in sources])
    assert set(arrays) == {"image"}
    assert arrays["image"].dtype == np.uint8
    for row in arrays["image"]:
        np.testing.assert_array_equal(row, pixels)


def test_other_sizes_are_squeezed_to_the_square() -> None:
    wide = np.repeat(textured(), 2, axis=1)
    assert make_task().encode([{"image": png(wide)}])["image"].shape == (1, SIDE, SIDE, 3)


def test_encoded_arrays_match_the_stated_inputs() -> None:
    task = make_task(make_schema(**METADATA))
    arrays = task.encode([{"image": textured(), "age": 30}] * 2)
    assert [spec.name for spec in task.inputs] == ["image", "metadata"]
    for spec in task.inputs:
        assert arrays[spec.name].shape[1:] == spec.shape[1:]
        assert arrays[spec.name].dtype == spec.dtype


@pytest.mark.parametrize(
    ("facts", "vector"),
    [
        ({"age": 70, "sex": "male", "site": "arm"}, [2, 1, 0, 1, 1]),
        ({"age": 50, "sex": "female"}, [0, 1, 1, 0, 0]),
        ({"age": None, "sex": "unknown", "site": "moon"}, [0, 0, 0, 0, 0]),
        ({"age": 0}, [-5, 1, 0, 0, 0]),
        ({}, [0, 0, 0, 0, 0]),
    ],
)
def test_metadata_vector_worked_by_hand(facts: dict[str, object], vector: list[float]) -> None:
    arrays = make_task(make_schema(**METADATA)).encode([{"image": textured(), **facts}])
    assert arrays["metadata"].tolist() == [vector]


def test_labels_and_masks_are_targets_where_the_examples_carry_them() -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[3:9, 4:8] = 1
    examples = [
        {"image": textured(), "label": "melanoma", "mask": mask},
        {"image": textured(), "label": "benign", "mask": png(mask * 255)},
        {"image": textured(), "label": "never seen"},
    ]
    arrays = make_task(make_schema(mask_share=0.5)).encode(examples)
    assert arrays["label"].tolist() == [1, 0, -1]
    assert arrays["has_mask"].tolist() == [1, 1, 0]
    np.testing.assert_array_equal(arrays["mask"], [mask, mask, np.zeros_like(mask)])
    assert set(make_task().encode(examples)) == {"image", "label"}


def test_no_examples_give_no_rows() -> None:
    assert make_task().encode([])["image"].shape == (0, SIDE, SIDE, 3)


def test_unreadable_image_is_refused() -> None:
    with pytest.raises(UnreadableImage):
        make_task().encode([{"image": b"no image"}])


def test_picture_of_a_row_is_its_png() -> None:
    task = make_task()
    arrays = task.encode([{"image": textured()}])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(task.picture(arrays, 0)))), textured())


# ---- decode ------------------------------------------------------------------------------------------


def test_answer_ranks_the_labels_with_their_probabilities() -> None:
    answer = decode(serve())
    assert [label for label, _ in answer.ranking] == ["melanoma", "benign", "normal"]
    assert [p for _, p in answer.ranking] == pytest.approx([0.9, 0.075, 0.025])
    assert answer.verdict.decision == "answered"


@pytest.mark.parametrize(
    ("outputs", "decision", "in_set"),
    [
        (serve(first=0.9), "answered", ("melanoma",)),
        (serve(first=0.5), "answered", ("melanoma",)),
        (serve(first=0.9, novelty=3.0), "refused", ("melanoma",)),
        (serve(first=0.9, novelty=float("nan")), "refused", ("melanoma",)),
    ],
)
def test_policy_decides(outputs: dict[str, np.ndarray], decision: str, in_set: tuple[str, ...]) -> None:
    verdict = decode(outputs).verdict
    assert (verdict.decision, verdict.prediction_set) == (decision, in_set)


def test_two_labels_that_remain_possible_are_unsure() -> None:
    outputs = serve()
    outputs["probabilities"] = np.array([[0.45, 0.5, 0.05]], np.float32)
    verdict = decode(outputs).verdict
    assert verdict.decision == "unsure"
    assert verdict.prediction_set == ("melanoma", "benign")


def blurred() -> np.ndarray:
    return np.asarray(Image.fromarray(textured()).filter(ImageFilter.GaussianBlur(6)))


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (blurred(), ["blurred"]),
        (textured(10, 40), ["too dark"]),
        (textured(250, 40), ["overexposed"]),
        (np.zeros((SIDE, SIDE, 3), np.uint8), ["blurred", "too dark"]),
        (textured(), []),
    ],
)
def test_images_that_cannot_be_assessed_are_refused_with_every_reason(pixels: np.ndarray, words: list[str]) -> None:
    schema = {"sharpness_low": 10, "brightness_low": 25, "brightness_high": 230}
    verdict = decode(serve(), pixels=pixels, **schema).verdict
    assert verdict.decision == ("refused" if words else "answered")
    assert len(verdict.reasons) == len(words)
    for reason, word in zip(verdict.reasons, words, strict=True):
        assert word in reason.en
        assert reason.zh


def test_heat_map_shows_what_speaks_for_the_first_label() -> None:
    heat_map = decode(serve()).heat_map
    assert heat_map.shape == (3, 3)
    assert heat_map[1, 2] == 1.0
    assert heat_map.sum() == 1.0


def test_heat_map_without_evidence_is_empty_and_marks_no_region() -> None:
    outputs = serve()
    outputs["evidence"][:] = -1
    answer = decode(outputs)
    assert answer.heat_map.max() == 0
    assert answer.region is None


def test_region_follows_the_mask_where_there_is_one() -> None:
    answer = decode(serve(mask=True), mask_share=0.5)
    assert answer.region is not None
    assert answer.region.basis == "mask"
    # Rows 2 to 4 and columns 1 to 3 of 6, to half a cell.
    assert answer.region.box == pytest.approx((1 / 6, 2 / 6, 4 / 6, 5 / 6), abs=1 / 12)
    assert answer.region.area == pytest.approx(9 / 36, abs=0.08)
    assert answer.mask is not None
    assert answer.mask.shape == (SIDE, SIDE)


def test_region_follows_the_heat_map_where_no_mask_was_learnt() -> None:
    region = decode(serve()).region
    assert region is not None
    assert region.basis == "heat_map"
    xmin, ymin, xmax, ymax = region.box
    assert xmin >= 0.5
    assert ymin < 0.5 < ymax
    assert xmax == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("schema", "outputs", "present", "basis"),
    [
        ({"normal_label": "normal"}, serve(first=0.9), True, "normal_label"),
        ({"mask_share": 0.5}, serve(mask=True), True, "mask"),
        ({"mask_share": 0.5}, {**serve(), "mask": np.zeros((1, 6, 6), np.float32)}, False, "mask"),
        ({}, serve(), None, "not_judged"),
    ],
)
def test_presence_is_judged_by_what_was_taught(
    schema: dict[str, object], outputs: dict[str, np.ndarray], present: bool | None, basis: str
) -> None:
    answer = decode(outputs, **schema)
    assert (answer.presence.present, answer.presence.basis) == (present, basis)
    if present is False:
        assert answer.region is None


def test_normal_image_has_no_region() -> None:
    outputs = serve()
    outputs["probabilities"] = np.array([[0.1, 0.1, 0.8]], np.float32)
    answer = decode(outputs, normal_label="normal")
    assert answer.presence.present is False
    assert answer.presence.probability == pytest.approx(0.2)
    assert answer.region is None


def test_alarm_sums_the_labels_that_must_not_be_missed() -> None:
    probabilities = np.array([[0.2, 0.7, 0.1], [0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.9, 0.05, 0.05]])
    point = fit_operating_point(
        probabilities, np.array([1, 0, 1, 0]), ("benign", "melanoma", "normal"), ("melanoma",), 0.9
    )
    policy = POLICY.model_copy(update={"operating_point": point})
    high, low = (decode(serve(first=p), policy=policy).alarm for p in (0.9, 0.3))
    assert high is not None
    assert low is not None
    assert high.flagged
    assert high.probability == pytest.approx(0.9)
    assert not low.flagged
    assert decode(serve()).alarm is None


@pytest.mark.parametrize("mask", [False, True])
def test_json_of_an_answer_is_plain_and_stable(mask: bool) -> None:
    answers = [decode(serve(mask=mask), mask_share=float(mask)) for _ in range(2)]
    texts = [json.dumps(answer.to_json(), allow_nan=False) for answer in answers]
    assert texts[0] == texts[1]
    record = json.loads(texts[0])
    assert record == answers[0].to_json()
    assert list(record) == [
        "decision", "reasons", "prediction_set", "label", "probability", "ranking", "presence", "alarm", "region",
    ]  # fmt: skip
    assert record["probability"] == 0.9
    assert record["ranking"][1] == {"label": "benign", "probability": 0.075}


def test_rows_of_a_batch_are_answered_as_they_are_alone() -> None:
    task = make_task()
    outputs = serve(3)
    outputs["probabilities"][1] = [0.8, 0.1, 0.1]
    arrays = {"image": np.stack([textured(), textured(10, 5), textured(seed=1)])}
    together = [answer.to_json() for answer in task.decode(outputs, arrays, POLICY)]
    alone = [
        task.decode({n: v[r : r + 1] for n, v in outputs.items()}, {"image": arrays["image"][r : r + 1]}, POLICY)[0]
        for r in range(3)
    ]
    assert together == [answer.to_json() for answer in alone]
    assert together[0] != together[1]
