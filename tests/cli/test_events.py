"""Programs drive runs and sweeps by lines of JSON, of the form that the schema names; nothing else is on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from calling import call, call_on_full_disk

from egocross_eval import AdapterType, ModelAdapter, Request, Response, Run, load_run
from egocross_eval.cli.show import events
from egocross_eval.cli.show.events import (
    Line,
    Refused,
    RunEnded,
    RunFailed,
    RunProgress,
    RunStarted,
    RunWarned,
    SweepEnded,
    SweepStarted,
)
from egocross_eval.contracts.registry import registry
from egocross_eval.training.card import CARD_NAME


def lines(text: str) -> list[Line]:
    """Each line, read strictly by its type; what is said of the data before a run is left out."""
    found: list[Line] = [msgspec.json.decode(line, type=Line) for line in text.splitlines()]
    assert all(line.at for line in found)
    return [line for line in found if not isinstance(line, RunWarned)]


def micro(run: Run) -> Any:
    found = run.results.micro
    assert found is not None
    return found


def test_a_run_says_start_progress_and_end(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "EVERY", 0.0)
    words: list[str | Path] = ["--model", "baseline:longest", "--data", demo, "--split", "demo", "--limit", "8"]
    assert call(*words, "--output", tmp_path / "run", "--events") == 0
    said = lines(capsys.readouterr().out)
    run = load_run(tmp_path / "run")
    first, last = said[0], said[-1]
    assert isinstance(first, RunStarted)
    assert (first.run, first.total, first.done) == (str(tmp_path / "run"), 8, 0)
    progress = [line for line in said if isinstance(line, RunProgress)]
    assert [line.done for line in progress] == list(range(1, 9))
    assert isinstance(last, RunEnded)
    assert (last.complete, last.counts) == (True, run.results.counts)
    assert last.micro is not None
    assert (last.micro.right, last.micro.accuracy) == (micro(run).right, micro(run).accuracy)
    assert call(*words, "--output", tmp_path / "run", "--events") == 0
    again = lines(capsys.readouterr().out)[0]
    assert isinstance(again, RunStarted)
    assert (again.done, again.outcomes) == (8, {k: v for k, v in run.results.counts.items() if k in again.outcomes})


def test_several_models_follow_each_other(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = ["--model", "baseline:longest", "--model", "baseline:chance"]
    data: list[str | Path] = ["--data", demo, "--split", "demo", "--limit", "4", "--output", tmp_path]
    assert call(*models, *data, "--events") == 0
    ended = [line.run for line in lines(capsys.readouterr().out) if isinstance(line, RunEnded)]
    assert ended == [str(tmp_path / "baseline-longest"), str(tmp_path / "baseline-chance")]
    assert (tmp_path / "leaderboard.md").is_file()


def test_a_run_that_breaks_says_why(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--limit", "4", "--events"]
    code = call("--model", f"hf:{tmp_path / 'nothing'}", *words, "--output", tmp_path / "run")
    (said,) = lines(capsys.readouterr().out)
    assert isinstance(said, RunFailed)
    assert (said.exit_code, said.run, said.model) == (code, None, f"hf:{tmp_path / 'nothing'}")
    assert "nothing" in said.message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--model", "baseline:chance", "--model", "hf:/nowhere/nope"), "hf:/nowhere/nope: "),
        (("--model", "baseline:chance", "--tasks", "anmal"), "did you mean 'animal'"),
        (("--model", "bsline:chance"), "did you mean 'baseline'"),
        (("baseline:chance",), "did you mean --model baseline:chance?"),
    ],
)
def test_what_is_refused_before_anything_begins_is_a_line_too(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert call("run", *words, "--data", demo, "--split", "demo", "--output", tmp_path / "run", "--events") == 2
    printed = capsys.readouterr()
    (said,) = lines(printed.out)
    assert isinstance(said, Refused)
    assert said.exit_code == 2
    assert why in said.message
    assert said.message in printed.err
    assert not (tmp_path / "run").exists()


def assert_refused(capsys: pytest.CaptureFixture[str], why: str) -> None:
    printed = capsys.readouterr()
    (said,) = lines(printed.out)
    assert isinstance(said, Refused)
    assert said.exit_code == 2
    assert why in said.message
    assert f"Error: {said.message}\n" in printed.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("run", "--limt", "3"), "no option '--limt' of run (did you mean '--limit'"),
        (("--model", "baseline:chance", "--limit", "x"), "--limit: 'x' must be a whole number"),
        (("--model",), "--model needs a value"),
        (("--model", "baseline:chance", "--config", "nowhere.yaml"), "there is no file 'nowhere.yaml'"),
        (("--model", "baseline:chance", "--config", __file__), "config file"),
        (("--model", "baseline:chance", "--dry-run"), "--dry-run and --format json make one reply"),
        (("sweep",), "sweep needs FILE"),
        (("sweep", "nowhere.yaml"), "there is no file 'nowhere.yaml'"),
    ],
)
def test_what_the_command_line_cannot_read_is_a_line_too(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    verb = words[:1] if words[0] in ("run", "sweep") else ()
    assert call(*verb, "--events", *words[len(verb) :]) == 2
    assert_refused(capsys, why)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("swep", "--events", "sweep.yaml"), "no verb 'swep' (did you mean 'sweep'"),
        (("baseline:chance", "--events"), "no verb 'baseline:chance'"),
        (("data", "--events", "verify"), "no option '--events' of data"),
        (("data", "verfy", "--events"), "no verb 'verfy' of data (did you mean 'verify'"),
        (("view", "--wrnog", "--events", "runs/x"), "no option '--wrnog' of view"),
    ],
)
def test_a_verb_that_is_unknown_or_has_no_lines_is_refused_in_one(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert call(*words) == 2
    assert_refused(capsys, why)


@pytest.mark.parametrize("form", [("--format", "json"), ("--json",), ("--format=json",)])
def test_where_a_document_is_asked_for_an_unknown_verb_is_told_in_that_alone(
    capsys: pytest.CaptureFixture[str], form: tuple[str, ...]
) -> None:
    assert call("swep", "--events", *form) == 2
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


def test_a_run_goes_on_where_its_lines_can_no_longer_be_written(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words: list[str | Path] = ["--model", "baseline:longest", "--data", demo, "--split", "demo", "--limit", "4"]
    assert call_on_full_disk(monkeypatch, *words, "--output", tmp_path / "run", "--events") == 0
    assert load_run(tmp_path / "run").results.complete
    assert capsys.readouterr().err.count("nobody takes the lines of --events any longer ([Errno 28]") == 1


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["run", "sweep"])
def test_a_reader_that_goes_away_stops_nothing(verb: str, demo: Path, tmp_path: Path) -> None:
    options = {"data": str(demo), "split": "demo", "limit": 4}
    (tmp_path / "sweep.yaml").write_text(json.dumps({"models": ["baseline:longest"], "options": options}))
    asked = ["--model", "baseline:longest", "--data", demo, "--split", "demo", "--limit", "4"]
    words = [str(word) for word in (asked if verb == "run" else [tmp_path / "sweep.yaml"])]
    command = [sys.executable, "-m", "egocross_eval", verb, *words, "--output", str(tmp_path / "out"), "--events"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert said.count("nobody takes the lines of --events any longer") == 1
    assert load_run(tmp_path / "out" if verb == "run" else tmp_path / "out" / "baseline-longest").results.complete


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--model", "baseline:longest", "--model", "baseline:chance", "--track", "nosuch:p"],
        ["run", "--model", "baseline:longest", "--track", "nosuch:p", "--dry-run"],
        ["sweep", "{sweep}"],
        ["sweep", "{sweep}", "--dry-run"],
    ],
)
def test_a_tracker_that_cannot_be_used_is_told_before_any_of_several_runs_begins(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"split": "demo", "limit": 4, "track": ["nosuch:p"]}
    sweep = tmp_path / "sweep.yaml"
    sweep.write_text(json.dumps({"models": ["baseline:longest", "baseline:chance"], "options": options}))
    asked = [word.format(sweep=sweep) for word in words] + (["--split", "demo"] if words[0] == "run" else [])
    assert call(*asked, "--output", tmp_path / "out") == 2
    assert "unknown tracker 'nosuch'; known: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_sweep_that_is_refused_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sweep.yaml").write_text("modls: [baseline:chance]\n")
    assert call("sweep", tmp_path / "sweep.yaml", "--events") == 2
    (said,) = lines(capsys.readouterr().out)
    assert isinstance(said, Refused)
    assert "modls" in said.message


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"options": {"split": "demo", "tasks": "anmal"}}, "did you mean 'animal'"),
        ({"options": {"split": "demo", "tasks": "open"}, "settings": {"told": {"answer": "choose"}}}, "told"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2])
def test_a_sweep_whose_runs_cannot_be_planned_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: dict[str, Any], why: str, at_once: int
) -> None:
    (tmp_path / "sweep.yaml").write_text(json.dumps({"models": ["baseline:longest"], "at_once": at_once, **content}))
    assert call("sweep", tmp_path / "sweep.yaml", "--output", tmp_path / "out", "--events") == 2
    printed = capsys.readouterr()
    (said,) = lines(printed.out)
    assert isinstance(said, Refused)
    assert why in said.message
    assert said.message in printed.err
    assert not (tmp_path / "out").exists()


def test_a_sweep_whose_folder_cannot_be_made_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sweep.yaml").write_text(
        json.dumps({"models": ["baseline:longest"], "options": {"split": "demo", "limit": 1}})
    )
    (tmp_path / "file").write_text("")
    assert call("sweep", tmp_path / "sweep.yaml", "--output", tmp_path / "file" / "out", "--events") == 2
    (said,) = lines(capsys.readouterr().out)
    assert isinstance(said, Refused)
    assert "can't make the folder" in said.message


def test_a_model_whose_training_card_is_torn_is_a_line_too(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / CARD_NAME).write_text("{")
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--limit", "4", "--output", tmp_path / "run"]
    code = call("--model", f"hf:{model}", *words, "--events")
    (said,) = lines(capsys.readouterr().out)
    assert isinstance(said, RunFailed)
    assert (said.run, said.exit_code) == (None, code)
    assert CARD_NAME in said.message


class Breaks(ModelAdapter):
    """Answers one question, then no more."""

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        yield Response(key=next(requests).key, text="A")
        raise RuntimeError("out of memory")


def test_a_run_that_breaks_in_the_middle_names_its_folder(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = AdapterType(scheme="breaks", description="", factory=lambda target, options: Breaks())
    monkeypatch.setitem(registry().model_adapters, "breaks", kind)
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--limit", "4", "--events"]
    assert call("--model", "breaks:x", *words, "--output", tmp_path / "run") == 1
    said = lines(capsys.readouterr().out)[-1]
    assert isinstance(said, RunFailed)
    assert (said.run, said.model) == (str(tmp_path / "run"), "breaks:x")
    assert load_run(tmp_path / "run").path.is_dir()


def test_a_sweep_says_which_runs_it_has_and_what_is_open(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {
        "models": ["baseline:longest", "baseline:chance"],
        "options": {"data": str(demo), "split": "demo", "limit": 4},
    }
    (tmp_path / "sweep.yaml").write_text(json.dumps(content))
    assert call("sweep", tmp_path / "sweep.yaml", "--output", tmp_path / "out", "--events") == 0
    said = lines(capsys.readouterr().out)
    first, last = said[0], said[-1]
    assert isinstance(first, SweepStarted)
    assert isinstance(last, SweepEnded)
    assert (sorted(last.complete), last.open, last.exit_code) == (sorted(first.runs), [], 0)
    ended = {line.run for line in said if isinstance(line, RunEnded)}
    assert ended == {str(tmp_path / "out" / name) for name in first.runs}


@pytest.mark.parametrize(
    ("verb", "key"),
    [("models", "scheme"), ("methods", "name"), ("export", "name"), ("plugins", "name"), ("tasks", "name")],
)
def test_lists_are_json_on_request(verb: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(verb, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert len({entry[key] for entry in found}) == len(found) > 1


def test_how_a_run_stands_is_json_on_request(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words: list[str | Path] = ["--model", "baseline:longest", "--data", demo, "--split", "demo", "--limit", "4"]
    assert call(*words, "--output", tmp_path / "run") == 0
    capsys.readouterr()
    assert call("status", tmp_path / "run", "--format", "json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["status"]["state"], found["status"]["done"]) == ("finished", 4)


def test_what_a_verb_did_is_json_on_request(
    demo: Path, tmp_path: Path, private_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words: list[str | Path] = ["--model", "baseline:longest", "--data", demo, "--split", "demo", "--limit", "4"]
    for number in (1, 2):
        assert call(*words, "--shard", f"{number}/2", "--output", tmp_path / f"shard{number}") == 0
    capsys.readouterr()
    shards = (tmp_path / "shard1", tmp_path / "shard2")
    assert call("merge", *shards, "--output", tmp_path / "whole", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["results"]["counts"] == load_run(tmp_path / "whole").results.counts
    assert call("export", tmp_path / "whole", "--to", "parquet", "--format", "json") == 0
    assert "4 rows" in json.loads(capsys.readouterr().out)["message"]
    assert call("cache", "--format", "json") == 0
    assert set(json.loads(capsys.readouterr().out)["bytes"]) == {
        path.name.partition(".")[0] for path in private_cache.iterdir()
    }
