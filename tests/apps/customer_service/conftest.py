"""What tests of whole runs share: one bot trained on tiny data with its own knowledge and queries."""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from tests.apps.customer_service.tiny_shop import FAQ_COLUMNS, train_tiny, write_faq, write_queries, write_utterances


@pytest.fixture(scope="session")
def tiny_shop(shared_folder: Path) -> Path:
    """A finished run on a CSV with columns of other names, with knowledge and queries that name no split."""
    folder = shared_folder / "tiny_shop"
    with FileLock(shared_folder / "tiny_shop.lock"):
        if not (folder / "run" / "bundle" / "bundle.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            data = write_utterances(folder / "chats.csv", text="was", intent="wozu")
            faq, queries = write_faq(folder / "faq.csv"), write_queries(folder / "queries.jsonl")
            columns = ("--data.columns.text", "was", "--data.columns.label", "wozu")
            train_tiny(data, folder / "run", *columns, "--knowledge.path", faq, *FAQ_COLUMNS, *queries)
    return folder / "run"
