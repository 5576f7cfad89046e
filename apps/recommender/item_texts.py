"""The texts of an item as the model reads them, and which of their words speak for a user.

Shapes: W places for words, w words, U units a word.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.recommender.data import FIELDS, encode_items
from core.backbones.recommender_config import ItemTextConfig
from core.data.vocabulary import TextEncoder
from core.retrieval.words import is_continuous

LONGEST_RUN = 4
"""Signs of a word in a script without blanks."""
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ReadText:
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


def read_text(config: ItemTextConfig, encoder: TextEncoder, text: Mapping[str, str]) -> ReadText:
    """Title, tags and description of one item."""
    sizes = (config.title_words, config.tag_words, config.description_words)
    shown: dict[str, str] = {}
    places: list[int] = []
    words: list[str] = []
    follows: list[bool] = []
    start = 0
    for name, size in zip(FIELDS, sizes, strict=True):
        written, before = text.get(name, ""), -1
        for place, (first, stop) in enumerate(encoder.words(written)[:size]):
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
    units = encode_items(config, encoder, [text])[0]
    return ReadText(units, np.array(places, np.int64), numbers, tuple(shown.values()), np.array(follows, np.bool_))
