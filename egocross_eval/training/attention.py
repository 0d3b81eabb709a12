"""What the training environment lacks for the attention that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from egocross_eval.training.environment import LOCKED, existing_environment
from egocross_eval.training.example_checks import Finding

PACKAGES = {"fa2": "flash_attn", "fa3": "flash_attn_interface"}
"""By value of `flash_attn`, the module it needs."""


def check_attention(arguments: Mapping[str, Any], python: Path | None) -> list[Finding]:
    """A warning where flash attention is asked for and not installed, which LLaMA-Factory would only log.

    `python` is the user's own interpreter; an environment that isn't built yet will hold what the lock does.
    """
    package = PACKAGES.get(str(arguments.get("flash_attn")))
    if package is None:
        return []
    environment = existing_environment(python)
    if package in (environment.versions if environment else LOCKED):
        return []
    where = f"{environment.python} lacks" if environment else "the training environment's lock has no"
    message = (
        f"flash_attn={arguments['flash_attn']}: {where} {package}; LLaMA-Factory goes on with torch's own attention "
        f"(flash_attn=auto), unless --python names an interpreter that has it"
    )
    return [Finding(level="warning", check="attention", message=message)]
