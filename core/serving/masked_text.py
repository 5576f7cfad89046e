"""What a text goes through before it is stored: masked, cut to a limit, and free of what databases refuse."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Engine

from core.serving.database import create_tables, storable
from core.serving.store import Store

Mask = Callable[[str], str]
Ranking = Sequence[tuple[str, float]]

MAX_TEXT = 20_000
"""Characters of a message that are kept."""
MAX_DETAILS = 100_000
"""Characters of the details of a message, as JSON."""
MAX_NAME = 255
MAX_RANKING = 20

_NOT_WORDS = re.compile(r"[\W_]+")


class MaskedStore:
    """A store that texts enter only through a mask.

    Args:
        store: Whose database is shared.
        mask: Takes out personal data; every text passes it once, before anything else is done with it.
    """

    def __init__(self, store: Store, mask: Mask) -> None:
        self.engine: Engine = store.engine
        self._mask = mask
        create_tables(self.engine)

    def text(self, given: str, limit: int = MAX_TEXT) -> str:
        """The text as it may be stored; one that is too long ends in a note of how long it was."""
        # Masked whole: a cut through a phone number would leave a half that no mask knows.
        masked = storable(self._mask(given))
        if len(masked) <= limit:
            return masked
        note = f" [… {len(masked):,} characters]"
        return masked[: limit - len(note)] + note

    def name(self, given: str) -> str:
        """A short text, such as a label or who answered."""
        return self.text(given)[:MAX_NAME]

    def json(self, given: Any) -> str:
        """JSON with every string masked, keys and numbers that are a phone or a card too."""
        shown = json.dumps(self._masked(given), ensure_ascii=False)
        return shown if len(shown) <= MAX_DETAILS else json.dumps({"cut": len(shown)})

    def ranking(self, given: Ranking) -> str:
        """JSON of the first labels with their probabilities."""
        return self.json([[self.name(label), float(share)] for label, share in given[:MAX_RANKING]])

    def _masked(self, given: Any) -> Any:
        if isinstance(given, Mapping):
            return {self.text(str(key)): self._masked(value) for key, value in given.items()}
        if isinstance(given, list | tuple | set | frozenset):
            return [self._masked(value) for value in given]
        if given is None or isinstance(given, bool | float):
            return given
        if isinstance(given, int):
            masked = self._mask(str(given))
            return given if masked == str(given) else masked
        return self.text(str(given))


def read_ranking(stored: str) -> tuple[tuple[str, float], ...]:
    """The ranking that was stored."""
    return tuple((label, share) for label, share in json.loads(stored))


def text_key(text: str) -> str:
    """The same for texts that differ only in case, width, spaces and punctuation."""
    words = _NOT_WORDS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    # A text of signs alone has no words; then the signs are what it says.
    return hashlib.sha256((words or text).encode()).hexdigest()
