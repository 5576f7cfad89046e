"""A trained encoder of texts as it is served: texts in, unit vectors out, by ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.config import Record
from core.data.hashed_units import IDS, WEIGHTS, UnitConfig, hash_units
from core.errors import UserError
from core.export.session import Session

GRAPH, FACTS = "encoder.onnx", "encoder.json"
VECTOR = "vector"
BATCH = 32


class EncoderFacts(Record):
    """What its graph was trained with, and how it was proven; encoder.json."""

    units: UnitConfig
    """How a text becomes the graph's input."""
    dimension: int
    """Length of a vector."""
    parity: float
    """Largest difference between the graph and the trained model, in any number of a vector."""


class TextEncoder:
    """Texts to unit vectors. Safe to call from several threads.

    Args:
        session: Of the graph.
        facts: Of its training.
    """

    def __init__(self, session: Session, facts: EncoderFacts) -> None:
        self.session, self.facts = session, facts

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors (N, D); zeros for a text without words."""
        vectors_ND = np.zeros((len(texts), self.facts.dimension), np.float32)
        # Texts of like length share a batch, so that little is padded.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            found = self.session.run(hash_units([texts[row] for row in rows], self.facts.units))
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
    try:
        facts = EncoderFacts.model_validate_json((folder / FACTS).read_text(encoding="utf-8"))
        session = Session(folder / GRAPH, (IDS, WEIGHTS), threads=threads)
    # ONNX Runtime raises classes of its own, which have no other parent than Exception.
    except Exception as error:
        raise UserError(
            f"The encoder in {folder} cannot be read: {str(error).splitlines()[0][:200]}",
            f"A folder with {GRAPH} and {FACTS}, as a training wrote it.",
            "Train again, or use a whole copy of the bundle.",
        ) from None
    return TextEncoder(session, facts)
