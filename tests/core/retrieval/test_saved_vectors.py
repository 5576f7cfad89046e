"""Opening a knowledge base encodes only what changed since its vectors were saved, and never uses those of others."""

from pathlib import Path

import numpy as np
import pytest

from core.retrieval.base_index import EntryVectors, index_vectors
from core.retrieval.entry import Entry
from core.retrieval.entry_file import save_entries
from core.retrieval.journal import Journal
from core.retrieval.knowledge_base import KnowledgeBase
from core.retrieval.saved_vectors import fingerprint_of, load_vectors, save_vectors

from .toy_encoder import SHOP, ToyEncoder, entry


def write(folder: Path, entries: list[Entry] = SHOP) -> str:
    """Entries, an encoder's file and vectors in a folder; gives what they belong to."""
    (folder / "encoder").mkdir()
    (folder / "encoder" / "encoder.json").write_text("{}")
    save_entries(folder / "entries.jsonl", entries)
    fingerprint = fingerprint_of(folder / "entries.jsonl", folder / "encoder")
    vectors = KnowledgeBase(entries, encoder=ToyEncoder()).base_vectors
    assert vectors is not None
    save_vectors(folder / "vectors", vectors, fingerprint)
    return fingerprint


def open_base(folder: Path, fingerprint: str, changes: Path | None = None) -> tuple[KnowledgeBase, ToyEncoder]:
    encoder, vectors = ToyEncoder(), load_vectors(folder / "vectors", fingerprint)
    assert vectors is not None
    return KnowledgeBase(SHOP, Journal(changes) if changes else None, encoder, vectors=vectors), encoder


def test_saved_vectors_are_used_and_find_the_same(tmp_path: Path) -> None:
    base, encoder = open_base(tmp_path, write(tmp_path))
    assert encoder.num_encoded == 0
    fresh = KnowledgeBase(SHOP, encoder=ToyEncoder())
    for query in ("my package", "退款", "warranty of a sofa"):
        assert base.search(query, 5) == fresh.search(query, 5)


def test_changes_alone_are_encoded_when_a_base_is_opened(tmp_path: Path) -> None:
    fingerprint = write(tmp_path)
    first, _ = open_base(tmp_path, fingerprint, tmp_path / "changes")
    first.put(entry("ship", "Do you sell a couch?", "Yes."))
    first.put(entry("gift", "Do you wrap gifts?", "Yes, we do."))
    first.remove("refund")
    base, encoder = open_base(tmp_path, fingerprint, tmp_path / "changes")
    assert encoder.num_encoded == 4, "question and answer of the two entries"
    assert base.entries() == first.entries()
    assert base.search("sofa", 1)[0].entry.answer == "Yes.", "the vector of the entry as it was is not used"
    assert base.search("sofa", 3) == first.search("sofa", 3)
    assert base.get("refund") is None


def test_many_changes_are_folded_into_the_base_when_it_is_opened(tmp_path: Path) -> None:
    fingerprint = write(tmp_path)
    first, _ = open_base(tmp_path, fingerprint, tmp_path / "changes")
    first.put_all([entry(f"n{number}", f"Question {number}", f"Answer {number}") for number in range(60)])
    base, encoder = open_base(tmp_path, fingerprint, tmp_path / "changes")
    assert encoder.num_encoded == 120
    assert len(base) == len(SHOP) + 60
    assert base.search("question 17", 1)[0].entry.entry_id == "n17"
    assert base.search("my package", 1)[0].entry.entry_id == "ship"


@pytest.mark.parametrize("changed", ["encoder/encoder.json", "entries.jsonl"])
def test_vectors_of_another_encoder_or_of_other_entries_are_not_used(tmp_path: Path, changed: str) -> None:
    fingerprint = write(tmp_path)
    with (tmp_path / changed).open("a") as stream:
        stream.write("\n")
    now = fingerprint_of(tmp_path / "entries.jsonl", tmp_path / "encoder")
    assert now != fingerprint
    assert load_vectors(tmp_path / "vectors", now) is None


@pytest.mark.parametrize("damaged", ["owners.npy", "belongs_to.txt", "index/facts.json", "index/index.faiss"])
def test_damaged_vectors_are_made_again(tmp_path: Path, damaged: str) -> None:
    fingerprint = write(tmp_path)
    content = (tmp_path / "vectors" / damaged).read_bytes()
    (tmp_path / "vectors" / damaged).write_bytes(content[: len(content) // 2])
    assert load_vectors(tmp_path / "vectors", fingerprint) is None
    assert load_vectors(tmp_path / "nothing", fingerprint) is None


def test_vectors_of_a_large_base_keep_their_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.retrieval.vectors.EXACT_BELOW", 1000)
    drawn = np.random.default_rng(0).standard_normal((2000, 16)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    built = index_vectors(EntryVectors(drawn, np.repeat(np.arange(1000), 2)))
    assert built is not None
    save_vectors(tmp_path / "vectors", built, "these")
    vectors = load_vectors(tmp_path / "vectors", "these")
    assert vectors is not None
    assert vectors.index.facts == built.index.facts
    assert vectors.index.facts.kind == "graph"
    assert np.array_equal(vectors.owners, built.owners)
