"""Contract tests that every app inherits."""
