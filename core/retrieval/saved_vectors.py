"""Vectors of a knowledge base as files, so that opening it encodes nothing again."""

import hashlib
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.files import list_files, new_folder, sha256_of
from core.retrieval.base_index import IndexedVectors
from core.retrieval.vectors import load_vector_index

INDEX, OWNERS, BELONGS_TO = "index", "owners.npy", "belongs_to.txt"
FORMAT = 1
"""Raised when other texts of an entry are encoded, or the files change."""


def save_vectors(folder: Path, vectors: IndexedVectors, fingerprint: str) -> None:
    """Writes vectors as a folder that appears when it is whole.

    Args:
        folder: Is replaced.
        vectors: Of the entries of a knowledge base.
        fingerprint: Of these entries and their encoder.
    """
    with new_folder(folder) as aside:
        vectors.index.save(aside / INDEX)
        np.save(aside / OWNERS, vectors.owners, allow_pickle=False)
        (aside / BELONGS_TO).write_text(fingerprint, encoding="utf-8")


def load_vectors(folder: Path, fingerprint: str) -> IndexedVectors | None:
    """What `save_vectors` wrote; None where there is nothing, or only of other entries, another encoder or damaged.

    The vectors can always be made again, so that none of this is an error.
    """
    try:
        if (folder / BELONGS_TO).read_text(encoding="utf-8") != fingerprint:
            return None
        owners = np.load(folder / OWNERS, allow_pickle=False)
        index = load_vector_index(folder / INDEX)
    except (OSError, EOFError, ValueError, UserError):
        return None
    return IndexedVectors(index, owners) if len(owners) == index.facts.num_vectors else None


def fingerprint_of(entries_file: Path, encoder_folder: Path) -> str:
    """What changes when entries or their encoder do: SHA-256 of the content of their files."""
    found = hashlib.sha256(f"vectors {FORMAT}".encode())
    for file in (entries_file, *list_files(encoder_folder)):
        found.update(f"\n{file.name} {sha256_of(file)}".encode())
    return found.hexdigest()
