"""What vLLM adapts of a model, by the class that it has for its architecture.

    python -m egocross_eval.model_adapters.vllm.adapted_classes ARCHITECTURE...

prints it for the first of them that this Python's vLLM has a class for.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from egocross_eval.model_adapters.vllm.extras import set_environment

PATIENCE = 300.0
"""Seconds that importing vLLM may take."""


class Adapted(msgspec.Struct, frozen=True, kw_only=True):
    """A class of vLLM, and which parts of it take LoRA adapters."""

    name: str
    text: bool
    tower: bool


def adapted(architecture: Any) -> Adapted:
    """Of a class of vLLM."""
    from vllm.model_executor.models import supports_lora

    tower = bool(getattr(architecture, "supports_tower_connector_lora", False))
    return Adapted(name=architecture.__name__, text=supports_lora(architecture), tower=tower)


def ask_vllm(architectures: Sequence[str]) -> Adapted | None:
    """Of the first architecture that vLLM knows, told by a process of its own: this one stays without vLLM, and small.

    None where vLLM knows none of them, or can't be imported on this machine.
    """
    command = [sys.executable, "-m", __spec__.name, *architectures]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Adapted | None)
    except (OSError, subprocess.SubprocessError, IndexError, msgspec.MsgspecError):
        return None


def main(architectures: Sequence[str]) -> None:
    """Prints what `ask_vllm` returns."""
    set_environment()
    from vllm.model_executor.models import ModelRegistry

    known = [ModelRegistry.models[name] for name in architectures if name in ModelRegistry.models]
    found = adapted(known[0].load_model_cls()) if known else None
    print(msgspec.json.encode(found).decode())


if __name__ == "__main__":
    main(sys.argv[1:])
