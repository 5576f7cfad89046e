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

from apps.recommender.data import encode_items
from apps.recommender.item_index import lifted_query, open_index
from apps.recommender.item_texts import ReadText, read_text
from apps.recommender.newcomers import open_known
from apps.recommender.pictures import Pictures, read_pictures
from core.backbones.recommender_config import RecommenderModelConfig
from core.data.catalogue import Catalogue, changed, open_catalogue
from core.data.vocabulary import TextEncoder
from core.errors import UserError
from core.evaluation.recommendation import chunks
from core.export.session import Session
from core.tasks.recommend_schema import RecommendSchema

FloatArray = npt.NDArray[np.float32]
ITEMS, HISTORIES, ITEM_GRAPH, EYE, FACTS = (
    "items.parquet",
    "histories.parquet",
    "item_tower.onnx",
    "picture_encoder.onnx",
    "items.json",
)
"""Files in assets/."""
WIDER = 8
"""Where too many of those may not be shown, so many times as many are looked at before all are."""
TEXTS_KEPT = 10_000
"""Items whose texts are kept as the model reads them: 4 kB each."""
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
        self.index = open_index(folder, self.items.targets)
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

    def newcomers(self, user: FloatArray, banned: npt.NDArray[np.bool_], items: Items) -> npt.NDArray[np.int64]:
        """Rows of the items added since the training that fit a user (D + 1,) to whom some may not be shown."""
        new = np.arange(items.num_trained, len(items.catalogue))
        if not len(new):
            return new
        fits_n = items.targets[new] @ user >= self.known_by_text.least_score(user, banned)
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
            self._pictures([image])

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
        pictures = self._pictures(images)
        parts = [self.eye.run({"pixels": pictures.pixels_NPP3[part]})["picture"] for part in chunks(len(images))]
        told: FloatArray = np.concatenate(parts) * pictures.there_N[:, None]
        return told

    def _pictures(self, images: Sequence[str]) -> Pictures:
        pictures = read_pictures(images, Path(), self.picture.image_px)
        if pictures.rejected:
            first = pictures.rejected[0]
            raise UserError(f"{first.path}: {first.sentence}", "A picture that can be opened.", "Correct the path.")
        return pictures

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

    def _read_text(self, row: int) -> ReadText:
        return read_text(self.text, self.encoder, self.items.catalogue.text_of(row))
