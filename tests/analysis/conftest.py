"""The awkward cohorts, for every analysis."""

from __future__ import annotations

import pytest

from sts_core.cohort import Cohort
from tests.cohorts import DEGENERATE


@pytest.fixture(params=DEGENERATE)
def degenerate(request: pytest.FixtureRequest) -> Cohort:
    """Give each of the cohorts in which something is missing, empty or badly named."""
    return DEGENERATE[request.param]()
