"""The tests of what is published install packages: they run where the target for them put uv on the path."""

from __future__ import annotations

import shutil

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("uv") is None:
        for item in items:
            if item.get_closest_marker("release") is not None:
                item.add_marker(pytest.mark.skip(reason="uv isn't on the path; 'make test-release' runs this"))
