"""A Ray cluster of this machine for the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ray_cluster import RayCluster


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[RayCluster]:
    """A head with eight processors (as Ray counts them)."""
    if not os.environ.get("EGOCROSS_RAY_TESTS"):
        pytest.skip("'make test-ray' runs these")
    pytest.importorskip("ray", reason="ray is not installed: the extra ray")
    cluster = RayCluster()
    try:
        cluster.start_head(cpus=8)
        yield cluster
    finally:
        cluster.stop()
