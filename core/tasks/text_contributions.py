"""Which n-grams of a text carried its label: a TextCNN's shares of the logit, at their places in the text.

Shapes: L words, U units a word, W widths of filters.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.data.vocabulary import TextEncoder
from core.tasks.text_answer import Contribution


def list_contributions(
    text: str, shares: npt.NDArray[np.floating], encoder: TextEncoder, widths: Sequence[int]
) -> tuple[Contribution, ...]:
    """What each n-gram added to the logit of the most probable label, the largest first.

    Units and windows over the same letters are one n-gram. The weights sum to the logit less its bias.

    Args:
        text: Raw.
        shares: (L, U + W) of this text, as `TextCNN.serve` gives them.
        encoder: Of the model's vocabulary.
        widths: Words that each kind of filter looks at, in the model's order.
    """
    words = encoder.words(text)
    num_units = shares.shape[1] - len(widths)
    weights: defaultdict[tuple[int, int], float] = defaultdict(float)
    for unit in encoder.spans(text):
        if unit.word < shares.shape[0] and unit.slot < num_units:
            weights[unit.start, unit.end] += float(shares[unit.word, unit.slot])
    for place in range(min(len(words), shares.shape[0])):
        for number, width in enumerate(widths):
            first = max(0, place - (width - 1) // 2)
            last = min(len(words) - 1, place + width // 2)
            weights[words[first][0], words[last][1]] += float(shares[place, num_units + number])
    found = [Contribution(text[start:end], start, end, weight) for (start, end), weight in weights.items() if weight]
    return tuple(sorted(found, key=lambda part: (-part.weight, part.start, part.end)))
