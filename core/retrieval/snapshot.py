"""What a knowledge base holds at one moment: the base, and the changes up to then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.retrieval.base_index import BaseIndex, EntryVectors
from core.retrieval.bm25 import inverse_frequency
from core.retrieval.entry import Entry
from core.retrieval.overlay import Overlay

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Snapshot:
    """One state; entries are numbered through, the base's first. A changed entry is hidden and stands in the overlay.

    Args:
        count: How many entries of the overlay belong to this state.
        hidden: Whether an entry was changed or removed, by its number.
        bound: The entries that the team bound to an intent, by intent, in the order of their numbers.
    """

    base: BaseIndex
    overlay: Overlay
    count: int
    hidden: Mask
    bound: Mapping[str, tuple[Entry, ...]]

    def entry(self, number: int) -> Entry:
        """An entry by its number."""
        first = len(self.base.entries)
        return self.base.entries[number] if number < first else self.overlay.entries[number - first]

    def numbers(self) -> list[int]:
        """Numbers of the entries that are not hidden, ascending."""
        found: list[int] = np.flatnonzero(~self.hidden).tolist()
        return found

    def allowed(self, language: str) -> Mask:
        """The entries that are not hidden, of this language or of none; all of them if none has this language."""
        shown = ~self.hidden
        if not language:
            return shown
        own = np.array([entry.language for entry in self.overlay.entries[: self.count]], dtype=str)
        languages = np.concatenate([self.base.languages, own])
        same = shown & (languages == language)
        return same | (shown & (languages == "")) if same.any() else shown

    def weights(self, terms: Sequence[str]) -> list[tuple[str, float, float]]:
        """Each term with its inverse frequency in the field of questions and in the field of everything."""
        num = len(self.hidden)

        def weigh(field: str, term: str) -> float:
            frequency: int = getattr(self.base, field).frequency(term) + len(getattr(self.overlay, field).of(term))
            return inverse_frequency(num, min(num, frequency))

        return [(term, weigh("asked", term), weigh("whole", term)) for term in terms]

    def word_scores(self, weights: Sequence[tuple[str, float, float]]) -> Floats:
        """BM25 of every entry."""
        terms = [term for term, _, _ in weights]
        num = max(1, len(self.hidden))
        asked = max(1, self.base.asked.num_terms + self.overlay.asked.num_terms) / num
        whole = max(1, self.base.whole.num_terms + self.overlay.whole.num_terms) / num
        latest = self.overlay.word_scores(weights, (asked, whole), self.count)
        return np.concatenate([self.base.word_scores(terms), latest])

    def coverage(self, weights: Sequence[tuple[str, float, float]], numbers: Sequence[int]) -> list[float]:
        """Share of the terms, weighed by their inverse frequency, that each of these entries holds."""
        total = sum(weight for _, _, weight in weights)
        if total == 0 or not numbers:
            return [0.0] * len(numbers)
        first = len(self.base.entries)
        in_base = np.array([number for number in numbers if number < first], dtype=np.int64)
        held = dict.fromkeys(numbers, 0.0)
        for term, _, weight in weights:
            for number in in_base[self.base.whole.holds(term, in_base)].tolist():
                held[number] += weight
            for number in numbers:
                if number >= first and self.overlay.holds(term, number - first):
                    held[number] += weight
        return [min(1.0, held[number] / total) for number in numbers]

    def nearest(self, query: Floats, wanted: int, allowed: Mask) -> list[int]:
        """At least `wanted` allowed entries, where there are as many, with the nearest vectors, best first."""
        first = len(self.base.entries)
        found = self.base.nearest(query, wanted, allowed[:first])
        cosines = np.where(allowed[first:], self.overlay.cosines(query, self.count), -2)
        latest = [number for number in np.argsort(-cosines, kind="stable")[:wanted].tolist() if cosines[number] > -2]
        if not latest:
            return found
        scored = [*zip(self.base.cosines(query, found), found, strict=True)]
        scored += [(float(cosines[number]), first + number) for number in latest]
        return [number for _, number in sorted(scored, key=lambda pair: -pair[0])]

    def cosines(self, query: Floats, numbers: Sequence[int]) -> list[float]:
        """Cosine of the best vector of each of these entries."""
        first = len(self.base.entries)
        latest = self.overlay.cosines(query, self.count)
        in_base = [number for number in numbers if number < first]
        known = dict(zip(in_base, self.base.cosines(query, in_base), strict=True))
        return [known[number] if number < first else float(latest[number - first]) for number in numbers]

    def vectors(self) -> EntryVectors:
        """Vectors of the entries that are not hidden, which are numbered anew from 0."""
        first = len(self.base.entries)
        shown = self.numbers()
        in_base = [number for number in shown if number < first]
        latest = self.overlay.vectors_of([number - first for number in shown if number >= first], len(in_base))
        old = self.base.vectors_of(in_base)
        if old is None:
            return latest
        if not len(latest.owners):
            return old
        return EntryVectors(np.concatenate([old.vectors, latest.vectors]), np.concatenate([old.owners, latest.owners]))


def bind_entries(
    bound: Mapping[str, tuple[Entry, ...]], removed: Iterable[Entry], added: Iterable[Entry]
) -> dict[str, tuple[Entry, ...]]:
    """Entries by the intent that they are bound to, after a change; those added stand last."""
    found = dict(bound)
    for entry in removed:
        if entry.intent:
            found[entry.intent] = tuple(other for other in found[entry.intent] if other.entry_id != entry.entry_id)
    latest: dict[str, list[Entry]] = {}
    for entry in added:
        if entry.intent:
            latest.setdefault(entry.intent, []).append(entry)
    return found | {intent: (*found.get(intent, ()), *entries) for intent, entries in latest.items()}
