"""The knowledge base: it is searched by words and by vectors, and changed while it is searched."""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UserError
from core.retrieval.base_index import BaseIndex, Encoder, IndexedVectors, encode_entries, index_vectors
from core.retrieval.entry import Entry
from core.retrieval.entry_file import load_entries
from core.retrieval.entry_texts import entry_terms, without_halves
from core.retrieval.fusion import fuse_rankings
from core.retrieval.journal import Change, Journal
from core.retrieval.overlay import Overlay
from core.retrieval.same_question import is_same_answer, is_same_question, normalise_question
from core.retrieval.snapshot import Floats, Mask, Snapshot, bind_entries
from core.retrieval.words import search_terms
from core.texts import Text

MAX_QUERY_CHARS = 2000
"""More of a message is not searched for: it costs time and says no more."""
POOL = 50
"""Entries of each ranking that are fused, at least."""
FOLDED_AT_ONCE = 5000
"""A base of more entries takes more than a second to make, and is made in another thread."""


@dataclass(frozen=True)
class Candidate:
    """An entry that may answer a query.

    Args:
        word_score: BM25; 0 = no word in common.
        word_coverage: Share of the query's words, weighed by their inverse frequency, that the entry holds, 0 to 1.
        vector_score: Cosine of its best vector; None = there is no encoder.
        fused: Reciprocal rank fusion of both rankings; higher is better.
    """

    entry: Entry
    word_score: float
    word_coverage: float
    vector_score: float | None
    fused: float


