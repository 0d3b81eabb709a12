"""`hf:` keeps the contract of a model adapter: the conformance suite on a real, tiny checkpoint."""

from __future__ import annotations

import checkpoints
import pytest

from egocross_eval.contracts.registry import registry
from egocross_eval.testing import Check
from egocross_eval.testing.adapters import adapter_checks


def found(spec: str) -> dict[str, Check]:
    """The checks by what each is about."""
    return {check.name.partition(": ")[2]: check for check in adapter_checks(registry().model_adapters["hf"], spec)}


@pytest.mark.slow
@pytest.mark.parametrize("name", found("hf:any"))
def test_hf_keeps_the_contract(name: str) -> None:
    found(f"hf:{checkpoints.tiny_checkpoint(weight_spread=0.2)},device=cpu")[name]()
