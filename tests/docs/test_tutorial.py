"""The tutorial is gone through from its first command to its last, each as it's printed; and its schemas are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import documented
import msgspec
import pytest
from calling import call
from public_schemas import FILES, FOLDER, texts

NEEDS_THE_TESTBED = re.compile(r"--data data\b|--output data\b|^submit (?!.*--rehearse)")
"""Commands that need the real, gated frames, or a run over all of them: they are parsed by the real command."""

COMMANDS = list(documented.commands("docs/tutorial.md"))


SHOWN = [line for block in documented.fenced("docs/tutorial.md", "text") for line in block.splitlines() if line]
"""Lines of output that the tutorial shows."""


def without_figures(line: str) -> str:
    """A line of output with its figures left out: the last digits of scores differ between processors."""
    return re.sub(r"\d+", "#", line)


@pytest.mark.slow
def test_the_tutorial_works_from_beginning_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert len(COMMANDS) > 8
    for arguments in COMMANDS:
        line = " ".join(arguments)
        if not NEEDS_THE_TESTBED.search(line):
            assert call(*arguments) == 0, line
    said = capsys.readouterr()
    written = set(map(without_figures, (said.out + said.err).splitlines()))
    assert len(SHOWN) > 20
    assert [line for line in SHOWN if without_figures(line) not in written] == []
    (tmp_path / "data").mkdir()
    (tmp_path / "runs" / "mine").symlink_to(tmp_path / "runs" / "letter")
    for arguments in COMMANDS:
        documented.parse(arguments)
    assert (tmp_path / "site" / "index.html").is_file()
    assert call("submit", "runs/letter") == 2


def test_the_schemas_are_those_of_the_types() -> None:
    for name, text in texts().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run tests/public_schemas.py"


def test_a_run_keeps_to_the_schemas(tmp_path: Path) -> None:
    assert call("--model", "baseline:chance", "--split", "demo", "--limit", "4", "--output", tmp_path / "run") == 0
    kinds = {"run.json": "run", "results.json": "results", "predictions.json": "predictions"}
    for file, name in kinds.items():
        msgspec.json.decode((tmp_path / "run" / file).read_bytes(), type=FILES[name][0])
    for line in (tmp_path / "run" / "samples.jsonl").read_bytes().splitlines():
        written = json.loads(line)
        known = json.loads((FOLDER / "schemas" / "sample.schema.json").read_text())
        assert set(written) <= set(known["$defs"]["Sample"]["properties"])
