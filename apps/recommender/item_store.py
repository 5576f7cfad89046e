"""The items as they are searched: catalogue, vectors and index of a bundle, and items that were added since.

Shapes: N items, D dimensions, n new items, W words, U units a word.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.recommender.data import FIELDS, encode_items
from apps.recommender.newcomers import least_score, open_known
from apps.recommender.pictures import read_pictures
from core.backbones.recommender_config import RecommenderModelConfig
from core.data.catalogue import Catalogue, changed, open_catalogue
from core.data.vocabulary import TextEncoder
from core.errors import UserError
from core.evaluation.recommendation import chunks
from core.export.session import Session
from core.retrieval.vectors import VectorIndex, build_vector_index, load_vector_index
from core.retrieval.words import is_continuous
from core.tasks.recommend_schema import RecommendSchema

FloatArray = npt.NDArray[np.float32]
ITEMS, HISTORIES, ITEM_GRAPH, EYE, FACTS, INDEX = (
    "items.parquet",
    "histories.parquet",
    "item_tower.onnx",
    "picture_encoder.onnx",
    "items.json",
    "index",
)
"""Files in assets/."""
WIDER = 8
"""Where too many of those may not be shown, so many times as many are looked at before all are."""
TEXTS_KEPT = 10_000
"""Items whose texts are kept as the model reads them: 4 kB each."""
LONGEST_RUN = 4
"""Signs of a word in a script without blanks."""
CHECKED_AT, WANTED_RECALL = 100, 0.98
"""The index is searched as hard as it takes to find this share of so many best items."""
READ = {"title", "tags", "category", "description", "image"}
"""Facts that vectors of new items are read from."""
ROOM = 256
"""So many items, or an eighth of those there are, can be added before all vectors are copied again."""
SPARE = 64
"""How many more items are searched for than are wanted, as some of them may not be shown."""


@dataclass(frozen=True)
class Items:
    """The items at one moment; a change makes others.

    Args:
        catalogue: N items.
        vectors: (N + 1, 2 D + S + 1), the first row being zeros; see TwoTower.
        likings: (N,) in training; 0 = nobody liked it.
        num_trained: The first so many were there in training; the others were added since.
        dimension: D.
    """

    catalogue: Catalogue
    vectors: FloatArray
    likings: npt.NDArray[np.int64]
    num_trained: int
    dimension: int

    @property
    def fame(self) -> npt.NDArray[np.float64]:
        """(N,): share of all likings, for who is not known."""
        share_N: npt.NDArray[np.float64] = self.likings / max(1, int(self.likings.sum()))
        return share_N

    @property
    def targets(self) -> FloatArray:
        """(N, D + 1): what a user's vector is multiplied with."""
        return self.vectors[1:, -(self.dimension + 1) :]


