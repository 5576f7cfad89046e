"""One image on its way through the page: read, answered, kept for the reader's word."""

import hashlib
import io
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageFilter

from apps.medical_imaging.ui.answer_view import View, render_answer
from apps.medical_imaging.ui.label_words import name_text
from core.data.image_files import ImageInput, read_image
from core.serving.predictor import Predictor
from core.serving.store import Feedback
from core.tasks.image_answer import ImageAnswer
from core.tasks.image_schema import ImageSchema
from core.texts import Language, Text
from core.ui.evaluation_view import read_evaluation
from core.ui.image_viewer import Overlay, render_viewer
from core.ui.translations import in_both

EXAMPLE_PX, EXAMPLE_SEED = 192, 11
"""The sample data that models are trained on has another seed, so no example was seen in training."""
EXAMPLE_ROWS = (5, 2, 8, 1, 13, 9)
"""Rows of that sample: one of each label, a melanoma first."""
BLUR_PX = 9.0


class Metadata(NamedTuple):
    """What is known of the patient; None where it is not."""

    age: float | None = None
    sex: str | None = None
    site: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What is known, as an example holds it."""
        return {name: value for name, value in self._asdict().items() if value is not None}


@dataclass(frozen=True)
class Reading:
    """An image and its answer.

    Args:
        name: Of the file, without folders.
        image: RGB, upright, without the file's metadata.
        metadata: As entered.
        answer: The model's.
    """

    name: str
    image: Image.Image
    metadata: Metadata
    answer: ImageAnswer


@dataclass(frozen=True)
class SampleImage:
    """One drawn picture to try the page with.

    Args:
        name: A file name.
        png: Its content.
        caption: What it shows.
    """

    name: str
    png: bytes
    caption: Text


class Reader:
    """Reads images and words answers, with one predictor of this app."""

    def __init__(self, predictor: Predictor) -> None:
        assert isinstance(predictor.schema, ImageSchema), "a bundle of this app"
        self.predictor, self.schema = predictor, predictor.schema
        self.test_metrics = read_evaluation(predictor).get("metrics", {})
        self.max_megapixels = float(getattr(predictor.task, "max_megapixels", 50.0))

    def read(self, path: Path, metadata: Metadata) -> Reading:
        """The reading of a file.

        Raises:
            UserError: It cannot be read.
        """
        return self._read(path.name, path, metadata)

    def read_content(self, name: str, content: bytes, metadata: Metadata) -> Reading:
        """The reading of a file's content; raises as `read` does."""
        return self._read(name, content, metadata)

    def read_again(self, reading: Reading, metadata: Metadata) -> Reading:
        """The same image with other metadata."""
        return replace(reading, metadata=metadata, answer=self._answer(reading.image, metadata))

    def render(self, reading: Reading) -> tuple[str, str]:
        """The viewer and the answer as HTML; of a refused image no map is shown: it would look like an answer."""
        is_refused = reading.answer.verdict.decision == "refused"
        overlays = [] if is_refused else _overlays(reading.answer)
        viewer = render_viewer(reading.image, overlays, reading.answer.region)
        return viewer, in_both(lambda language: render_answer(self._view(reading, language)))

    def feedback(self, reading: Reading, label: str, comment: str) -> Feedback:
        """What is kept of a reading: the answer, the reader's word, and the pixels without any metadata."""
        content = to_png(reading.image)
        return Feedback(
            app=self.predictor.bundle.manifest.app,
            bundle_id=self.predictor.bundle.id,
            input_name=reading.name,
            input_sha256=hashlib.sha256(content).hexdigest(),
            input_content=content,
            answer={**reading.answer.to_json(), "metadata": reading.metadata.given},
            label=label,
            comment=comment.strip(),
        )

    def _read(self, name: str, source: ImageInput, metadata: Metadata) -> Reading:
        image = read_image(source, max_megapixels=self.max_megapixels)
        return Reading(name, image, metadata, self._answer(image, metadata))

    def _answer(self, image: Image.Image, metadata: Metadata) -> ImageAnswer:
        answer = self.predictor.predict([{"image": image, **metadata.given}])[0]
        assert isinstance(answer, ImageAnswer)
        return answer

    def _view(self, reading: Reading, language: Language) -> View:
        words = tuple(
            f"{value:g}" if isinstance(value, float | int) else value for value in reading.metadata.given.values()
        )
        return View(reading.answer, self.schema, self.predictor.policy, self.test_metrics, words, language)


def to_png(image: Image.Image) -> bytes:
    """The pixels as a PNG file and nothing else."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@cache
def sample_images() -> tuple[SampleImage, ...]:
    """Drawn pictures, one of each label, and a blurred one; drawn in about a third of a second."""
    from apps.medical_imaging.sample.dataset import plan_rows, render_image

    rows = plan_rows(max(EXAMPLE_ROWS) + 1, EXAMPLE_SEED)
    chosen = [rows[number] for number in EXAMPLE_ROWS]
    pictures = [Image.fromarray(render_image(row, EXAMPLE_PX, EXAMPLE_SEED)[0]) for row in chosen]
    clear = [
        SampleImage(f"example_{row.label}.png", to_png(picture), name_text(row.label))
        for row, picture in zip(chosen, pictures, strict=True)
    ]
    blurred = pictures[0].filter(ImageFilter.GaussianBlur(BLUR_PX))
    return (*clear, SampleImage("example_blurred.png", to_png(blurred), Text("blurred", "模糊图像")))


def _overlays(answer: ImageAnswer) -> list[Overlay]:
    heat = [Overlay("heat_map", answer.heat_map)] if answer.heat_map.max() > 0 else []
    return heat if answer.mask is None else [Overlay("mask", answer.mask), *heat]
