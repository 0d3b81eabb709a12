"""`vllm:` keeps the contract of a model adapter: the conformance suite on a real engine, started once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from vllm_parts import KeptOpen

from egocross_eval.contracts.registry import registry
from egocross_eval.testing import Check, NotPromised
from egocross_eval.testing.adapters import adapter_checks

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

PASSES_ON = "refuses options that it doesn't know"
"""vLLM itself checks its options, when an engine starts."""


def found(spec: str) -> dict[str, Check]:
    """The checks by what each is about."""
    return {check.name.partition(": ")[2]: check for check in adapter_checks(registry().model_adapters["vllm"], spec)}


@pytest.mark.parametrize("name", found("vllm:any"))
def test_vllm_keeps_the_contract(
    name: str, engine: KeptOpen, vivid_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = found(f"vllm:{vivid_checkpoint}")[name]
    known = registry().model_adapters
    kept = msgspec.structs.replace(known["vllm"], factory=lambda target, options: engine)
    monkeypatch.setitem(known, "vllm", kept)
    if name == PASSES_ON:
        with pytest.raises(NotPromised, match="passes unknown options on"):
            check()
    else:
        check()
