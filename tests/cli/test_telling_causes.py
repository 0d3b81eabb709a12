"""What is printed names the cause, and what to do about it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner
from ports import closed_port

from egocross_eval import ModelAdapter, Request, Response, evaluate, export_run
from egocross_eval.cli.main import cli


def said(*arguments: object) -> str:
    """What a command prints, or the error that it ends with."""
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    return f"{done.output}{done.exception or ''}"


def test_a_log_that_is_cut_off_is_named_so_with_and_without_its_tool(tmp_path: Path) -> None:
    log = tmp_path / "half.json"
    log.write_text('[{"id": 1, "answer": "A"}, {"id"')
    for tool in ([], ["--from", "predictions"]):
        text = said("import", log, *tool, "--output", tmp_path / "run")
        assert "half.json" in text
        assert "cut off" in text


def test_predictions_of_another_split_are_told_apart_from_unknown_answers(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps([{"id": 90001, "question_id": "elsewhere_1", "answer": "A"}]))
    without = tmp_path / "data"
    shutil.copytree(demo, without, ignore=shutil.ignore_patterns("*answers*", "*.jpg", "*.png"))
    text = said("score", path, "--data", without)
    assert "none of its entries (1) is of the split testbed, e.g. 'elsewhere_1'" in text
    assert "--split" in text


class Half(ModelAdapter):
    """Answers every second question."""

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        yield from (Response(key=one.key, text="A") for place, one in enumerate(requests) if place % 2)


def test_an_export_of_a_run_that_lacks_answers_says_so(demo: Path, tmp_path: Path) -> None:
    evaluate(Half(), split="demo", data=demo, limit=8, frames="none", output=tmp_path / "run")
    assert export_run(tmp_path / "run", "parquet").endswith("(the run isn't complete: of 8 questions 4 errored)")
    evaluate("baseline:longest", split="demo", data=demo, limit=8, frames="none", output=tmp_path / "whole")
    assert export_run(tmp_path / "whole", "parquet").endswith("columns")


def test_after_a_server_that_was_down_the_same_command_is_what_comes_next(demo: Path, tmp_path: Path) -> None:
    with closed_port() as port:
        model = f"openai:m,base_url=http://127.0.0.1:{port}/v1,max_retries=0"
        text = said("--model", model, "--split", "demo", "--data", demo, "--limit", 2, "--output", tmp_path / "run")
    assert "next:" not in text
    assert re.search(r"2 failed .*\n.*the same command with --output .* asks the failed questions again", text)


def test_a_place_without_a_target_is_quoted(tmp_path: Path) -> None:
    assert "--to 'folder:' names no place: write folder:TARGET" in said("site", "publish", tmp_path, "--to", "folder:")
