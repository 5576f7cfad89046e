"""A trained encoder of texts as it is served: texts in, unit vectors out, by ONNX Runtime."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.config import Record
from core.data.hashed_units import IDS, WEIGHTS, hash_units
from core.data.tokens import TOKENS, TokenEncoder
from core.data.unit_config import UnitConfig
from core.export.session import Session
from core.retrieval.served_model import reading_model
from core.tasks.task import Arrays

GRAPH, FACTS, TOKENIZER = "encoder.onnx", "encoder.json", "tokenizer.json"
VECTOR = "vector"
BATCH = 32


class EncoderFacts(Record):
    """What its graph takes and gives, and how it was proven; encoder.json."""

    units: UnitConfig | None = None
    """How a text becomes a bag of units; none = it becomes tokens, as tokenizer.json says."""
    max_tokens: int = 0
    """Tokens of a text that are read."""
    dimension: int
    """Length of a vector."""
    parity: float
    """Largest difference between the graph and the trained model, in any number of a vector."""


class TextEncoder:
    """Texts to unit vectors. Safe to call from several threads.

    Args:
        session: Of the graph.
        facts: Of the graph.
        tokenise: Texts to its arrays.
    """

    def __init__(self, session: Session, facts: EncoderFacts, tokenise: Callable[[Sequence[str]], Arrays]) -> None:
        self.session, self.facts, self.tokenise = session, facts, tokenise

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors (N, D); zeros for a text without words."""
        vectors_ND = np.zeros((len(texts), self.facts.dimension), np.float32)
        # Texts of like length share a batch, so that little is padded.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            found = self.session.run(self.tokenise([texts[row] for row in rows]))
            vectors_ND[rows] = found[VECTOR]
        return vectors_ND


def load_encoder(folder: Path, *, threads: int = 1) -> TextEncoder:
    """Reads an encoder that `fit_encoder` wrote.

    Args:
        folder: With encoder.onnx and encoder.json.
        threads: Inside one call; 0 = one a core.

    Raises:
        UserError: A file is missing or damaged.
    """
    with reading_model("encoder", folder, f"{GRAPH} and {FACTS}"):
        facts = EncoderFacts.model_validate_json((folder / FACTS).read_text(encoding="utf-8"))
        tokenise, inputs = _build_tokenise(folder, facts)
        session = Session(folder / GRAPH, inputs, threads=threads)
    return TextEncoder(session, facts, tokenise)


def _build_tokenise(folder: Path, facts: EncoderFacts) -> tuple[Callable[[Sequence[str]], Arrays], tuple[str, ...]]:
    """What turns texts into arrays, and the names of these."""
    units = facts.units
    if units is not None:
        return lambda texts: hash_units(texts, units), (IDS, WEIGHTS)
    tokens = TokenEncoder((folder / TOKENIZER).read_text(encoding="utf-8"), facts.max_tokens)
    return lambda texts: tokens.trim(tokens.encode(texts)), (TOKENS,)
