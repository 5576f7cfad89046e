"""Roles find their columns by name or by common spelling."""

import pytest

from core.data.columns import as_known_word, as_word, map_columns
from core.data.image_rows import IMAGE_SYNONYMS
from core.errors import UsageError


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("label", "label"),
        ("DX", "label"),
        ("Diagnosis", "label"),
        ("image path", "image"),
        ("Image-ID", "image"),
        ("lesion_id", "group"),
        ("Patient", "group"),
        ("Subset", "split"),
        ("age_approx", "age"),
        ("Gender", "sex"),
        ("anatom_site_general", "site"),
        ("x_min", "xmin"),
    ],
)
def test_map_columns_recognises_common_spellings(column: str, role: str) -> None:
    mapped = map_columns(["other", column], {}, IMAGE_SYNONYMS)
    assert mapped.columns == {role: column}
    assert mapped.notes == (() if column == role else (f"column {column} is read as {role}",))


def test_map_columns_named_by_user_wins_and_is_no_guess() -> None:
    mapped = map_columns(["label", "dx", "image"], {"label": "dx", "image": None}, IMAGE_SYNONYMS)
    assert mapped.columns == {"label": "dx", "image": "image"}
    assert mapped.notes == ()


def test_map_columns_gives_a_column_one_role() -> None:
    mapped = map_columns(["a", "b"], {}, {"first": ("a",), "second": ("a", "b")})
    assert mapped.columns == {"first": "a", "second": "b"}


def test_map_columns_prefers_patient_over_lesion() -> None:
    assert map_columns(["lesion_id", "patient_id"], {}, IMAGE_SYNONYMS).columns == {"group": "patient_id"}


def test_map_columns_takes_only_what_is_accepted() -> None:
    mapped = map_columns(["fold", "subset"], {}, IMAGE_SYNONYMS, {"split": lambda column: column == "fold"})
    assert mapped.columns == {"split": "fold"}


def test_map_columns_of_missing_column_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        map_columns(["diagnosis", "image"], {"label": "diagnose"}, IMAGE_SYNONYMS)
    assert "diagnose" in caught.value.what
    assert "diagnosis" in caught.value.allowed
    assert "--data.columns.label" in caught.value.fix


@pytest.mark.parametrize(
    ("cell", "word", "known"),
    [
        (" nevus ", "nevus", "nevus"),
        (3, "3", "3"),
        (3.0, "3", "3"),
        (2.5, "2.5", "2.5"),
        ("", None, None),
        (None, None, None),
        (float("nan"), None, None),
        ("Unknown", "Unknown", None),
        ("cafe\u0301", "café", "café"),
    ],
)
def test_as_word_tells_words_from_gaps(cell: object, word: str | None, known: str | None) -> None:
    assert as_word(cell) == word
    assert as_known_word(cell) == known
