"""What tests of whole runs share: one bot trained on tiny data with its own knowledge and queries."""

from pathlib import Path

import pytest

from tests.apps.customer_service.tiny_shop import train_shop


@pytest.fixture(scope="session")
def tiny_shop(shared_folder: Path) -> Path:
    """A finished run of the tiny shop."""
    return train_shop(shared_folder)
