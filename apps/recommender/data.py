"""The items and events of this app: loading, the sample, and what a model learns of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.recommender.app import RecommenderConfig
from apps.recommender.pictures import Pictures, read_pictures
from core.app import Progress
from core.backbones.recommender_config import ItemTextConfig
from core.data.catalogue import Catalogue
from core.data.interaction_splits import TRAIN, Split, UserExamples
from core.data.interactions import Interactions, LoadedInteractions, load_interactions
from core.data.module import DataModule, SplitName
from core.data.vocabulary import UNITS, TextEncoder, learn_vocabulary
from core.data.vocabulary_config import Vocabulary
from core.errors import UsageError
from core.tasks.recommend_schema import RecommendSchema

FIELDS = ("title", "tags", "description")


@dataclass(frozen=True)
class ShopData(DataModule):
    """A data module that also has what the examples point into.

    Args:
        catalogue: Items.
        split: Events by what they are for.
        pictures: Of the items; None = they are not read.
    """

    catalogue: Catalogue
    split: Split
    pictures: Pictures | None = None


def load_shop(config: RecommenderConfig, progress: Progress) -> ShopData:
    """The data set of a config, with the schema learnt from its training split."""
    loaded = load_interactions(config.data, seed=config.seed, sample=read_sample, progress=progress)
    schema, report, pictures = learn_schema(config, loaded), loaded.report, None
    if config.model.picture.enabled:
        pictures = _pictures(config, loaded.catalogue, progress)
        told = f"{int(pictures.there_N.sum()):,} of {len(loaded.catalogue):,} items have a picture that can be read"
        rejected = (*report.rejected, *pictures.rejected)
        report = report.model_copy(update={"rejected": rejected, "notes": (*report.notes, told)})
    return ShopData(loaded.splits, schema, report, loaded.fingerprint, loaded.catalogue, loaded.split, pictures)


def _pictures(config: RecommenderConfig, catalogue: Catalogue, progress: Progress) -> Pictures:
    if not any(catalogue.images):
        raise UsageError(
            "The items have no pictures.",
            "A column of paths, relative to the folder of the data.",
            "Name it, --data.columns.image NAME, or leave pictures out: --model.picture.enabled false.",
        )
    place = Path(config.data.path)
    folder = place if place.is_dir() else place.parent
    return read_pictures(catalogue.images, folder, config.model.picture.image_px, progress)


def learn_schema(config: RecommenderConfig, loaded: LoadedInteractions) -> RecommendSchema:
    """The facts that a model of these items and events is built on."""
    log = loaded.split.log
    counts = np.bincount(log.kind_E[loaded.split.part_E == TRAIN], minlength=len(log.kinds))
    weights = np.array([abs(config.data.kinds[kind]) for kind in log.kinds])
    strongest = float(max((weight for weight, count in zip(weights, counts, strict=True) if count), default=1.0))
    held_out = [loaded.splits[name] for name in ("validation", "test")]
    return RecommendSchema(
        num_items=len(loaded.catalogue),
        kinds=log.kinds,
        strengths=tuple(
            round(float(np.sign(config.data.kinds[kind]) * min(1.0, (weight / strongest) ** 0.5)), 4)
            for kind, weight in zip(log.kinds, weights, strict=True)
        ),
        vocabulary=learn_item_vocabulary(config.model.text, loaded.catalogue),
        max_history=config.data.max_history,
        max_seen=max(_most_seen(examples) for examples in held_out),
        max_targets=max((len(targets) for examples in held_out for targets in examples.targets), default=1),
    )


def learn_item_vocabulary(config: ItemTextConfig, catalogue: Catalogue) -> Vocabulary:
    """Units of all texts of the items: texts of new items are known before anybody has liked them."""
    texts = [text for row in range(len(catalogue)) for text in catalogue.text_of(row).values() if text]
    words = max(config.title_words, config.tag_words, config.description_words)
    return learn_vocabulary(texts, config.vocabulary.model_copy(update={"max_words": words}))


def encode_items(
    config: ItemTextConfig, encoder: TextEncoder, texts: Sequence[Mapping[str, str]]
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int32]]":
    """Units of titles, tags and descriptions side by side, (n, W, U) int32."""
    sizes = (config.title_words, config.tag_words, config.description_words)
    parts = [
        encoder.encode([text.get(field, "") for text in texts])[UNITS][:, :size]
        for field, size in zip(FIELDS, sizes, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def read_sample() -> Interactions:
    """The shop that the project made."""
    from apps.recommender.sample.shop import read_shop

    return read_shop()


def splits_of(data: DataModule) -> Mapping[SplitName, UserExamples]:
    """The splits, typed as what they are."""
    return data.splits  # type: ignore[return-value]


def _most_seen(examples: UserExamples) -> int:
    return int((examples.stops - examples.firsts).max(initial=1))
