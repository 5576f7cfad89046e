"""The bag-of-units encoder: about TF-IDF before it is trained, and nothing that breaks it."""

import numpy as np
import torch

from core.backbones.matcher import Matcher
from core.backbones.text_bag import TextBag
from core.backbones.text_bag_config import TextBagConfig
from core.data.hashed_units import IDS, hash_units, unit_rarity

CONFIG = TextBagConfig(dimension=1024)
TEXTS = [
    "where is my parcel",
    "how can I return a pair of shoes",
    "the parcel did not arrive",
    "我的包裹在哪里",
    "怎么退货",
    "cancel the order before it is packed",
]


def encode(model: TextBag, texts: list[str]) -> torch.Tensor:
    arrays = hash_units(texts, CONFIG.units)
    with torch.no_grad():
        vectors: torch.Tensor = model.eval()(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    return vectors


def make_model(seed: int = 0) -> TextBag:
    return TextBag(CONFIG, unit_rarity(hash_units(TEXTS, CONFIG.units)[IDS], CONFIG.units.buckets), seed)


def test_untrained_cosine_is_that_of_tf_idf() -> None:
    arrays = hash_units(TEXTS, CONFIG.units)
    rarity = unit_rarity(arrays[IDS], CONFIG.units.buckets)
    bags = np.zeros((len(TEXTS), CONFIG.units.buckets + 1))
    for row, (ids, weights) in enumerate(zip(arrays[IDS], arrays["weights"], strict=True)):
        bags[row, ids] = weights * rarity[ids]
    bags[:, 0] = 0
    bags /= np.linalg.norm(bags, axis=1, keepdims=True)
    vectors = encode(make_model(), TEXTS).numpy()
    assert np.abs(vectors @ vectors.T - bags @ bags.T).max() < 4 / np.sqrt(CONFIG.dimension)


def test_words_that_no_training_text_holds_still_match() -> None:
    new, same, other = encode(make_model(), ["zeppelin insurance", "insured zeppelin?", "garden hose"])
    assert new @ same > 0.3 > new @ other


def test_vectors_have_length_one_and_a_text_without_words_none() -> None:
    lengths = encode(make_model(), ["parcel", "包裹", ""]).norm(dim=1)
    assert torch.allclose(lengths, torch.tensor([1.0, 1.0, 0.0]))


def test_same_seed_gives_the_same_vectors() -> None:
    assert torch.equal(encode(make_model(1), TEXTS), encode(make_model(1), TEXTS))
    assert not torch.equal(encode(make_model(1), TEXTS), encode(make_model(2), TEXTS))


def test_matcher_encodes_both_texts_alike() -> None:
    arrays = {name: torch.from_numpy(array) for name, array in hash_units(TEXTS, CONFIG.units).items()}
    inputs = {f"{prefix}{name}": array for prefix in ("query_", "text_") for name, array in arrays.items()}
    outputs = Matcher(make_model()).eval()(**inputs)
    assert torch.equal(outputs["query_vector"], outputs["text_vector"])
    assert outputs["scale"] > 1
