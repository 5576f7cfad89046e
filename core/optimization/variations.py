"""New texts out of old ones, for a teacher to label: words left out, swapped or replaced, halves of two texts.

They need not be good sentences, only near what people write: what they mean is for the teacher to say.

Sources: Wei and Zou, EDA, EMNLP 2019; Tang et al., Distilling Task-Specific Knowledge from BERT into Simple Neural
Networks, 2019.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from core.data.text_units import BLANK, fold, is_ideograph, split_words

MAX_WORDS = 256
LEFT_OUT = 0.15
"""Chance of each word to be left out."""
REPLACED = 0.25
"""Chance of each word to be replaced by a near one."""


def vary_texts(texts: Sequence[str], labels: Sequence[str], count: int, *, seed: int) -> list[str]:
    """New texts, none of them twice or among the given ones.

    Args:
        texts: To start from.
        labels: Of each; halves are taken from texts of the same label.
        count: Tries a text; fewer texts come of it, since some tries give what is there already.
        seed: Everything random follows from it.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, len(texts)]))
    pieces = [_pieces(text) for text in texts]
    of_label: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        of_label[label].append(row)
    seen = {_key(text) for text in texts}
    made = []
    for row, label in enumerate(labels):
        for _ in range(count):
            partner = of_label[label][int(generator.integers(len(of_label[label])))]
            text = _vary(pieces[row], pieces[partner], generator)
            if (key := _key(text)) and key not in seen:
                seen.add(key)
                made.append(text)
    return made


def replace_words(texts: Sequence[str], near: Mapping[str, Sequence[str]], count: int, *, seed: int) -> list[str]:
    """New texts in which near words stand in place of some; none of them twice or among the given ones.

    Args:
        texts: To start from.
        near: Of a folded word its neighbours, the nearest first.
        count: Tries a text.
        seed: Everything random follows from it.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, len(texts)]))
    seen = {_key(text) for text in texts}
    made = []
    for text in texts:
        pieces = _pieces(text)
        for _ in range(count):
            found = "".join(_replaced(piece, near, generator) for piece in pieces)
            if (key := _key(found)) not in seen:
                seen.add(key)
                made.append(found)
    return made


def _replaced(piece: str, near: Mapping[str, Sequence[str]], generator: np.random.Generator) -> str:
    """The nearest neighbours are drawn the most often."""
    chance, place = generator.random(2)
    neighbours = near.get(fold(piece).strip())
    if not neighbours or chance >= REPLACED:
        return piece
    return _blank_before(piece) + neighbours[int(len(neighbours) * place**1.5)]


def _pieces(text: str) -> list[str]:
    """The words of a text, each with what stands before it, so that joined they are the text again."""
    spans = split_words(fold(text), MAX_WORDS)
    starts = [0, *(end for _, end in spans[:-1])]
    return [text[start:end] for start, (_, end) in zip(starts, spans, strict=False)]


def _vary(pieces: Sequence[str], partner: Sequence[str], generator: np.random.Generator) -> str:
    ways = (_without_some, _with_two_swapped, lambda words, draw: _joined(words, partner, draw))
    return "".join(ways[int(generator.integers(len(ways)))](pieces, generator)).strip()


def _without_some(pieces: Sequence[str], generator: np.random.Generator) -> list[str]:
    draws = generator.random(len(pieces))
    return [piece for piece, draw in zip(pieces, draws, strict=True) if draw >= LEFT_OUT]


def _with_two_swapped(pieces: Sequence[str], generator: np.random.Generator) -> list[str]:
    swapped = list(pieces)
    if len(pieces) > 1:
        place = int(generator.integers(len(pieces) - 1))
        first, second = swapped[place], swapped[place + 1]
        # Blanks stay where they are, so that the first word does not stick to the one before it.
        swapped[place] = _blank_before(first) + second.lstrip()
        swapped[place + 1] = _blank_before(second) + first.lstrip()
    return swapped


def _joined(pieces: Sequence[str], partner: Sequence[str], generator: np.random.Generator) -> list[str]:
    """The beginning of one text and the end of another, cut at the same share of each."""
    share = generator.random()
    begin, end = pieces[: round(share * len(pieces))], partner[round(share * len(partner)) :]
    # The first word of a text has no blank before it; Chinese needs none.
    is_stuck = bool(begin and end) and not _blank_before(end[0]) and len(end) == len(partner)
    return [*begin, *([BLANK] if is_stuck and not is_ideograph(end[0][0]) else []), *end]


def _blank_before(piece: str) -> str:
    return piece[: len(piece) - len(piece.lstrip())]


def _key(text: str) -> str:
    return " ".join(fold(text).split())
