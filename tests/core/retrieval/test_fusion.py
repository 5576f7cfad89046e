"""Reciprocal rank fusion."""

import pytest

from core.retrieval.fusion import fuse_rankings


def test_scores_are_those_of_the_paper() -> None:
    fused = fuse_rankings([["a", "b"], ["b", "c"]], (1, 1))
    assert list(fused) == ["b", "a", "c"]
    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_a_heavier_ranking_decides() -> None:
    assert next(iter(fuse_rankings([["a", "b"], ["b", "a"]], (1, 2)))) == "b"


def test_equal_scores_keep_the_order_of_appearance() -> None:
    assert list(fuse_rankings([["a"], ["b"]], (1, 1))) == ["a", "b"]


def test_no_rankings_give_nothing() -> None:
    assert fuse_rankings([], ()) == {}
    assert fuse_rankings([[], []], (1, 1)) == {}
