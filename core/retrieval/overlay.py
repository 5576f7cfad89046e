"""The latest changes of a knowledge base: a small index that only grows, so that readers need no lock."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.retrieval.base_index import ASKED_WEIGHT, EntryVectors
from core.retrieval.bm25 import term_score
from core.retrieval.entry import Entry
from core.retrieval.entry_texts import EntryTerms

Floats = npt.NDArray[np.float32]


class FieldPostings:
    """For each term, the entries that hold it, in the order in which they were added."""

    def __init__(self) -> None:
        self.num_terms = 0
        self._postings: dict[str, list[tuple[int, int, int]]] = defaultdict(list)

    def add(self, number: int, terms: Sequence[str]) -> None:
        """Adds an entry's terms under its number."""
        self.num_terms += len(terms)
        for term, count in Counter(terms).items():
            self._postings[term].append((number, count, len(terms)))

    def of(self, term: str) -> Sequence[tuple[int, int, int]]:
        """Number, count of the term and number of all terms, of each entry that holds it."""
        return self._postings.get(term, ())


class Overlay:
    """Entries added one by one. A reader remembers how many there were and passes that number as `count`."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.asked, self.whole = FieldPostings(), FieldPostings()
        # One array object a growth step: a reader keeps the one that it has taken.
        self._vectors = np.zeros((0, 1), np.float32)
        self._owners = np.zeros(0, np.int64)
        self._num_vectors = 0

    def add(self, entry: Entry, terms: EntryTerms, vectors: Floats | None) -> int:
        """Adds an entry and gives its number; only one thread at a time may."""
        number = len(self.entries)
        self.asked.add(number, terms.asked)
        self.whole.add(number, terms.whole)
        if vectors is not None and len(vectors):
            self._add_vectors(number, vectors)
        self.entries.append(entry)
        return number

    def word_scores(
        self, weights: Sequence[tuple[str, float, float]], mean_lengths: tuple[float, float], count: int
    ) -> Floats:
        """BM25 of the first `count` entries.

        Args:
            weights: Each term with its inverse frequency in the field of questions and in the field of everything.
            mean_lengths: Mean number of terms of these two fields.
            count: How many entries there were when the reader began.
        """
        scores = [0.0] * count
        for term, asked_weight, whole_weight in weights:
            fields = (
                (self.asked, ASKED_WEIGHT * asked_weight, mean_lengths[0]),
                (self.whole, whole_weight, mean_lengths[1]),
            )
            for field, weight, mean_length in fields:
                for number, times, length in field.of(term):
                    if number < count:
                        scores[number] += term_score(times, length, mean_length, weight)
        return np.array(scores, np.float32)

    def holds(self, term: str, number: int) -> bool:
        """Whether an entry holds a term."""
        postings = self.whole.of(term)
        place = bisect_left(postings, (number, 0, 0))  # entries are added in the order of their numbers
        return place < len(postings) and postings[place][0] == number

    def cosines(self, query: Floats, count: int) -> Floats:
        """Cosine of the best vector of each of the first `count` entries; 0 where it has none."""
        rows = self._num_vectors
        owners, vectors = self._owners[:rows], self._vectors[:rows]
        known = owners < count
        best = np.full(count, -2.0, np.float32)
        if known.any():
            np.maximum.at(best, owners[known], vectors[known] @ query)
        return np.where(best < -1.5, np.float32(0), best)

    def vectors_of(self, numbers: Sequence[int], first: int) -> EntryVectors:
        """Vectors of these entries (ascending), which are numbered anew from `first`."""
        owners = self._owners[: self._num_vectors]
        rows = np.flatnonzero(np.isin(owners, numbers))
        return EntryVectors(self._vectors[rows], first + np.searchsorted(numbers, owners[rows]))

    def _add_vectors(self, number: int, vectors: Floats) -> None:
        needed = self._num_vectors + len(vectors)
        if needed > len(self._owners):
            grown = np.zeros((2 * needed, vectors.shape[1]), np.float32)
            owners = np.zeros(2 * needed, np.int64)
            if self._num_vectors:
                grown[: self._num_vectors] = self._vectors[: self._num_vectors]
                owners[: self._num_vectors] = self._owners[: self._num_vectors]
            self._vectors, self._owners = grown, owners
        self._vectors[self._num_vectors : needed] = vectors
        self._owners[self._num_vectors : needed] = number
        self._num_vectors = needed
