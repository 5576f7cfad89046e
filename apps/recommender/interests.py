"""Stated interests: which items' texts match them, and so what somebody who states them may like besides.

Shapes: N items.
"""

import threading
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from core.data.catalogue import Catalogue
from core.retrieval.bm25 import WordIndex
from core.retrieval.words import search_terms

WORTH = 4
"""How many times a word of title and tags counts beside one of the description."""
COMMON = 0.15
"""Words in a larger share of the items tell nothing."""
MEANT = 6
"""Items that match the best stand for the interests, as if they had been looked at."""
LEAST_MATCH = 0.4
"""Share of the best match that an item needs to be one of them."""
SPREAD_OVER = 12
"""So many of the best items, and four times as many that match, tell what a standard deviation of scores is."""
MATCH_WEIGHT = 3.0
"""How much a full match counts, in standard deviations of the model's scores."""


class InterestIndex:
    """Finds items by words; made anew when texts of the catalogue have changed, at the first question after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: tuple[tuple[str, ...], ...] = ()
        self._index = WordIndex([])
        self._naming: frozenset[str] = frozenset()

    def match(self, text: str, catalogue: Catalogue) -> npt.NDArray[np.float64]:
        """How well each item's texts match, (N,): 1 = the best of them, 0 = no word in common."""
        with self._lock:
            known = (catalogue.titles, catalogue.tags, catalogue.categories, catalogue.descriptions)
            if not self._texts or any(one is not other for one, other in zip(self._texts, known, strict=True)):
                texts = (catalogue.text_of(row) for row in range(len(catalogue)))
                # Title and tags say what an item is, a description much besides.
                names, told = zip(*((_name(text), search_terms(text["description"])) for text in texts), strict=True)
                documents = [name * WORTH + words for name, words in zip(names, told, strict=True)]
                self._index, self._texts = WordIndex(documents), known
                self._naming = frozenset(term for name in names for term in name)
            index, naming = self._index, self._naming
        terms = [term for term in search_terms(text) if index.frequency(term) <= COMMON * len(catalogue)]
        # "Something for people who like" is in no title: such words count only where nothing else is said.
        terms = [term for term in terms if term in naming] or terms
        scores = index.scores(terms).astype(np.float64)
        return scores / max(float(scores.max(initial=0.0)), 1e-9)


def _name(text: Mapping[str, str]) -> list[str]:
    return search_terms(f"{text['title']} {text['tags']}")


def rows_meant(match_N: npt.NDArray[np.float64]) -> list[int]:
    """Rows of the items that interests stand for, the best last, as a history has it."""
    best = np.argsort(-match_N, kind="stable")[:MEANT]
    return [int(row) for row in best[match_N[best] >= LEAST_MATCH]][::-1]


def with_match(
    scores_P: npt.NDArray[np.floating], match_P: npt.NDArray[np.float64], spread: float
) -> npt.NDArray[np.floating]:
    """Scores that count what the model says, in its standard deviations, and how well a text matches."""
    return scores_P / spread + MATCH_WEIGHT * match_P


def spread_of(scores_P: npt.NDArray[np.floating]) -> float:
    """Their standard deviation."""
    return max(float(np.std(scores_P)), 1e-9) if len(scores_P) else 1.0
