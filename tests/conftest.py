"""Settings of all tests: Hypothesis profiles, and which tests need a page or a browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50, database=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, so that no test can be missing from the stages of `make test`."""
    for item in items:
        for folder in ("pages", "browser"):
            if item.path.is_relative_to(TESTS / folder):
                item.add_marker(folder)
