"""Tests of core/tasks."""
