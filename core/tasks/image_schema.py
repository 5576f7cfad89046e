"""Facts about images found in the training split; with the config they rebuild the task without the data."""

from typing import TYPE_CHECKING

from core.config import Record

if TYPE_CHECKING:
    from core.data.images import LoadedImages

KNOWN_ENOUGH = 0.9
"""Share of images whose metadata must be known for it to be used by itself."""


class ImageSchema(Record):
    """Learnt, not chosen."""

    labels: tuple[str, ...]
    """Class names, sorted; the position is the class number."""
    label_counts: tuple[int, ...]
    """Training examples of each label."""
    image_px: int
    """Side of the square that the model reads."""
    pixel_mean: tuple[float, float, float]
    """Mean of each colour channel, in [0, 255]."""
    pixel_std: tuple[float, float, float]
    """Standard deviation of each colour channel, in [0, 255]."""
    sharpness_low: float
    """Sharpness under which an image counts as blurred."""
    brightness_low: float
    """Mean brightness under which an image counts as dark, in [0, 255]."""
    brightness_high: float
    """Mean brightness above which an image counts as overexposed, in [0, 255]."""
    mask_share: float = 0.0
    """Share of training examples with a mask."""
    normal_label: str = ""
    """The label that says `no lesion`; empty = the data has none."""
    positive_labels: tuple[str, ...] = ()
    """Labels that must not be missed."""
    uses_metadata: bool = False
    """Does the model read age, sex and site?"""
    age_mean: float = 0.0
    """Years."""
    age_std: float = 1.0
    """Years."""
    sexes: tuple[str, ...] = ()
    """Words seen, sorted."""
    sites: tuple[str, ...] = ()
    """Words seen, sorted."""

    @property
    def num_metadata(self) -> int:
        """Numbers in a metadata vector: age and whether it is known, then one for each word."""
        return 2 + len(self.sexes) + len(self.sites) if self.uses_metadata else 0


def learn_schema(
    loaded: "LoadedImages",
    image_px: int,
    *,
    mask_decoder: bool,
    metadata: bool,
    normal_label: str,
    positive_labels: tuple[str, ...],
) -> ImageSchema:
    """The facts that a model of these images is built on.

    Args:
        loaded: The data set.
        image_px: Side of the square.
        mask_decoder: Learn masks, if there are any.
        metadata: Use age, sex and site.
        normal_label: The label that says `no lesion`, or empty.
        positive_labels: Labels that must not be missed.
    """
    pixels, facts = loaded.pixels, loaded.metadata
    counts = loaded.report.rows["train"]
    return ImageSchema(
        labels=loaded.labels,
        label_counts=tuple(counts[label] for label in loaded.labels),
        image_px=image_px,
        pixel_mean=_in_levels(pixels.mean),
        pixel_std=_in_levels(pixels.std),
        # Half of what the most blurred and darkest training images have: clearly worse than anything seen.
        sharpness_low=pixels.sharpness_p0_1 / 2,
        brightness_low=pixels.brightness_p0_1 / 2,
        brightness_high=pixels.brightness_p99_9 + (255 - pixels.brightness_p99_9) / 2,
        mask_share=facts.mask_share if mask_decoder else 0.0,
        normal_label=normal_label,
        positive_labels=positive_labels,
        uses_metadata=metadata,
        age_mean=facts.age_mean or 0.0,
        age_std=facts.age_std or 1.0,
        sexes=facts.sexes,
        sites=facts.sites,
    )


def has_known_metadata(loaded: "LoadedImages") -> bool:
    """Do nine in ten images name age, sex and site, so that a missing one does not betray where an image is from?"""
    missing = loaded.report.missing_shares
    return all(missing.get(name, 1.0) <= 1 - KNOWN_ENOUGH for name in ("age", "sex", "site"))


def _in_levels(share: tuple[float, float, float]) -> tuple[float, float, float]:
    return share[0] * 255, share[1] * 255, share[2] * 255
