"""The conformance suite: checks that a plugin's parts keep the contracts, for the tests of any package.

With pytest, which finds `pytest_plugin` by its entry point:

    @pytest.mark.egocross_plugin("my-plugin")
    def test_keeps_the_contracts(conformance):
        conformance()

Without it, `checks(plugin)` gives the same checks to call.
"""

from egocross_eval.testing.contract import BrokenContractError, Check, NotPromised
from egocross_eval.testing.suite import checks

__all__ = ["BrokenContractError", "Check", "NotPromised", "checks"]
