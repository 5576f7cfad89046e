"""Images with labels and, where given, masks and metadata: encode, loss, evaluation, answers.

Shapes: N or B examples, H = W = image_px, K labels, M metadata numbers, h and w of a coarser map.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.config import TrainConfig
from core.data.image_files import read_image, read_mask, to_square
from core.data.module import Example
from core.errors import UsageError
from core.evaluation.decision import DecisionPolicy
from core.evaluation.evaluation import Evaluation
from core.tasks.augment_config import AugmentConfig
from core.tasks.image_answer import ImageAnswer
from core.tasks.image_decode import decode_images
from core.tasks.image_evaluation import evaluate_images
from core.tasks.image_schema import ImageSchema
from core.tasks.task import Arrays, ArraySpec, Task

if TYPE_CHECKING:
    from torch import Tensor

UNKNOWN = -1
COLUMNS = {"pixels": 0, "metadata": 16, "mixing": 17, "end": 22}
"""Where each kind of variation finds its random numbers among an example's draws."""


class ImageTask(Task):
    """Which label, and where.

    Args:
        schema: Facts of the training data.
        train: Label smoothing, class weighting and mixup.
        augment: Ranges of variation.
        max_megapixels: Larger images are refused.
    """

    def __init__(
        self, schema: ImageSchema, train: TrainConfig, augment: AugmentConfig, *, max_megapixels: float = 50.0
    ) -> None:
        if augment.early_px > schema.image_px:
            raise UsageError(
                f"augment.early_px is {augment.early_px}, data.image_px is {schema.image_px}.",
                "Early epochs train at a smaller size, or at the same.",
                "Lower augment.early_px, or set it to 0.",
            )
        self.schema, self.train, self.augment_config = schema, train, augment
        self.max_megapixels = max_megapixels
        self.labels = schema.labels
        self.label_number = {label: number for number, label in enumerate(schema.labels)}
        # augment's own, one for hiding the metadata, one for the share of mixup.
        hides_metadata = schema.uses_metadata and augment.drop_metadata > 0
        is_varied = augment.changes_pixels or hides_metadata or train.mixup or train.cutmix
        self.num_draws = COLUMNS["end"] if is_varied else 0

    @property
    def inputs(self) -> tuple[ArraySpec, ...]:
        side = self.schema.image_px
        image = ArraySpec(
            name="image",
            shape=("batch", side, side, 3),
            dtype="uint8",
            range=(0, 255),
            meaning="RGB pixels, the whole image squeezed to a square.",
        )
        metadata = ArraySpec(
            name="metadata",
            shape=("batch", self.schema.num_metadata),
            dtype="float32",
            meaning="Age (standardised) and whether it is known, then one-hot sex and site; all zero = unknown.",
        )
        return (image, metadata) if self.schema.uses_metadata else (image,)

    @property
    def outputs(self) -> tuple[ArraySpec, ...]:
        labels = len(self.schema.labels)
        specs = [
            ArraySpec(
                name="probabilities",
                shape=("batch", labels),
                dtype="float32",
                range=(0, 1),
                meaning="Calibrated probability of each label, in the order of schema.labels.",
            ),
            ArraySpec(
                name="novelty",
                shape=("batch",),
                dtype="float32",
                meaning="Distance of the features from the training features; large = unlike what was learnt.",
            ),
            ArraySpec(
                name="evidence",
                shape=("batch", labels, "map_height", "map_width"),
                dtype="float32",
                meaning="Class activation map: what each place adds to each logit.",
            ),
        ]
        if self.schema.mask_share:
            specs.append(
                ArraySpec(
                    name="mask",
                    shape=("batch", "mask_height", "mask_width"),
                    dtype="float32",
                    range=(0, 1),
                    meaning="Probability that a pixel belongs to the lesion.",
                )
            )
        return tuple(specs)

    def encode(self, examples: Sequence[Example]) -> Arrays:
        side = self.schema.image_px
        images = [self._pixels(example["image"]) for example in examples]
        arrays: Arrays = {"image": np.stack(images) if images else np.zeros((0, side, side, 3), np.uint8)}
        if self.schema.uses_metadata:
            arrays["metadata"] = np.stack([self._metadata(example) for example in examples])
        if any("label" in example for example in examples):
            numbers = [self.label_number.get(example.get("label", ""), UNKNOWN) for example in examples]
            arrays["label"] = np.asarray(numbers, dtype=np.int64)
            if self.schema.mask_share:
                arrays |= self._masks(examples)
        return arrays

    def strata(self, arrays: Arrays) -> npt.NDArray[np.int64]:
        return arrays["label"]

    def picture(self, arrays: Arrays, row: int) -> bytes | None:
        stream = io.BytesIO()
        Image.fromarray(arrays["image"][row]).save(stream, "PNG")
        return stream.getvalue()

    def augment(self, batch: "dict[str, Tensor]", draws: "Tensor", progress: float) -> "dict[str, Tensor]":
        from core.tasks.augment import augment_images
        from core.tasks.mixup import mix_pairs

        config, train = self.augment_config, self.train
        is_early = config.early_px > 0 and progress < config.early_share
        side = config.early_px if is_early else self.schema.image_px
        image, mask = augment_images(batch["image"], batch.get("mask"), draws, config, side)
        varied = {**batch, "image": image} | ({} if mask is None else {"mask": mask})
        if "metadata" in batch:
            is_shown = (draws[:, COLUMNS["metadata"]] >= config.drop_metadata).float()[:, None]
            varied["metadata"] = batch["metadata"] * is_shown
        if not (train.mixup or train.cutmix):
            return varied
        mixing = draws[:, COLUMNS["mixing"] :]
        return mix_pairs(varied, mixing, mixup=train.mixup, cutmix=train.cutmix, probability=train.mix_probability)

    def loss(self, outputs: "dict[str, Tensor]", batch: "dict[str, Tensor]") -> "Tensor":
        from core.tasks.image_loss import image_loss

        return image_loss(outputs, batch, self.schema, self.train)

    def evaluate(
        self,
        outputs: Arrays,
        arrays: Arrays,
        policy: DecisionPolicy | None = None,
        examples: Sequence[Example] = (),
        *,
        resamples: int = 0,
    ) -> Evaluation:
        return evaluate_images(outputs, arrays, self.schema, policy, examples, resamples=resamples)

    def decode(
        self, outputs: Arrays, arrays: Arrays, policy: DecisionPolicy, examples: Sequence[Example] = ()
    ) -> list[ImageAnswer]:
        return decode_images(outputs, arrays, self.schema, policy)

    def _pixels(self, source: Any) -> npt.NDArray[np.uint8]:
        """The image as the model reads it; arrays of that size are taken to be prepared already."""
        side = self.schema.image_px
        if isinstance(source, np.ndarray) and source.shape == (side, side, 3) and source.dtype == np.uint8:
            return source
        return to_square(read_image(source, max_megapixels=self.max_megapixels), side)

    def _metadata(self, example: Example) -> npt.NDArray[np.float32]:
        schema = self.schema
        vector = np.zeros(schema.num_metadata, np.float32)
        if example.get("age") is not None:
            vector[:2] = (float(example["age"]) - schema.age_mean) / schema.age_std, 1.0
        words = [example.get("sex") == sex for sex in schema.sexes] + [example.get("site") == s for s in schema.sites]
        vector[2:] = words
        return vector

    def _masks(self, examples: Sequence[Example]) -> Arrays:
        side = self.schema.image_px
        masks = np.zeros((len(examples), side, side), np.uint8)
        is_given = np.zeros(len(examples), np.float32)
        for row, example in enumerate(examples):
            source = example.get("mask")
            if source is not None:
                is_array = isinstance(source, np.ndarray) and source.shape == (side, side)
                masks[row] = source if is_array else read_mask(source, side)
                is_given[row] = 1.0
        return {"mask": masks, "has_mask": is_given}
