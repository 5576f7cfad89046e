"""Questions become groups that ask the same, each named by its most typical one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.retrieval.base_index import Encoder
from core.retrieval.bm25 import inverse_frequency
from core.retrieval.words import search_terms

MAX_TEXTS = 5000
"""Hierarchical clustering compares all with all; the texts after these are added to the nearest group."""
MAX_DISTANCE = {"vectors": 0.35, "words": 0.85}
"""Mean cosine distance at which groups are no longer joined."""


@dataclass(frozen=True)
class Cluster:
    """Texts that ask the same.

    Args:
        indices: Positions of the texts, ascending.
        medoid: Position of the one that is nearest to all others.
        name: That text.
    """

    indices: tuple[int, ...]
    medoid: int
    name: str


def cluster_questions(
    texts: Sequence[str], encoder: Encoder | None = None, max_distance: float | None = None
) -> list[Cluster]:
    """Groups of texts, the largest first; every text stands in one group.

    Average-linkage clustering by cosine distance, cut at a distance, so that the number of groups need not be known.

    Args:
        texts: Questions in any order; the result does not depend on chance.
        encoder: None = texts are compared by their words.
        max_distance: Mean cosine distance at which groups are no longer joined; None = by experience.
    """
    if not texts:
        return []
    vectors = _unit(np.asarray(encoder.encode(texts), np.float32) if encoder else _term_vectors(texts))
    limit = MAX_DISTANCE["vectors" if encoder else "words"] if max_distance is None else max_distance
    groups = _groups(vectors, limit)
    clusters = []
    for group in groups:
        # The medoid has the largest sum of cosines, that is, the largest one with the sum of all vectors.
        medoid = int(group[np.argmax(np.round(vectors[group] @ vectors[group].sum(axis=0), 5))])
        clusters.append(Cluster(tuple(group.tolist()), medoid, texts[medoid]))
    return sorted(clusters, key=lambda cluster: (-len(cluster.indices), cluster.indices))


def _groups(vectors: npt.NDArray[np.float32], limit: float) -> list[npt.NDArray[np.int64]]:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    first = vectors[:MAX_TEXTS]
    if len(first) == 1:
        labels = np.array([1])
    else:
        tree = linkage(squareform(np.clip(1 - first @ first.T, 0, 2), checks=False), method="average")
        labels = fcluster(tree, limit, criterion="distance")
    if len(vectors) > len(first):
        sums = np.stack([first[labels == label].sum(axis=0) for label in range(1, labels.max() + 1)])
        labels = np.concatenate([labels, 1 + np.argmax(vectors[len(first) :] @ _unit(sums).T, axis=1)])
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _term_vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Term counts, dampened and weighed by inverse frequency."""
    counts = [Counter(search_terms(text)) for text in texts]
    frequency = Counter(term for terms in counts for term in terms)
    # A term of one text joins nothing but sets the text apart: all of them share a column of the text's own.
    columns = {term: column for column, term in enumerate(sorted(t for t, times in frequency.items() if times > 1))}
    vectors = np.zeros((len(texts), len(columns) + len(texts)), np.float32)
    for row, terms in enumerate(counts):
        own = 0.0
        for term, count in terms.items():
            weight = (1 + np.log(count)) * inverse_frequency(len(texts), frequency[term])
            if term in columns:
                vectors[row, columns[term]] = weight
            else:
                own += weight**2
        vectors[row, len(columns) + row] = own**0.5
    return vectors


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)
