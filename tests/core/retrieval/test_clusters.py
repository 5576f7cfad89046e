"""Questions that ask the same are found together."""

import pytest

from core.retrieval import clusters
from core.retrieval.clusters import cluster_questions

from .toy_encoder import ToyEncoder

TEXTS = [
    "do you sell gift cards",
    "can I buy a gift card",
    "怎么开发票",
    "gift cards please",
    "发票怎么开",
    "is there parking at the store",
]


def test_same_questions_stand_together_the_largest_group_first() -> None:
    found = cluster_questions(TEXTS)
    assert [cluster.indices for cluster in found] == [(0, 1, 3), (2, 4), (5,)]
    assert found[0].name in (TEXTS[0], TEXTS[3])
    assert found[0].name == TEXTS[found[0].medoid]


def test_an_encoder_joins_what_words_cannot() -> None:
    texts = ["my parcel", "my package", "sofa", "couch", "unrelated thing"]
    assert len(cluster_questions(texts)) > 3
    assert [cluster.indices for cluster in cluster_questions(texts, ToyEncoder())] == [(0, 1), (2, 3), (4,)]


@pytest.mark.parametrize("texts", [[], ["one"], ["same", "same"], ["", "😀"]])
def test_few_or_odd_texts_are_grouped(texts: list[str]) -> None:
    found = cluster_questions(texts)
    assert sorted(index for cluster in found for index in cluster.indices) == list(range(len(texts)))
    assert len(found) == len(set(texts))


def test_texts_beyond_the_limit_join_the_nearest_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "MAX_TEXTS", 3)
    found = cluster_questions(TEXTS[:5])
    assert found[0].indices == (0, 1, 3)
    assert found[1].indices == (2, 4)


def test_groups_are_the_same_every_time() -> None:
    assert cluster_questions(TEXTS * 20) == cluster_questions(TEXTS * 20)
