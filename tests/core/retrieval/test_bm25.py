"""BM25 against its formula."""

import math

import numpy as np
import pytest

from core.retrieval.bm25 import K1, B, WordIndex, inverse_frequency, term_score

DOCUMENTS = [["refund", "money", "refund"], ["parcel"], ["parcel", "money", "late", "lost"], []]


def test_scores_are_those_of_the_formula() -> None:
    index = WordIndex(DOCUMENTS)
    mean = 8 / 4
    idf = math.log(1 + (4 - 2 + 0.5) / 2.5)
    expected = [idf * 1 / (1 + K1 * (1 - B + B * length / mean)) for length in (3, 4)]
    np.testing.assert_allclose(index.scores(["money"]), [expected[0], 0, expected[1], 0], rtol=1e-5)


def test_single_terms_by_hand_equal_the_index() -> None:
    index = WordIndex(DOCUMENTS)
    weight = inverse_frequency(4, index.frequency("refund"))
    assert term_score(2, 3, 2.0, weight) == pytest.approx(index.scores(["refund"])[0], rel=1e-5)


def test_holds_says_which_documents_have_a_term() -> None:
    index = WordIndex(DOCUMENTS)
    documents = np.array([0, 1, 2, 3])
    assert index.holds("parcel", documents).tolist() == [False, True, True, False]
    assert index.holds("unknown", documents).tolist() == [False] * 4


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_nothing_to_find_gives_zeros(documents: list[list[str]]) -> None:
    index = WordIndex(documents)
    assert index.scores(["money"]).tolist() == [0.0] * len(documents)
    assert index.frequency("money") == 0


def test_no_terms_or_unknown_terms_give_zeros() -> None:
    index = WordIndex(DOCUMENTS)
    assert not index.scores([]).any()
    assert not index.scores(["unknown", ""]).any()


def test_building_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    WordIndex(DOCUMENTS).scores(["money"])
    assert capfd.readouterr() == ("", "")