class KnowledgeBase:
    """Entries to search and to change; make it with open_knowledge.

    Any number of threads may search while others change it: a search sees the entries as they were at one moment. A
    change is on disk and in effect when its method returns. Other processes with the same folder see it too.

    Args:
        entries: As the bundle has them, with unique ids.
        journal: Of the changes since; None = changes are lost with the process.
        encoder: None = words alone.
        weights: Of the ranking by words and of that by vectors.
        vectors: Of these entries, by the same encoder, where they were kept; None = they are encoded now.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        journal: Journal | None = None,
        encoder: Encoder | None = None,
        weights: tuple[float, float] = (1.0, 1.0),
        vectors: IndexedVectors | None = None,
    ) -> None:
        self.encoder, self.weights = encoder, weights
        self._journal = journal
        self._lock = threading.RLock()
        self._changed: dict[str, Entry | None] = {}
        self._entries = {entry.entry_id: entry for entry in entries}
        assert len(self._entries) == len(entries), "ids are unique"
        # Changes since a new base began to be made; None = none is being made.
        self._since: dict[str, Change] | None = None
        if encoder is not None and vectors is None:
            vectors = index_vectors(encode_entries(entries, encoder))
        self._state = self._started(BaseIndex(entries, vectors if encoder is not None else None))
        if journal:
            with self._lock:
                self._apply(journal.read_news())
                self._fold_if_many()

    @property
    def problems(self) -> tuple[Text, ...]:
        """What was damaged in the file of changes."""
        return self._journal.problems if self._journal else ()

    def __len__(self) -> int:
        self._refresh()
        return len(self._entries)

    def entries(self) -> list[Entry]:
        """All entries: the base's in their order, then the latest changes."""
        self._refresh()
        state = self._state
        return [state.entry(number) for number in state.numbers()]

    def get(self, entry_id: str) -> Entry | None:
        """An entry by its id, or None."""
        self._refresh()
        return self._entries.get(entry_id)

    def of_intent(self, intent: str, language: str = "") -> Entry | None:
        """The first entry that the team bound to an intent, in this language where there is one; None = it has none."""
        self._refresh()
        bound = self._state.bound.get(intent, ())
        return next((entry for entry in bound if entry.language == language), bound[0] if bound else None)

    @property
    def base_vectors(self) -> IndexedVectors | None:
        """Vectors of the entries that the base was opened with, as it takes them; None = there are none."""
        return self._state.base.vectors

    def search(self, query: str, k: int, language: str = "") -> list[Candidate]:
        """The k likeliest entries, best first; fewer, or none, where nothing resembles the query.

        Args:
            query: As the customer wrote it.
            k: At most.
            language: en or zh: entries of another language stand behind those of this one or of none, unless the base
                has none of this language; empty = all alike.
        """
        self._refresh()
        state = self._state
        query = without_halves(query[:MAX_QUERY_CHARS]).strip()
        allowed = state.allowed(language)
        if k < 1 or not query or not allowed.any():
            return []
        weights = state.weights(list(dict.fromkeys(search_terms(query))))
        word_scores, vector = state.word_scores(weights), self._encode(query)
        found = self._fused(state, word_scores, vector, allowed, k)
        if len(found) < k and language:
            rest = self._fused(state, word_scores, vector, ~state.hidden & ~allowed, k)
            found |= dict(list(rest.items())[: k - len(found)])
        numbers = list(found)
        cosines = [None] * len(numbers) if vector is None else state.cosines(vector, numbers)
        return [
            Candidate(state.entry(number), float(word_scores[number]), coverage, cosine, found[number])
            for number, coverage, cosine in zip(numbers, state.coverage(weights, numbers), cosines, strict=True)
        ]

    def put(self, entry: Entry) -> list[Text]:
        """Adds an entry, or replaces the one of its id; gives what is doubtful about it."""
        return self.put_all([entry])

    def put_all(self, entries: Sequence[Entry]) -> list[Text]:
        """Adds or replaces several at once; gives what is doubtful about them.

        Raises:
            UserError: An entry has no id or no answer, or it cannot be written; nothing was changed.
        """
        for entry in entries:
            _check_entry(entry)
        with self._lock:
            self._change([Change(entry.entry_id, entry) for entry in entries])
            return [warning for entry in entries for warning in self._doubts(entry)]

    def remove(self, entry_id: str) -> bool:
        """Removes an entry; gives whether there was one."""
        self._refresh()
        with self._lock:
            if entry_id not in self._numbers:
                return False
            self._change([Change(entry_id, None)])
            return True

    def _encode(self, query: str) -> Floats | None:
        if self.encoder is None:
            return None
        vector = np.asarray(self.encoder.encode([query]), np.float32)[0]
        return vector if np.isfinite(vector).all() and vector.any() else None

    def _fused(
        self, state: Snapshot, word_scores: Floats, vector: Floats | None, allowed: Mask, k: int
    ) -> dict[int, float]:
        """Numbers of the k best entries with their fused scores, best first."""
        pool = max(POOL, 2 * k)
        rankings = [_best(np.where(allowed, word_scores, 0), pool)]
        if vector is not None:
            rankings.append(state.nearest(vector, pool, allowed)[:pool])
        fused = fuse_rankings(rankings, self.weights[: len(rankings)])
        return dict(list(fused.items())[:k])

    def _refresh(self) -> None:
        """Takes in what other processes have changed."""
        # A writer of this process takes it in itself; to wait for it would delay a search.
        if self._journal and self._journal.has_news() and self._lock.acquire(blocking=False):
            try:
                self._apply(self._journal.read_news())
            finally:
                self._lock.release()

    def _change(self, changes: Sequence[Change]) -> None:
        """Makes changes durable, then visible."""
        vectors = self._vectors_of(changes)  # before it is written, as an encoder may fail
        news = self._journal.append(changes) if self._journal else []
        self._apply(news)
        self._apply(changes, vectors)
        if self._journal and self._journal.num_lines > max(1000, 2 * len(self._changed)):
            self._journal.rewrite([Change(entry_id, entry) for entry_id, entry in self._changed.items()])
        self._fold_if_many()

    def _vectors_of(self, changes: Sequence[Change]) -> Mapping[str, Floats]:
        entries = [change.entry for change in changes if change.entry is not None]
        if self.encoder is None or not entries:
            return {}
        encoded = encode_entries(entries, self.encoder)
        starts = np.searchsorted(encoded.owners, np.arange(1, len(entries)))
        parts = np.split(encoded.vectors, starts)
        return {entry.entry_id: part for entry, part in zip(entries, parts, strict=True)}

    def _apply(self, changes: Sequence[Change], vectors: Mapping[str, Floats] | None = None) -> None:
        """Makes changes visible, all at the same moment."""
        latest = {change.entry_id: change for change in changes}
        self._changed |= {entry_id: change.entry for entry_id, change in latest.items()}
        # After another process has rewritten the file, most of its changes are in effect already.
        new = {key: change for key, change in latest.items() if self._entries.get(key) != change.entry}
        if not new:
            return
        if self._since is not None:
            self._since |= new
        for entry_id, change in new.items():
            if change.entry is None:
                del self._entries[entry_id]
            else:
                self._entries[entry_id] = change.entry
        self._state = self._shown(self._state, new, self._vectors_of([*new.values()]) if vectors is None else vectors)

    def _shown(self, old: Snapshot, changes: Mapping[str, Change], vectors: Mapping[str, Floats]) -> Snapshot:
        """The state after some changes: what they replace is hidden, what they bring stands in the overlay."""
        first = len(old.base.entries)
        hidden, added = list[int](), list[Entry]()
        for entry_id, change in changes.items():
            before = self._numbers.pop(entry_id, None)
            if before is not None:
                hidden.append(before)
            if change.entry is not None:
                added.append(change.entry)
                number = first + old.overlay.add(change.entry, entry_terms(change.entry), vectors.get(entry_id))
                self._numbers[entry_id] = number
                self._same_question[normalise_question(change.entry.question)].add(entry_id)
        count = len(old.overlay.entries)
        mask = np.zeros(first + count, dtype=bool)
        mask[: len(old.hidden)] = old.hidden
        mask[hidden] = True
        bound = bind_entries(old.bound, (old.entry(number) for number in hidden), added)
        return Snapshot(old.base, old.overlay, count, mask, bound)

    def _fold_if_many(self) -> None:
        """Makes a new base when many changes stand beside it; aside where that takes more than a moment."""
        state, size = self._state, len(self._state.base.entries)
        if self._since is not None or state.count + state.hidden[:size].sum() <= max(16, size // 20):
            return
        self._since = {}
        if size <= FOLDED_AT_ONCE:
            self._fold(state)
        else:
            threading.Thread(target=self._fold, args=(state,), name="fold", daemon=True).start()

    def _fold(self, old: Snapshot) -> None:
        """A base of what a state holds; changes since then are shown on top of it."""
        try:
            entries = [old.entry(number) for number in old.numbers()]
            base = BaseIndex(entries, index_vectors(old.vectors()) if self.encoder is not None else None)
        except BaseException:
            self._since = None  # the old state serves on, and the next change tries again
            raise
        with self._lock:
            since, self._since = self._since or {}, None
            self._state = self._shown(self._started(base), since, self._vectors_of([*since.values()]))

    def _started(self, base: BaseIndex) -> Snapshot:
        """A base without changes."""
        self._numbers = {entry.entry_id: number for number, entry in enumerate(base.entries)}
        self._same_question: dict[str, set[str]] = defaultdict(set)
        for entry in base.entries:
            self._same_question[normalise_question(entry.question)].add(entry.entry_id)
        bound = bind_entries({}, (), base.entries)
        return Snapshot(base, Overlay(), 0, np.zeros(len(base.entries), dtype=bool), bound)

    def _doubts(self, entry: Entry) -> list[Text]:
        """Other entries that ask the same."""
        warnings = []
        for entry_id in sorted(self._same_question[normalise_question(entry.question)] - {entry.entry_id}):
            other = self._entries.get(entry_id)
            # The set may hold entries that were changed since.
            if other and is_same_question(entry, other):
                warnings.append(_doubt(entry, other))
        return warnings


def open_knowledge(
    base_entries_file: Path | None,
    changes_folder: Path | None,
    encoder: Encoder | None,
    vectors: IndexedVectors | None = None,
) -> KnowledgeBase:
    """The entries of a file (see entry_file) with the changes of a folder, which is made if it is missing.

    Args:
        base_entries_file: None = no entries.
        changes_folder: None = changes are kept in memory only.
        encoder: None = words alone.
        vectors: Of the file's entries, by this encoder; None = they are encoded.
    """
    entries = load_entries(base_entries_file) if base_entries_file else []
    journal = Journal(changes_folder) if changes_folder else None
    return KnowledgeBase(entries, journal, encoder, vectors=vectors)


def _best(scores: npt.NDArray[np.float32], wanted: int) -> list[int]:
    """Numbers of the best scores above 0, best first; the lower number first among equals."""
    chosen = np.flatnonzero(scores > 0)
    if len(chosen) > wanted:
        limit = np.partition(scores[chosen], len(chosen) - wanted)[len(chosen) - wanted]
        chosen = chosen[scores[chosen] >= limit]
    best: list[int] = chosen[np.argsort(-scores[chosen], kind="stable")][:wanted].tolist()
    return best


def _check_entry(entry: Entry) -> None:
    for field in ("entry_id", "answer"):
        if not getattr(entry, field).strip():
            raise UserError(f"An entry has an empty {field}.", "It needs an id and an answer.", f"Give its {field}.")


def _doubt(entry: Entry, other: Entry) -> Text:
    if is_same_answer(entry, other):
        return Text(
            f"{entry.entry_id} repeats {other.entry_id}: same question, same answer.",
            f"{entry.entry_id} 与 {other.entry_id} 重复：问题和答案都相同。",
        )
    return Text(
        f"{entry.entry_id} contradicts {other.entry_id}: same question, another answer.",
        f"{entry.entry_id} 与 {other.entry_id} 矛盾：问题相同，答案不同。",
    )
