"""The conformance suite in pytest: a test with the argument `conformance` is run once for each check of a plugin.

@pytest.mark.egocross_plugin("my-plugin", specs={"my-scheme": "my-scheme:model"})
def test_keeps_the_contracts(conformance):
    conformance()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from egocross_eval.testing import Check

_MARK = "egocross_plugin"


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known."""
    config.addinivalue_line("markers", f"{_MARK}(name, specs=None, data=None): the plugin whose parts are checked")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each check."""
    if "egocross_check" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker(_MARK)
    if mark is None:
        raise pytest.UsageError(f'{metafunc.definition.nodeid}: mark it with @pytest.mark.{_MARK}("NAME")')
    from egocross_eval.errors import UsageError
    from egocross_eval.testing import checks

    try:
        found = checks(*mark.args, **mark.kwargs)
    except UsageError as error:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {error}") from error
    metafunc.parametrize("egocross_check", found, ids=[check.name for check in found])


@pytest.fixture
def conformance(egocross_check: Check) -> Callable[[], None]:
    """Runs the check; one that doesn't apply is skipped with its reason."""
    from egocross_eval.testing import NotPromised

    def check() -> None:
        try:
            egocross_check()
        except NotPromised as reason:
            pytest.skip(str(reason))

    return check


__all__ = ["conformance"]
