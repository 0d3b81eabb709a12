"""The page on sweeps, shards, Ray and status: its commands are run in their order, in one folder."""

from __future__ import annotations

from pathlib import Path

import documented
import pytest
from calling import call

PAGE = "docs/many-machines.md"
NEEDS_MORE = ("ray:", "--live")
"""Commands with a cluster or a server that stays: they are parsed by the real command and not run."""


def files() -> dict[str, str]:
    """The files that the page shows, with a baseline in place of checkpoints."""
    (sweep,) = (block for block in documented.indented(PAGE) if block.startswith("models:"))
    return {"sweep.yaml": sweep.replace("hf:checkpoints/checkpoint-*", "baseline:longest")}


def test_the_commands_of_the_page_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in files().items():
        (tmp_path / name).write_text(content)
    commands = list(documented.commands(PAGE))
    assert len(commands) >= 6
    for arguments in commands:
        documented.parse(arguments)
        if not any(word in " ".join(arguments) for word in NEEDS_MORE):
            assert call(*arguments) == 0


def test_every_option_that_is_named_is_one() -> None:
    assert documented.options(PAGE) - documented.known_options() == set()
