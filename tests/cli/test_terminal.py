"""What is read on a terminal: tables that fit, no escapes, long outputs cut, any encoding and width."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from calling import call, on_terminal
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.cli.show.outputs import AROUND, HEAD, TAIL, output_text
from egocross_eval.cli.show.terminal import NARROWEST, fitted_table, on_screen, shortened


@pytest.fixture(scope="module")
def runs(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two runs."""
    folder = tmp_path_factory.mktemp("runs")
    models = [
        "--model",
        "baseline:chance",
        "--model",
        "baseline:longest,name=an_organisation/its_model-4B-Instruct-v12",
    ]
    call(*models, "--data", demo, "--output", folder)
    return folder


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """What was written, without colours."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["tasks"],
        ["models"],
        ["models", "show", "openai"],
        ["plugins"],
        ["doctor"],
        ["parse", "--rules"],
        ["export"],
        ["cache"],
        ["data", "verify", "--split", "demo"],
        ["score", "RUNS/baseline-chance", "--cells"],
        ["compare", "RUNS/baseline-chance", "RUNS/baseline-longest"],
        ["leaderboard", "RUNS", "--intervals"],
        ["view", "RUNS/baseline-chance", "--most", "3"],
        ["view", "RUNS/baseline-chance", "RUNS/baseline-longest", "--wrong", "--most", "3"],
        ["--model", "baseline:chance", "--model", "baseline:longest", "--split", "demo", "--output", "NEW"],
    ],
)
@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(
    arguments: list[str],
    columns: int,
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "RUNS").symlink_to(runs)
    on_terminal(monkeypatch, columns)
    call(*arguments)
    lines = shown(capsys).splitlines()
    assert lines
    # A path is never broken.
    assert [line for line in lines if len(line) > columns and " " in line.strip()] == []


def test_a_run_ends_with_a_small_table_and_what_to_do_next(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_terminal(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert call("--model", "baseline:chance", "--data", demo, "--output", "run") == 0
    text = shown(capsys)
    assert all(re.search(rf"^{name} +\d+\.\d+% ", text, re.MULTILINE) for name in ("micro", "macro", "Animal"))
    assert "run folder: run\nnext: egocross-eval view run --wrong" in text
    assert "|" not in text


def test_a_pipe_gets_the_row_in_markdown(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("leaderboard", runs, "--no-published")
    assert r"an\_organisation/its\_model-4B-Instruct-v12" in capsys.readouterr().out


def test_ids_are_not_escaped_on_a_terminal(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_terminal(monkeypatch)
    assert call("compare", runs / "baseline-chance", runs / "baseline-longest") == 0
    text = shown(capsys)
    assert "CholecTrack20_VID" in text
    assert "\\" not in text


def test_columns_without_room_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    table = fitted_table([["a long name of a model", "1", "2", "x" * 30]], ["model", "micro", "macro", "notes"], drop=1)
    assert table.endswith("(no room for: notes)")
    assert "x" not in table


@given(
    rows=st.lists(st.tuples(st.text("ab c", max_size=90), st.text("123", max_size=9)), max_size=4),
    columns=st.integers(NARROWEST, 200),
)
def test_a_table_keeps_all_words_in_any_width(rows: list[tuple[str, str]], columns: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        table = fitted_table(rows, ["what", "n"])
    assert all(len(line) <= columns for line in table.splitlines())
    assert sorted("".join(table.split()).replace("-", "")) == sorted(
        "".join(["what", "n", *(text for row in rows for text in row)]).replace(" ", "")
    )


def test_a_long_name_is_broken_behind_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    name = "organisation/Qwen3-VL-30B-A3B-Instruct-finetuned-v12"
    table = fitted_table([[name, "43.00 ± 10.3"]], ["model", "micro"])
    pieces = [line[:26].split("  ")[0].strip() for line in table.splitlines()[2:]]
    assert "".join(pieces) == name
    assert all(piece[-1] in "-/" for piece in pieces[:-1])


def test_markdown_is_left_as_it_is_in_a_pipe() -> None:
    assert on_screen("**a\\_b**\n\n| x |\n|:--|\n| y |\n") == "**a\\_b**\n\n| x |\n|:--|\n| y |\n"


def test_both_ends_of_a_long_name_are_kept() -> None:
    name = shortened("openai:organisation/Qwen3-VL-30B-A3B-Instruct-finetuned-v12-checkpoint-400", 28)
    assert len(name) == 28
    assert name.startswith("openai:organ")
    assert name.endswith("checkpoint-400"[-12:])


def test_a_long_output_is_cut_around_its_evidence() -> None:
    text = "a" * 5000 + "the answer is B" + "b" * 5000
    span = (5014, 5015)
    cut = output_text(text, span, full=False)
    assert len(cut) < HEAD + TAIL + 2 * AROUND + 120
    assert "the answer is B" in cut.plain
    assert "characters left out (--full)" in cut.plain
    (style,) = [found for found in cut.spans if found.style == "reverse"]
    assert cut.plain[style.start : style.end] == "B"
    assert output_text(text, span, full=True).plain == text


def test_runs_of_blank_lines_are_one() -> None:
    assert output_text("a\n\n\n \n\n\nb\n\nc", None, full=False).plain == "a\n\nb\n\nc"


def test_two_runs_are_viewed_side_by_side(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = [runs / "baseline-chance", runs / "baseline-longest"]
    assert call("view", *pair, "--wrong", "--most", "1000") == 0
    text = shown(capsys)
    count = int(re.findall(r"(\d+) of \1 answers shown", text)[0])
    assert count
    assert text.count("baseline:chance: wrong") == text.count("v12: right") == count


@pytest.mark.parametrize(("encoding", "columns"), [("cp1252", "0"), ("gbk", ""), ("ascii", "10"), ("utf-8", "x")])
def test_no_encoding_and_no_width_of_a_terminal_ends_in_an_error(encoding: str, columns: str, runs: Path) -> None:
    code = (
        "import sys; from egocross_eval.cli.main import main; sys.stdout.isatty = lambda: True\n"
        "main(['view', *sys.argv[1:], '--wrong', '--most', '2'])"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": columns, "PAGER": "cat", "TERM": "dumb"}
    pair = [str(runs / "baseline-chance"), str(runs / "baseline-longest")]
    done = subprocess.run([sys.executable, "-c", code, *pair], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"answers shown" in done.stdout
