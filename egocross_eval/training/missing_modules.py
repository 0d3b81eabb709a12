"""What the training environment lacks for what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from egocross_eval.errors import UsageError
from egocross_eval.training.environment import existing_environment, lock_file
from egocross_eval.training.example_checks import Finding
from egocross_eval.training.optional_modules import ATTENTION, needed_modules


def check_modules(arguments: Mapping[str, Any], python: Path | None) -> list[Finding]:
    """A warning where flash attention is asked for and not installed, which LLaMA-Factory would only log.

    `python` is the user's own interpreter; an environment that isn't built yet will hold what the lock does. Raises
    `UsageError` for a module without which LLaMA-Factory ends as it starts.
    """
    needed = dict(needed_modules(arguments))
    if not needed:
        return []
    environment = existing_environment(python)
    there = set(environment.versions) if environment else _locked_modules()
    where = f"{environment.python} lacks" if environment else "the training environment's lock has no"
    findings = []
    for asked, module in needed.items():
        if module in there:
            continue
        if module not in ATTENTION.values():
            raise UsageError(
                f"{asked}: {where} {module}, and LLaMA-Factory can't start without it; --python names an interpreter "
                f"that has it beside llamafactory"
            )
        message = (
            f"{asked}: {where} {module}; LLaMA-Factory goes on with torch's own attention (flash_attn=auto), unless "
            f"--python names an interpreter that has it"
        )
        findings.append(Finding(level="warning", check="attention", message=message))
    return findings


def _locked_modules() -> set[str]:
    """Names of the lock's packages, as modules are written."""
    names = re.findall(r"^([\w.-]+)==", lock_file().read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower().replace("-", "_") for name in names}
