"""Ranking by shared words: BM25 over documents given as terms; the only door to bm25s."""

import logging
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

K1, B = 1.5, 0.75
"""Saturation of repeated terms and weight of a document's length; those of Lucene's variant in bm25s."""


class WordIndex:
    """An immutable BM25 index.

    Args:
        documents: Terms of each document.

    Source: Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009, in the variant of
    Lucene: idf = ln(1 + (N - df + 0.5) / (df + 0.5)).
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.num_documents = len(documents)
        self.num_terms = sum(map(len, documents))
        self._columns: dict[str, int] = {}
        if self.num_terms == 0:  # bm25s cannot divide by a mean length of zero
            return
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)
        # scipy's matrix has each column sorted by document, which `holds` relies on.
        index = bm25s.BM25(k1=K1, b=B, method="lucene", csc_backend="scipy")
        index.index([list(terms) for terms in documents], show_progress=False)
        self._index = index
        self._columns = {term: column for term, column in index.vocab_dict.items() if term}
        self._starts, self._rows = index.scores["indptr"], index.scores["indices"]

    def scores(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every document; 0 where it shares no term."""
        known = [self._columns[term] for term in terms if term in self._columns]
        if not known:
            return np.zeros(self.num_documents, dtype=np.float32)
        found: npt.NDArray[np.float32] = self._index.get_scores_from_ids(known)
        return found

    def frequency(self, term: str) -> int:
        """Number of documents that hold a term."""
        column = self._columns.get(term)
        return 0 if column is None else int(self._starts[column + 1] - self._starts[column])

    def holds(self, term: str, documents: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of the documents hold a term."""
        column = self._columns.get(term)
        if column is None:
            return np.zeros(len(documents), dtype=bool)
        rows = self._rows[self._starts[column] : self._starts[column + 1]]
        places = np.minimum(np.searchsorted(rows, documents), len(rows) - 1)
        return np.asarray(rows[places] == documents)


def inverse_frequency(num_documents: int, frequency: int) -> float:
    """BM25's weight of a term that `frequency` of the documents hold."""
    return math.log(1 + (num_documents - frequency + 0.5) / (frequency + 0.5))


def term_score(count: int, length: int, mean_length: float, weight: float) -> float:
    """BM25 of one term in one document, `weight` being its inverse frequency."""
    return weight * count / (count + K1 * (1 - B + B * length / mean_length))
