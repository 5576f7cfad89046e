"""The items and events of this app: loading, the sample, and what a model learns of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from apps.recommender.app import RecommenderConfig
from core.app import Progress
from core.backbones.recommender_config import ItemTextConfig
from core.data.catalogue import Catalogue
from core.data.interaction_splits import TRAIN, Split, UserExamples
from core.data.interactions import Interactions, LoadedInteractions, load_interactions
from core.data.module import DataModule, SplitName
from core.data.vocabulary import UNITS, TextEncoder, learn_vocabulary
from core.data.vocabulary_config import Vocabulary
from core.tasks.recommend_schema import RecommendSchema

FIELDS = ("title", "tags", "description")


@dataclass(frozen=True)
class ShopData(DataModule):
    """A data module that also has what the examples point into.

    Args:
        catalogue: Items.
        split: Events by what they are for.
    """

    catalogue: Catalogue
    split: Split


def load_shop(config: RecommenderConfig, progress: Progress) -> ShopData:
    """The data set of a config, with the schema learnt from its training split."""
    loaded = load_interactions(config.data, seed=config.seed, sample=read_sample, progress=progress)
    schema = learn_schema(config, loaded)
    return ShopData(loaded.splits, schema, loaded.report, loaded.fingerprint, loaded.catalogue, loaded.split)


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
