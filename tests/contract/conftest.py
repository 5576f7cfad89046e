"""Failures of the inherited tests show the values that they compared."""

import pytest

pytest.register_assert_rewrite("core.testing.contract")
