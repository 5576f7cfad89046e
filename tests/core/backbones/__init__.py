"""Tests of core/backbones."""
