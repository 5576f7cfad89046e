"""Texts to the tokens of a pretrained model, by its tokenizer.json; serving needs no transformers for it.

Shapes: B texts, L tokens.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import UserError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Arrays = dict[str, npt.NDArray[Any]]
TOKENS = "tokens"
"""Name of the array that `TokenEncoder.encode` gives."""
SEGMENTS = "segments"
"""Name of the second array that `TokenEncoder.encode_pairs` gives: 1 where a token is of the second text."""
LETTERS_PER_TOKEN = 32
"""A text is cut after so many letters a token that is read, before the tokenizer looks at it."""


class TokenEncoder:
    """Texts to token ids, and tokens back to places in the text. Safe to call from several threads.

    Args:
        tokenizer_json: Content of a tokenizer.json that states its padding, as `load_text_encoder` gives it.
        max_tokens: L, the special ones included; the rest of a text is cut.

    Raises:
        UserError: It cannot be read, or states no padding.
    """

    def __init__(self, tokenizer_json: str, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._tokenizer = _read(tokenizer_json)
        padding = self._tokenizer.padding
        if padding is None:
            raise UserError(
                "The tokenizer states no padding.",
                "Texts of a batch are padded to one length.",
                "Use a tokenizer.json as a training of this suite stores it.",
            )
        self.pad_id: int = padding["pad_id"]
        self._tokenizer.enable_padding(
            direction="right", pad_id=self.pad_id, pad_token=padding["pad_token"], length=max_tokens
        )
        self._tokenizer.enable_truncation(max_tokens)

    @property
    def num_tokens(self) -> int:
        """Ids that the tokenizer may give: all are below this."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def encode(self, texts: Sequence[str]) -> Arrays:
        """Token ids, padded with `pad_id`.

        Shape: tokens (B, L) int32.
        """
        if not texts:
            return {TOKENS: np.zeros((0, self.max_tokens), np.int32)}
        found = self._tokenizer.encode_batch_fast([self._readable(text) for text in texts])
        return {TOKENS: np.array([encoding.ids for encoding in found], np.int32)}

    def encode_pairs(self, first: str, seconds: Sequence[str]) -> Arrays:
        """Token ids of one text with each of the others behind it; the longer of the two is cut first.

        Shape: tokens and segments (B, L) int32.
        """
        pairs = [(self._readable(first), self._readable(second)) for second in seconds]
        found = self._tokenizer.encode_batch_fast(pairs) if pairs else []
        shape = (len(found), self.max_tokens)
        return {
            TOKENS: np.array([encoding.ids for encoding in found], np.int32).reshape(shape),
            SEGMENTS: np.array([encoding.type_ids for encoding in found], np.int32).reshape(shape),
        }

    def spans(self, text: str) -> list[tuple[int, int]]:
        """First character and one past the last of each token of one text; special tokens have (0, 0)."""
        found = self._tokenizer.encode(self._readable(text))
        return [span for span, is_real in zip(found.offsets, found.attention_mask, strict=True) if is_real]

    def trim(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Cuts off the places that no text of a batch uses; for numpy arrays and torch tensors alike."""
        used_L = (arrays[TOKENS] != self.pad_id).any(0)
        length = max((place + 1 for place, is_used in enumerate(used_L.tolist()) if is_used), default=1)
        return {**arrays, **{name: arrays[name][:, :length] for name in (TOKENS, SEGMENTS) if name in arrays}}

    def _readable(self, text: str) -> str:
        """The text without what has no place in UTF-8 (halves of surrogate pairs); as long as it was, or cut."""
        return text[: self.max_tokens * LETTERS_PER_TOKEN].encode("utf-8", "replace").decode("utf-8")


def _read(tokenizer_json: str) -> "Tokenizer":
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(tokenizer_json)
    # The library raises a plain Exception.
    except Exception as error:
        raise UserError(
            f"The tokenizer cannot be read: {str(error)[:200]}",
            "The content of a tokenizer.json.",
            "Train again, or install the version of `tokenizers` that wrote it.",
        ) from None