class ItemStore:
    """Items to be searched. Safe to call from several threads: whoever reads keeps the items of that moment.

    Args:
        folder: assets/ of a bundle.
        vectors: Of the task, which opened the same folder.
        likings: Of the task.
        model: How texts and pictures are read.
        schema: Of the model.
        threads: Of ONNX Runtime; 0 = one a core.
    """

    def __init__(
        self,
        folder: Path,
        vectors: FloatArray,
        likings: npt.NDArray[np.int64],
        model: RecommenderModelConfig,
        schema: RecommendSchema,
        *,
        threads: int = 0,
    ) -> None:
        self.text, self.picture, self.encoder = model.text, model.picture, TextEncoder(schema.vocabulary)
        self.items = Items(open_catalogue(folder / ITEMS), vectors, likings, len(likings), model.dimension)
        self.known_by_text = open_known(folder)
        self._room = vectors
        self.index = open_index(folder, self.items)
        self.eye = Session(folder / EYE, ("pixels",), threads=threads) if (folder / EYE).is_file() else None
        self.num_seen = self._seen(["", ""]).shape[1] if self.eye else 0
        inputs = ("units", "user", "pictures") if self.eye else ("units", "user")
        self.session = Session(folder / ITEM_GRAPH, inputs, threads=threads)
        self._lock = threading.Lock()
        # Items that lists are made of come again and again, and their texts never change.
        self._text = lru_cache(maxsize=TEXTS_KEPT)(self._read_text)

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
        indexed = self.index.facts.num_vectors
        # Items that were added since are few: all of them are looked at.
        new = np.flatnonzero(~banned[indexed:]) + indexed
        rows = self._nearest(user, 2 * k + SPARE, banned)
        if len(rows) < min(k, allowed - len(new)):
            rows = self._nearest(user, WIDER * (2 * k + SPARE), banned)
        if len(rows) < min(k, allowed - len(new)):
            rows = np.flatnonzero(~banned[:indexed])
        rows = np.concatenate([rows, new])
        scores = items.targets[rows] @ user
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def newcomers(self, user: FloatArray, items: Items) -> npt.NDArray[np.int64]:
        """Rows of the items added since the training that fit a user (D + 1,)."""
        new = np.arange(items.num_trained, len(items.catalogue))
        if not len(new):
            return new
        fits_n = items.targets[new] @ user >= least_score(user[None], self.known_by_text)
        return new[fits_n]

    def _nearest(self, user: FloatArray, count: int, banned: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Rows of the best indexed items, without those that are banned."""
        rows = self.index.search(lifted_query(user)[None], min(self.index.facts.num_vectors, count))[1][0]
        rows = rows[rows >= 0]
        allowed: npt.NDArray[np.int64] = rows[~banned[rows]]
        return allowed

    def put(self, changes: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Takes new items, whose texts, and pictures if the model sees, are read at once, and other facts of others.

        Of items that were there in training behaviour tells more than texts: other texts are shown, not read.

        Args:
            changes: Id of an item, and its facts by the names of `make_catalogue`; other names are other columns.

        Raises:
            UserError: A picture cannot be read.
        """
        if not changes:
            return
        with self._lock:
            before = self.items
            catalogue = changed(before.catalogue, changes)
            rows = {catalogue.row_of(item_id) for item_id, facts in changes if READ & facts.keys()}
            new = range(len(before.catalogue), len(catalogue))
            told_by = sorted({row for row in rows if row is not None and row >= before.num_trained} | set(new))
            vectors = self._with_room(before.vectors, len(catalogue))
            if told_by:
                images = [catalogue.images[row] for row in told_by]
                vectors[np.array(told_by) + 1] = self.read([catalogue.text_of(row) for row in told_by], images)
            likings = np.concatenate([before.likings, np.zeros(len(new), np.int64)])
            self.items = Items(catalogue, vectors, likings, before.num_trained, before.dimension)
            self._text.cache_clear()

    def is_trained(self, item_id: str) -> bool:
        """It was there in training."""
        row = self.items.catalogue.row_of(item_id)
        return row is not None and row < self.items.num_trained

    def check_picture(self, image: str) -> None:
        """Looks whether a picture can be read, if pictures are.

        Raises:
            UserError: It cannot.
        """
        if self.eye and image:
            self._seen([image])

    def _with_room(self, vectors: FloatArray, num_items: int) -> FloatArray:
        """The same vectors with zeros for items behind them. Whoever holds the former ones keeps them."""
        if num_items + 1 > len(self._room):
            self._room = np.zeros((num_items + 1 + max(ROOM, num_items // 8), vectors.shape[1]), np.float32)
            self._room[: len(vectors)] = vectors
        return self._room[: num_items + 1]

    def read(self, texts: Sequence[Mapping[str, str]], images: Sequence[str] = ()) -> FloatArray:
        """What texts, and paths of pictures if there are some, tell of an item, (n, 2 D + S + 1).

        Raises:
            UserError: A picture cannot be read.
        """
        arrays = {
            "units": encode_items(self.text, self.encoder, texts),
            "user": np.zeros((len(texts), self.items.targets.shape[1]), np.float32),
        }
        if self.eye:
            arrays["pictures"] = self._seen(images or [""] * len(texts))
        parts = [
            self.session.run({name: array[part] for name, array in arrays.items()})["vector"]
            for part in chunks(len(texts))
        ]
        return np.concatenate(parts)

    def _seen(self, images: Sequence[str]) -> FloatArray:
        """What pictures tell, (n, F); zeros where there is none."""
        assert self.eye is not None
        pictures = read_pictures(images, Path(), self.picture.image_px)
        if pictures.rejected:
            first = pictures.rejected[0]
            raise UserError(f"{first.path}: {first.sentence}", "A picture that can be opened.", "Correct the path.")
        parts = [self.eye.run({"pixels": pictures.pixels_NPP3[part]})["picture"] for part in chunks(len(images))]
        told: FloatArray = np.concatenate(parts) * pictures.there_N[:, None]
        return told

    def words(self, rows: Sequence[int], user: FloatArray, most: int = 8) -> list[tuple[str, ...]]:
        """For each item the words of its texts that speak for a user the most: exact shares of the text's score."""
        texts = [self._text(row) for row in rows]
        users = np.repeat(user[None], len(rows), axis=0)
        units = np.stack([text.units for text in texts])
        slots = max(2, int(np.flatnonzero(units.any(axis=(0, 1))).max(initial=0)) + 1)
        arrays = {"units": units[:, :, :slots], "user": users}
        if self.eye:
            arrays["pictures"] = np.zeros((len(rows), self.num_seen), np.float32)
        shares = self.session.run(arrays)["contributions"]
        return [text.best(share_WU.sum(axis=1), most) for text, share_WU in zip(texts, shares, strict=True)]

    def _read_text(self, row: int) -> "_Text":
        text = self.items.catalogue.text_of(row)
        sizes = (self.text.title_words, self.text.tag_words, self.text.description_words)
        shown: dict[str, str] = {}
        places: list[int] = []
        words: list[str] = []
        follows: list[bool] = []
        start = 0
        for name, size in zip(FIELDS, sizes, strict=True):
            written, before = text.get(name, ""), -1
            for place, (first, stop) in enumerate(self.encoder.words(written)[:size]):
                word = written[first:stop]
                if any(letter.isalnum() for letter in word):
                    shown.setdefault(word.casefold(), word)
                    places.append(start + place)
                    words.append(word.casefold())
                    is_next = first == before and is_continuous(written[first - 1])
                    follows.append(is_next and is_continuous(written[first]))
                    before = stop
            start += size
        number = {word: place for place, word in enumerate(shown)}
        numbers = np.array([number[word] for word in words], np.int64)
        units = encode_items(self.text, self.encoder, [text])[0]
        return _Text(units, np.array(places, np.int64), numbers, tuple(shown.values()), np.array(follows, np.bool_))


@dataclass(frozen=True)
class _Text:
    """The texts of one item, read once.

    Args:
        units: (W, U).
        places: Of its words among W.
        numbers: Of the same words among the different ones.
        shown: Each different word as it is written first.
        follows: Of its words, whether each stands next to the one before in a script without blanks.
    """

    units: npt.NDArray[np.int32]
    places: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    shown: tuple[str, ...]
    follows: npt.NDArray[np.bool_]

    def best(self, share_W: FloatArray, most: int) -> tuple[str, ...]:
        """The different words with the largest shares above 0; signs that follow each other are one word."""
        share_w = share_W[self.places]
        if self.follows.any():
            return self._best_runs(share_w, most)
        total = np.bincount(self.numbers, share_w, len(self.shown))
        best = np.argsort(-total, kind="stable")[:most]
        return tuple(self.shown[number] for number in best if total[number] > 0)

    def _best_runs(self, share_w: FloatArray, most: int) -> tuple[str, ...]:
        """Where words are not parted by blanks, a run of signs that all speak for the user is taken for one.

        A sign alone says little, and a long run is half a sentence: they come last.
        """
        is_for_w = share_w > 0
        goes_on_w = self.follows & is_for_w & np.append(False, is_for_w[:-1])
        run_w = np.cumsum(~goes_on_w) - 1
        total_r = np.bincount(run_w, share_w)
        found: dict[str, float] = {}
        names = [""] * len(total_r)
        for run, number in zip(run_w.tolist(), self.numbers.tolist(), strict=True):
            names[run] += self.shown[number]
        for name, total in zip(names, total_r.tolist(), strict=True):
            if total > 0:
                found[name] = found.get(name, 0.0) + total

        def order(name: str) -> tuple[bool, float]:
            return is_continuous(name[0]) and not 2 <= len(name) <= LONGEST_RUN, -found[name]

        return tuple(sorted(found, key=order)[:most])


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


def build_item_index(targets: FloatArray, users: FloatArray) -> VectorIndex:
    """An index of item vectors that finds nearly all of the best items of some users.

    Args:
        targets: (N, D + 1).
        users: (B, D + 1), such as will ask; none = it is checked with vectors between two items.
    """
    queries = np.stack([lifted_query(user) for user in users]) if len(users) else None
    return build_vector_index(lifted(targets), queries=queries, nearest=CHECKED_AT, wanted_recall=WANTED_RECALL)


def write_index(folder: Path, targets: FloatArray, users: FloatArray) -> None:
    """Builds the index of assets/."""
    build_item_index(targets, users).save(folder / INDEX)


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
