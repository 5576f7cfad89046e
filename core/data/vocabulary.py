"""The vocabulary of a text model, learnt from training texts: words, their parts and phrases, each with its place.

Every word of a text gives a row of units: the word itself, its character n-grams, and the phrases that begin with
it. Units that training texts do not hold are left out (id 0), so that an unseen word still has its known parts.

Shapes: B texts, L words, U units a word.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.data.text_units import BLANK, fold, is_ideograph, split_words
from core.data.vocabulary_config import Vocabulary, VocabularyConfig

Arrays = dict[str, npt.NDArray[Any]]
UNITS = "units"
"""Name of the array that `TextEncoder.encode` gives."""
LETTERS_PER_WORD = 32
"""A text is cut after so many letters a word that is read, before anything else looks at it."""
MAX_WORD_LETTERS = 48
MAX_CACHED_WORDS = 50_000


class Unit(NamedTuple):
    """One known unit of a text.

    Args:
        word: Position of the word that it begins with.
        slot: Its place among that word's units.
        start: First character in the text.
        end: One past its last character.
    """

    word: int
    slot: int
    start: int
    end: int


class _Part(NamedTuple):
    unit: int
    start: int
    end: int


def learn_vocabulary(texts: Sequence[str], config: VocabularyConfig, more_words: Sequence[str] = ()) -> Vocabulary:
    """Counts the units of training texts, and keeps those that enough texts hold.

    Args:
        texts: Of the training split.
        config: What counts as a unit.
        more_words: Folded words that a model knows from elsewhere; those that no text holds come after the others.
    """
    words: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    phrases: Counter[str] = Counter()
    for text in texts:
        tokens, _ = _cut(text, config)
        distinct = set(tokens)
        words.update(distinct)
        parts.update({part for token in distinct for part, _, _ in _parts(token, config)})
        phrases.update({phrase for word in range(len(tokens)) for phrase in _phrases(tokens, word, config)})
    # A word seen once may be the only trace of a label with few examples; once seen parts and phrases follow from it.
    kept = _kept(words, 1, config), _kept(parts, config.min_count, config), _kept(phrases, config.min_count, config)
    counts = [counter[unit] for counter, units in zip((words, parts, phrases), kept, strict=True) for unit in units]
    rarity = [round(1 + math.log((1 + len(texts)) / (1 + count)), 4) for count in counts]
    unseen = tuple(word for word in dict.fromkeys(more_words) if word not in words)
    rarity[len(kept[0]) : len(kept[0])] = [0.0] * len(unseen)
    return Vocabulary(config=config, words=kept[0] + unseen, parts=kept[1], phrases=kept[2], rarity=tuple(rarity))


class TextEncoder:
    """Texts to ids of units, and units back to places in the text."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self.config = vocabulary, vocabulary.config
        first_part, first_phrase = 1 + len(vocabulary.words), vocabulary.num_vector_units
        self._words = {word: 1 + row for row, word in enumerate(vocabulary.words)}
        self._parts = {part: first_part + row for row, part in enumerate(vocabulary.parts)}
        self._phrases = {phrase: first_phrase + row for row, phrase in enumerate(vocabulary.phrases)}
        self._parts_of: dict[str, list[_Part]] = {}

    def encode(self, texts: Sequence[str]) -> Arrays:
        """Ids of the units of texts.

        Shape: units (B, L, U) int32, 0 where there is none; L is the vocabulary's `max_words`.
        """
        units_BLU = np.zeros((len(texts), self.config.max_words, self.vocabulary.units_per_word), np.int32)
        for units_LU, text in zip(units_BLU, texts, strict=True):
            tokens, _ = _cut(text, self.config)
            for word in range(len(tokens)):
                row = self._row(tokens, word)
                units_LU[word, : len(row)] = row
        return {UNITS: units_BLU}

    def spans(self, text: str) -> list[Unit]:
        """The known units of one text, each with its place in the arrays and in the text."""
        tokens, spans = _cut(text, self.config)
        found = []
        for word, (start, end) in enumerate(spans):
            # A word of which nothing is known still has a place: a filter over its neighbours may lie there.
            for slot, unit in enumerate(self._row(tokens, word)):
                if not unit:
                    continue
                if slot < self.config.max_phrase:
                    found.append(Unit(word, slot, start, spans[word + slot][1]))
                else:
                    part = self._known_parts(tokens[word])[slot - self.config.max_phrase]
                    found.append(Unit(word, slot, start + part.start, min(end, start + part.end)))
        return found

    def words(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each word that is read."""
        return _cut(text, self.config)[1]

    def _row(self, tokens: Sequence[str], word: int) -> list[int]:
        """Ids of one word's units: itself, the phrases that begin with it, its parts."""
        row = [self._words.get(tokens[word], 0)]
        row.extend(self._phrases.get(phrase, 0) for phrase in _phrases(tokens, word, self.config))
        row.extend([0] * (self.config.max_phrase - len(row)))
        row.extend(part.unit for part in self._known_parts(tokens[word]))
        return row

    def _known_parts(self, word: str) -> list[_Part]:
        parts = self._parts_of.get(word)
        if parts is None:
            if len(self._parts_of) >= MAX_CACHED_WORDS:
                self._parts_of.clear()
            known = ((self._parts.get(part), start, end) for part, start, end in _parts(word, self.config))
            parts = [_Part(unit, start, end) for unit, start, end in known if unit][: self.config.max_parts]
            self._parts_of[word] = parts
        return parts


def trim(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Cuts off the words and slots that no text of a batch uses; for numpy arrays and torch tensors alike.

    One word and one slot are left of empty texts.
    """
    units_BLU = arrays[UNITS]
    used_LU = (units_BLU != 0).any(0)
    length, slots = _used(used_LU.any(1)), _used(used_LU.any(0))
    return {**arrays, UNITS: units_BLU[:, :length, :slots]}


def _used(flags: Any) -> int:
    places = flags.nonzero()
    last = places[0] if isinstance(places, tuple) else places
    return int(last.max()) + 1 if len(last) else 1


def _cut(text: str, config: VocabularyConfig) -> tuple[list[str], list[tuple[int, int]]]:
    """Words of a text, folded, and where they stand."""
    folded = fold(text[: config.max_words * LETTERS_PER_WORD])
    spans = split_words(folded, config.max_words)
    return [folded[start:end] for start, end in spans], spans


def _parts(word: str, config: VocabularyConfig) -> Iterator[tuple[str, int, int]]:
    """Character n-grams of a word with a blank at either end, shortest first, with their place in the word."""
    if len(word) == 1 and is_ideograph(word):
        return
    marked = f"{BLANK}{word[:MAX_WORD_LETTERS]}{BLANK}"
    for size in range(config.min_part, config.max_part + 1):
        for start in range(len(marked) - size + 1):
            yield marked[start : start + size], max(0, start - 1), start - 1 + size


def _phrases(tokens: Sequence[str], word: int, config: VocabularyConfig) -> Iterator[str]:
    """Phrases of two and more words that begin with a word, shortest first."""
    for end in range(word + 2, min(word + config.max_phrase, len(tokens)) + 1):
        yield BLANK.join(tokens[word:end])


def _kept(counts: Counter[str], min_count: int, config: VocabularyConfig) -> tuple[str, ...]:
    """The most frequent ones; ties by spelling, so that the order of texts does not matter."""
    ranked = sorted((-count, unit) for unit, count in counts.items() if count >= min_count)
    return tuple(unit for _, unit in ranked[: config.max_units])
