"""Documents become passages."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from core.retrieval.passages import Section, cut_passages


def texts(text: str, max_chars: int = 100, overlap: int = 0) -> list[str]:
    return [passage.text for passage in cut_passages([Section(("Title",), text)], max_chars, overlap)]


def test_short_paragraphs_stay_together_and_long_ones_part() -> None:
    assert texts("One.\n\nTwo.") == ["One.\n\nTwo."]
    assert texts("a" * 60 + ".\n\n" + "b" * 60 + ".") == ["a" * 60 + ".", "b" * 60 + "."]


def test_long_paragraphs_are_cut_between_sentences() -> None:
    found = texts("The first sentence is here. " * 10)
    assert all(text.startswith("The first") and text.endswith("here.") for text in found)
    chinese = texts("这是一个完整的句子。" * 30)
    assert all(text.endswith("。") for text in chinese)


def test_overlap_repeats_whole_sentences_of_the_same_section_only() -> None:
    sentences = [f"Sentence number {number:02d}." for number in range(12)]
    found = texts(" ".join(sentences), 100, 40)
    for before, after in itertools.pairwise(found):
        assert before.rsplit(". ", 1)[-1] in after[:40]
    sections = [Section(("A",), "Alpha."), Section(("B",), "Beta.")]
    assert [passage.text for passage in cut_passages(sections, 100, 40)] == ["Alpha.", "Beta."]


@given(st.text(alphabet="ab 。.!\n", max_size=600), st.integers(100, 200), st.integers(0, 50))
def test_nothing_is_lost_and_no_passage_is_too_long(text: str, max_chars: int, overlap: int) -> None:
    found = texts(text, max_chars, overlap)
    assert all(0 < len(passage) <= max_chars for passage in found)
    bare = "".join(text.split())
    if overlap == 0:
        assert "".join("".join(found).split()) == bare
