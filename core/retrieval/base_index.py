"""The bulk of a knowledge base, indexed once and never changed: by words, and by vectors where there is an encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.retrieval.bm25 import WordIndex
from core.retrieval.entry import Entry
from core.retrieval.entry_texts import entry_terms, entry_texts
from core.retrieval.vectors import VectorIndex, build_vector_index

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
ASKED_WEIGHT = 0.5
"""Weight of the field of questions beside the field of everything. Chosen on validation data: on StackFAQ it lifts
MRR from 0.75 to 0.83; heavier weights lose on questions worded unlike the entry's."""
BATCH = 512


class Encoder(Protocol):
    """Texts to vectors whose dot product says how alike they are."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, one a row."""
        ...


@dataclass(frozen=True)
class EntryVectors:
    """Vectors of entries, several each.

    Args:
        vectors: Unit vectors, one a row.
        owners: Number of the entry of each, ascending.
    """

    vectors: Floats
    owners: Numbers


@dataclass(frozen=True)
class IndexedVectors:
    """Vectors of entries, ready to be searched.

    Args:
        index: Of the vectors.
        owners: Number of the entry of each, ascending.
    """

    index: VectorIndex
    owners: Numbers


def encode_entries(entries: Sequence[Entry], encoder: Encoder, first: int = 0) -> EntryVectors:
    """Vectors of the texts of each entry; entries are numbered from `first`."""
    pairs = [(number, text) for number, entry in enumerate(entries, first) for text in entry_texts(entry)]
    texts = [text for _, text in pairs]
    parts = [encoder.encode(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
    owners = np.fromiter((number for number, _ in pairs), np.int64, len(pairs))
    return EntryVectors(np.asarray(vectors, np.float32), owners)


def index_vectors(vectors: EntryVectors | None) -> IndexedVectors | None:
    """Makes vectors searchable; None where there are none."""
    if vectors is None or not len(vectors.owners):
        return None
    return IndexedVectors(build_vector_index(vectors.vectors), vectors.owners)


class BaseIndex:
    """An immutable index of entries, which are numbered from 0.

    Args:
        entries: What can be found.
        vectors: Theirs; None = there is no encoder.
    """

    def __init__(self, entries: Sequence[Entry], vectors: IndexedVectors | None) -> None:
        self.entries = tuple(entries)
        terms = [entry_terms(entry) for entry in self.entries]
        self.asked = WordIndex([fields.asked for fields in terms])
        self.whole = WordIndex([fields.whole for fields in terms])
        self.languages = np.array([entry.language for entry in self.entries], dtype=str)
        self.vectors = vectors

    def word_scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of every entry, both fields added."""
        scores: Floats = self.whole.scores(terms) + np.float32(ASKED_WEIGHT) * self.asked.scores(terms)
        return scores

    def nearest(self, query: Floats, wanted: int, allowed: npt.NDArray[np.bool_]) -> list[int]:
        """At least `wanted` entries, where there are as many, whose best vector is nearest, best first.

        Args:
            query: Unit vector.
            allowed: Whether an entry may be found, by its number.
        """
        if self.vectors is None:
            return []
        index, all_owners = self.vectors.index, self.vectors.owners
        fetched = 4 * wanted
        while True:
            numbers = index.search(query[None], fetched)[1][0]
            owners = all_owners[numbers[numbers >= 0]]
            found = list(dict.fromkeys(owners[allowed[owners]].tolist()))
            # Several vectors of an entry, and entries that are hidden, leave fewer than were fetched.
            if len(found) >= wanted or fetched >= index.facts.num_vectors:
                return found
            fetched *= 4

    def cosines(self, query: Floats, numbers: Sequence[int]) -> list[float]:
        """Cosine of the best vector of each of these entries."""
        if self.vectors is None or not numbers:
            return [0.0] * len(numbers)
        owners = self.vectors.owners
        wanted = np.asarray(numbers, np.int64)
        starts, ends = np.searchsorted(owners, wanted), np.searchsorted(owners, wanted + 1)
        counts = ends - starts
        rows = np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)
        best = np.full(len(numbers), -1.0, np.float32)
        np.maximum.at(best, np.repeat(np.arange(len(numbers)), counts), self.vectors.index.vectors(rows) @ query)
        found: list[float] = np.where(counts > 0, best, 0).tolist()
        return found

    def vectors_of(self, numbers: Sequence[int]) -> EntryVectors | None:
        """Vectors of these entries (ascending), which are numbered anew from 0; None = there are no vectors."""
        if self.vectors is None:
            return None
        owners = self.vectors.owners
        rows = np.flatnonzero(np.isin(owners, numbers))
        return EntryVectors(self.vectors.index.vectors(rows), np.searchsorted(numbers, owners[rows]))
