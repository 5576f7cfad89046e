"""The items as they are searched: catalogue, vectors and index of a bundle, and items that were added since.

Shapes: N items, D dimensions, n new items, W words, U units a word.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from apps.recommender.data import FIELDS, encode_items
from core.backbones.recommender_config import ItemTextConfig
from core.data.catalogue import Catalogue, appended, open_catalogue
from core.data.vocabulary import TextEncoder
from core.errors import UserError
from core.evaluation.recommendation import chunks
from core.export.session import Session
from core.retrieval.vectors import VectorIndex, build_vector_index, load_vector_index
from core.tasks.recommend_schema import RecommendSchema

FloatArray = npt.NDArray[np.float32]
ITEMS, HISTORIES, ITEM_GRAPH, FACTS, INDEX = (
    "items.parquet",
    "histories.parquet",
    "item_tower.onnx",
    "items.json",
    "index",
)
"""Files in assets/."""
SPARE = 64
"""How many more items are searched for than are wanted, as some of them may not be shown."""


@dataclass(frozen=True)
class Items:
    """The items at one moment; a change makes others.

    Args:
        catalogue: N items.
        vectors: (N + 1, 2 D + 1), the first row being zeros; see TwoTower.
        likings: (N,) in training; 0 = a new item.
    """

    catalogue: Catalogue
    vectors: FloatArray
    likings: npt.NDArray[np.int64]

    @property
    def targets(self) -> FloatArray:
        """(N, D + 1): what a user's vector is multiplied with."""
        return self.vectors[1:, (self.vectors.shape[1] - 1) // 2 :]


class ItemStore:
    """Items to be searched. Safe to call from several threads: whoever reads keeps the items of that moment.

    Args:
        folder: assets/ of a bundle.
        vectors: Of the task, which opened the same folder.
        likings: Of the task.
        text: How texts are read.
        schema: Of the model.
        threads: Of ONNX Runtime; 0 = one a core.
    """

    def __init__(
        self,
        folder: Path,
        vectors: FloatArray,
        likings: npt.NDArray[np.int64],
        text: ItemTextConfig,
        schema: RecommendSchema,
        *,
        threads: int = 0,
    ) -> None:
        self.text, self.encoder = text, TextEncoder(schema.vocabulary)
        self.items = Items(open_catalogue(folder / ITEMS), vectors, likings)
        self.index = open_index(folder, self.items)
        self.session = Session(folder / ITEM_GRAPH, ("units", "user"), threads=threads)
        self._lock = threading.Lock()

    def search(
        self, user: FloatArray, k: int, banned: npt.NDArray[np.bool_], items: Items
    ) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Rows and scores of the k best items that are not banned, the best first.

        Args:
            user: (D + 1,).
            k: Fewer come where there are fewer.
            banned: Of all items (N,).
            items: Those to search; of an earlier moment, if a list was begun then.
        """
        allowed = len(banned) - int(banned.sum())
        if allowed == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        asked = min(self.index.facts.num_vectors, 2 * k + SPARE)
        rows = self.index.search(lifted_query(user)[None], asked)[1][0]
        rows = rows[rows >= 0]
        rows = rows[~banned[rows]]
        if len(rows) < min(k, allowed):
            rows = np.flatnonzero(~banned)
        # Items that were added since are few: all of them are looked at.
        rows = np.union1d(rows, np.flatnonzero(~banned[self.index.facts.num_vectors :]) + self.index.facts.num_vectors)
        scores = items.targets[rows] @ user
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def add(self, new: Catalogue) -> None:
        """Reads the texts of new items; they are found from the next list on.

        Raises:
            UserError: An id is there already, or twice.
        """
        with self._lock:
            before = self.items
            repeated = [item_id for item_id in new.ids if before.catalogue.row_of(item_id) is not None]
            if repeated or len(set(new.ids)) < len(new.ids):
                raise UserError(
                    f"An item has an id that is taken: {(*repeated, *new.ids)[0]}.",
                    "Each item has an id of its own.",
                    "Give it another one.",
                )
            told = self.read([new.text_of(row) for row in range(len(new))])
            self.items = Items(
                appended(before.catalogue, new),
                np.concatenate([before.vectors, told]),
                np.concatenate([before.likings, np.zeros(len(new), np.int64)]),
            )

    def read(self, texts: Sequence[Mapping[str, str]]) -> FloatArray:
        """What texts tell of an item, (n, 2 D + 1)."""
        units = encode_items(self.text, self.encoder, texts)
        users = np.zeros((len(units), self.items.targets.shape[1]), np.float32)
        parts = [self.session.run({"units": units[part], "user": users[part]})["vector"] for part in chunks(len(units))]
        return np.concatenate(parts)

    def words(self, rows: Sequence[int], user: FloatArray, most: int = 3) -> list[tuple[str, ...]]:
        """For each item the words of its texts that speak for a user the most: exact shares of the text's score."""
        texts = [self.items.catalogue.text_of(row) for row in rows]
        units = encode_items(self.text, self.encoder, texts)
        users = np.repeat(user[None], len(rows), axis=0)
        shares = self.session.run({"units": units, "user": users})["contributions"]
        return [self._best_words(text, share_WU, most) for text, share_WU in zip(texts, shares, strict=True)]

    def _best_words(self, text: Mapping[str, str], share_WU: FloatArray, most: int) -> tuple[str, ...]:
        per_word = share_WU.sum(axis=1)
        sizes = (self.text.title_words, self.text.tag_words, self.text.description_words)
        total: dict[str, float] = {}
        shown: dict[str, str] = {}
        start = 0
        for name, size in zip(FIELDS, sizes, strict=True):
            written = text.get(name, "")
            for place, (first, stop) in enumerate(self.encoder.words(written)[:size]):
                word = written[first:stop]
                if any(letter.isalnum() for letter in word):
                    shown.setdefault(word.casefold(), word)
                    total[word.casefold()] = total.get(word.casefold(), 0.0) + float(per_word[start + place])
            start += size
        best = sorted((word for word, share in total.items() if share > 0), key=lambda word: -total[word])[:most]
        return tuple(shown[word] for word in best)


def lifted(targets: FloatArray) -> FloatArray:
    """Item vectors of length 1 whose cosine with a lifted query falls in the order of the dot products, (N, D + 2).

    Source: Bachrach et al., Speeding Up the Xbox Recommender System Using a Euclidean Transformation, RecSys 2014.
    """
    square = np.square(targets).sum(axis=1, dtype=np.float64)
    longest = max(float(square.max(initial=0.0)), 1e-12)
    rest = np.sqrt(np.maximum(0.0, longest - square))
    unit: FloatArray = (np.concatenate([targets, rest[:, None]], axis=1) / np.sqrt(longest)).astype(np.float32)
    return unit


def lifted_query(user: FloatArray) -> FloatArray:
    """(D + 2,) of length 1."""
    whole = np.append(user, np.float32(0))
    normed: FloatArray = (whole / max(float(np.linalg.norm(whole)), 1e-12)).astype(np.float32)
    return normed


def write_index(folder: Path, targets: FloatArray) -> None:
    """Builds the index of assets/."""
    build_vector_index(lifted(targets)).save(folder / INDEX)


def open_index(folder: Path, items: Items) -> VectorIndex:
    """The index of assets/.

    Raises:
        UserError: It is of other vectors than these.
    """
    index = load_vector_index(folder / INDEX)
    facts = index.facts
    shape = (len(items.targets), items.targets.shape[1] + 1)
    if (facts.num_vectors, facts.dimension) == shape:
        probed = np.arange(0, len(items.targets), max(1, len(items.targets) // 16))
        same = np.allclose(index.vectors(probed), lifted(items.targets)[probed], atol=0.02)
        if same:
            return index
    raise UserError(
        f"The index {folder / INDEX} is not of the items beside it.",
        "Model, items and index come from one training.",
        "Copy the bundle again from where it came, or export it again.",
    )
