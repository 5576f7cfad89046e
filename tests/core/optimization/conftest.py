"""The tests of this folder share a small bundle of a net and a small graph of a Transformer."""

import pytest
from export.small_bundle import small_bundle

from tests.core.optimization.intent_graph import IntentGraph, make_intent_graph

__all__ = ["small_bundle"]


@pytest.fixture(scope="session")
def intents(tmp_path_factory: pytest.TempPathFactory) -> IntentGraph:
    """Copy its file before changing it."""
    return make_intent_graph(tmp_path_factory.mktemp("intents"))
