"""Vectors of single words as a pretrained encoder gives them, for models that read words: near words mean alike.

A model that starts from them has an idea of words that no training text holds.

Shapes: N words, H hidden size of the encoder, S numbers that are kept.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from core.backbones.transformer import build_transformer_classifier
from core.backbones.transformer_config import TransformerConfig
from core.backbones.transformer_files import load_text_encoder
from core.data.text_units import fold, is_ideograph, split_words
from core.data.tokens import TOKENS, TokenEncoder

Vectors = npt.NDArray[np.float32]
MAX_TOKENS = 12
"""Tokens of a word that are read."""
BATCH = 256
START_SIGNS = ("▁", "Ġ")
"""What tokens that begin a word begin with, where tokenizers mark them."""
MORE_SIGN = "##"
"""What tokens that go on with a word begin with, where tokenizers mark these instead."""


def known_words(name: str, limit: int) -> tuple[str, ...]:
    """The whole words of a pretrained model's tokenizer, folded; the first ones, which are the most frequent.

    Raises:
        UserError: The model cannot be had.
    """
    from tokenizers import Tokenizer

    number_of = Tokenizer.from_str(load_text_encoder(name).tokenizer).get_vocab(with_added_tokens=False)
    tokens = sorted(number_of, key=lambda token: number_of[token])
    if any(token.startswith(MORE_SIGN) for token in tokens):
        begun = [token for token in tokens if not token.startswith(MORE_SIGN)]
    else:
        begun = [token[1:] for token in tokens if token.startswith(START_SIGNS)]
    return tuple(word for word in dict.fromkeys(map(fold, begun)) if _is_word(word))[:limit]


def load_word_vectors(name: str, words: tuple[str, ...], size: int) -> Vectors:
    """(N, S): what the encoder says of each word alone, its main directions, centred, of mean square 1.

    Args:
        name: A Hugging Face id or a local folder.
        words: N of them.
        size: S, at most; an encoder or a set of words that is smaller leaves the rest at zero.

    Raises:
        UserError: The model cannot be had.
    """
    vectors_NH = _encode(name, words)
    centred_NH = vectors_NH - vectors_NH.mean(axis=0)
    _, directions_HH = np.linalg.eigh(centred_NH.T @ centred_NH)
    main_NS = centred_NH @ directions_HH[:, ::-1][:, :size]
    vectors_NS = np.zeros((len(words), size), np.float32)
    vectors_NS[:, : main_NS.shape[1]] = main_NS / max(float(np.sqrt(np.square(main_NS).mean())), 1e-6)
    return vectors_NS


def near_words(
    asked: Sequence[str], words: Sequence[str], vectors_NS: Vectors, *, count: int = 12, least: float = 0.4
) -> dict[str, tuple[str, ...]]:
    """Of each word that has any, its neighbours, the nearest first.

    Args:
        asked: Words, each one of `words`.
        words: N of them.
        vectors_NS: Of them.
        count: Neighbours at most.
        least: Cosine of the angle between neighbours.
    """
    unit_NS = vectors_NS / np.linalg.norm(vectors_NS, axis=1, keepdims=True).clip(1e-6)
    row_of = {word: row for row, word in enumerate(words)}
    found = {}
    for word in asked:
        near_N = unit_NS @ unit_NS[row_of[word]]
        near_N[row_of[word]] = -1
        best = np.argsort(-near_N, kind="stable")[:count]
        if neighbours := tuple(words[row] for row in best if near_N[row] >= least):
            found[word] = neighbours
    return found


# The data asks for neighbours and the model for its table: the same words, and half a minute on two cores.
@lru_cache(maxsize=1)
def _encode(name: str, words: tuple[str, ...]) -> Vectors:
    facts = load_text_encoder(name)
    encoder = TokenEncoder(facts.tokenizer, MAX_TOKENS)
    tokens_NL = encoder.encode(words)[TOKENS]
    model = build_transformer_classifier(TransformerConfig(name=name, max_tokens=MAX_TOKENS), 1, facts).eval()
    order_N = np.argsort((tokens_NL != encoder.pad_id).sum(axis=1), kind="stable")
    vectors_NH = np.empty((len(words), model.classifier.in_features), np.float32)
    with torch.no_grad():
        for start in range(0, len(words), BATCH):
            rows = order_N[start : start + BATCH]
            batch = encoder.trim({TOKENS: tokens_NL[rows]})[TOKENS]
            vectors_NH[rows] = model.embed(torch.from_numpy(np.ascontiguousarray(batch))).numpy()
    return vectors_NH


def _is_word(folded: str) -> bool:
    """Whether texts that are cut into words can give it; single letters are left to the data."""
    is_whole = split_words(folded, 2) == [(0, len(folded))]
    return is_whole and folded.isalpha() and (len(folded) > 1 or is_ideograph(folded))
