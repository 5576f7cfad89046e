"""The images of this app: loading, and which labels mean `no lesion` and `must not be missed`."""

from collections.abc import Sequence

from apps.medical_imaging.app import MedicalImagingConfig
from apps.medical_imaging.sample.dataset import write_sample
from core.app import Progress
from core.data.images import LoadedImages, load_images
from core.data.module import DataModule
from core.data.report import DataReport
from core.errors import UsageError
from core.tasks.image_schema import has_known_metadata, learn_schema

NORMAL = {"normal", "healthy", "healthy_skin", "normal_skin", "no_lesion", "none", "negative", "no_finding"}
"""Spellings of the label that says `no lesion`."""

MALIGNANT = {
    "melanoma", "mel", "basal_cell_carcinoma", "bcc", "squamous_cell_carcinoma", "scc", "actinic_keratosis", "akiec",
    "ak", "malignant", "cancer", "carcinoma",
}  # fmt: skip
"""Labels that must not be missed: malignant ones and their precursors, as ISIC and HAM10000 spell them."""


def load_lesions(config: MedicalImagingConfig, progress: Progress) -> DataModule:
    """The data set of a config, with the schema learnt from its training split."""
    loaded = load_images(config.data, seed=config.seed, sample=write_sample, progress=progress)
    normal, notes = _normal_label(config.data.normal_label, loaded.labels)
    positive, more = _positive_labels(config.decision.positive_labels, loaded.labels)
    _check_wishes(config, loaded)
    wanted = config.model.mask_decoder
    has_masks = config.model.backbone != "handbook_cnn" if wanted == "auto" else wanted
    metadata = _use_metadata(config, loaded)
    schema = learn_schema(
        loaded,
        config.data.image_px,
        mask_decoder=has_masks,
        metadata=metadata,
        normal_label=normal,
        positive_labels=positive,
    )
    report = loaded.report.model_copy(update={"notes": (*loaded.report.notes, *notes, *more)})
    return DataModule(loaded.splits, schema, _with_metadata_note(report, metadata), loaded.fingerprint)


def _check_wishes(config: MedicalImagingConfig, loaded: LoadedImages) -> None:
    """Raises UsageError for a part of the model that has nothing to learn from."""
    if config.model.mask_decoder is True and not loaded.metadata.mask_share:
        raise UsageError(
            "model.mask_decoder is true, but no training image has a mask.",
            "Masks are in a folder masks/ beside the images, in a column mask, or boxes.",
            "Name their folder with --data.masks, or set model.mask_decoder to auto.",
        )
    if config.model.metadata is True and not {"age", "sex", "site"} & set(loaded.report.missing_shares):
        raise UsageError(
            "model.metadata is true, but no image has age, sex or site.",
            "They are columns of a table: age, sex and site.",
            "Name them with --data.columns.age and the like, or set model.metadata to auto.",
        )


def _normal_label(wanted: str, labels: Sequence[str]) -> tuple[str, list[str]]:
    if wanted == "none":
        return "", []
    if wanted != "auto":
        if wanted not in labels:
            raise UsageError(
                f"data.normal_label is `{wanted}`.", f"Labels: {', '.join(labels)}.", "Use one of these, auto or none."
            )
        return wanted, []
    found = [label for label in labels if _plain(label) in NORMAL]
    if not found:
        return "", ["no label says `no lesion` (name one with data.normal_label)"]
    return found[0], [f"label {found[0]} is read as `no lesion`"]


def _positive_labels(wanted: tuple[str, ...] | str, labels: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    if isinstance(wanted, tuple):
        unknown = [label for label in wanted if label not in labels]
        if unknown:
            raise UsageError(
                f"decision.positive_labels names `{unknown[0]}`.", f"Labels: {', '.join(labels)}.", "Use some of these."
            )
        return wanted, []
    found = tuple(label for label in labels if _plain(label) in MALIGNANT)
    if not found or len(found) == len(labels):
        return (), ["no label is known as malignant: no operating point (name some with decision.positive_labels)"]
    return found, [f"labels that must not be missed: {', '.join(found)}"]


def _use_metadata(config: MedicalImagingConfig, loaded: LoadedImages) -> bool:
    if config.model.metadata == "auto":
        return has_known_metadata(loaded) and config.model.backbone != "handbook_cnn"
    return config.model.metadata


def _with_metadata_note(report: DataReport, metadata: bool) -> DataReport:
    if metadata or not {"age", "sex", "site"} & set(report.missing_shares):
        return report
    note = (
        "age, sex and site are not used: too often missing, and a missing one could betray the source (model.metadata)"
    )
    return report.model_copy(update={"notes": (*report.notes, note)})


def _plain(label: str) -> str:
    return label.strip().lower().replace(" ", "_").replace("-", "_")
