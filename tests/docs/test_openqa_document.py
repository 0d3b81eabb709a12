"""The commands of the page on the open format are run as they stand there, from asking to the formats side by side."""

from __future__ import annotations

from pathlib import Path

import documented
import pytest
from click.testing import CliRunner
from fake_server import Call, FakeServer

from egocross_eval.cli.main import cli

PAGE = "docs/openqa.md"


def said(call: Call) -> str:
    """A judge's mark, a free answer, or a letter, whichever is asked for."""
    if "Right answer:" in call.text:
        return '{"mark": 4, "reason": "about the same"}'
    return "three" if "in a few words" in call.text or '"prediction"' in call.text else "B"


def test_the_pages_commands_run_in_their_order(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    # A cache that knows no answer yet, but the demo.
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "cache" / demo.name).symlink_to(demo)
    (tmp_path / "ROOT").symlink_to(demo)
    (tmp_path / "RUN").symlink_to(tmp_path / "runs" / "open")
    commands = list(documented.commands(PAGE))
    assert len(commands) > 6
    with FakeServer(answers=said, models=("gpt-4.1", "qwen-max", "SPEC")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        run(["--model", "openai:gpt-4.1", "--tasks", "all", "--data", "ROOT", "--output", "CLOSED", "--frames", "none"])
        for arguments in commands:
            given = ["openai:gpt-4.1" if word == "SPEC" else word for word in arguments]
            if given[:2] == ["judge", "RUN"] and "--audit" not in given:
                given += ["--judge", "rules"]
            if given[:2] == ["score", "predictions.json"]:
                (tmp_path / "predictions.json").write_bytes(
                    (tmp_path / "RUN/judges/rules/predictions.json").read_bytes()
                )
            run([*given, "--limit", "8"] if given[:2] == ["judge", "audit"] else given)
    judged = {path.name for path in (tmp_path / "RUN" / "judges").iterdir()}
    assert {"rules", "openai-gpt-4.1-mark4"} <= judged


def test_the_pages_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = documented.fenced(PAGE, "python")
    exec(code, {})
    assert (tmp_path / "runs").is_dir()


def run(arguments: list[str]) -> None:
    """Runs a command line; formats needs the one judging that is meant."""
    if arguments[:2] == ["judge", "formats"]:
        arguments = ["judge", "formats", "RUN/judges/rules", "CLOSED"]
    words = ["run", *arguments] if arguments[0].startswith("-") else arguments
    done = CliRunner().invoke(cli, words, input="y\n" * 120, standalone_mode=False)
    assert done.exception is None, f"{' '.join(arguments)}: {done.exception!r}\n{done.output}"
    assert done.return_value in (0, 1, None), f"{' '.join(arguments)}: {done.return_value}\n{done.output}"


def test_every_option_of_the_page_is_one() -> None:
    assert documented.options(PAGE) <= documented.known_options()
