"""The page on combining, choosing and watching: its commands are run in their order, in one folder."""

from __future__ import annotations

from pathlib import Path

import documented
import pytest
from calling import call

PAGE = "docs/tuning.md"


def test_the_commands_of_the_page_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (file,) = (block for block in documented.indented(PAGE) if block.startswith("models:"))
    (tmp_path / "tune.yaml").write_text(file)
    for name in ("other/longest", "other/chance"):  # runs of the support set, which isn't here
        (tmp_path / name).mkdir(parents=True)
    commands = list(documented.commands(PAGE))
    assert len(commands) >= 5
    for arguments in commands:
        documented.parse(arguments)
        if "--chosen-on" not in arguments and arguments[0] != "watch":
            assert call(*arguments) == 0
    assert (tmp_path / "tune" / "chosen.yaml").exists()


def test_every_option_that_is_named_is_one() -> None:
    assert documented.options(PAGE) - documented.known_options() == set()
