"""Names of people in a text, English and Chinese together."""

from collections.abc import Iterator

from core.data.personal_data_chinese import find_chinese_names
from core.data.personal_data_english import find_english_names
from core.data.personal_data_kind import Span


def find_names(plain: str) -> Iterator[Span]:
    """Every name that the words around it introduce; the longest of those that start together."""
    spans = sorted({*find_english_names(plain), *find_chinese_names(plain)}, key=lambda span: (span[0], -span[1]))
    end = 0
    for start, stop in spans:
        if start >= end:
            end = stop
            yield "name", start, stop
