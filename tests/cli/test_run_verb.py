"""Runs as a user starts them: several models, names, chosen questions, progress, failed starts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from calling import call

from egocross_eval import AdapterType, ModelAdapter, Request, Response, evaluate, load_run
from egocross_eval.cli.show import pace, reporter
from egocross_eval.contracts.registry import PluginInfo, registry


def test_all_models_are_checked_before_the_first_is_asked(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ["--model", "baseline:chance", "--model", "hf:./no-such-folder"]
    assert call(*models, "--data", demo, "--output", tmp_path / "runs") == 2
    assert "hf:./no-such-folder: there is no folder" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_table_of_several_models_is_kept(demo: Path, tmp_path: Path) -> None:
    models = ["--model", "baseline:longest", "--model", "baseline:constant,letter=B"]
    assert call(*models, "--data", demo, "--output", tmp_path / "runs") == 0
    table = (tmp_path / "runs" / "leaderboard.md").read_text()
    assert "baseline:longest" in table
    assert "baseline:constant" in table


class Fails(ModelAdapter):
    """Fails before its first answer, or after it."""

    def __init__(self, answers: int) -> None:
        self._answers = answers

    def generate(self, requests: object) -> object:  # type: ignore[override]
        for number, request in enumerate(requests):  # type: ignore[arg-type, var-annotated]
            assert isinstance(request, Request)
            if number == self._answers:
                raise RuntimeError("out of memory")
            yield Response(key=request.key, text="A")


def test_a_model_that_breaks_does_not_stop_the_others(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = AdapterType(scheme="breaks", description="Breaks.", factory=lambda target, options: Fails(0))
    monkeypatch.setitem(registry().model_adapters, "breaks", kind)
    models = ["--model", "baseline:chance", "--model", "breaks:engine", "--model", "baseline:longest"]
    output = tmp_path / "runs"
    assert call(*models, "--data", demo, "--limit", "5", "--output", output) == 1
    said = capsys.readouterr()
    assert "Error: breaks:engine: " in said.err
    assert "out of memory" in said.err
    assert "2 of 3 models" in said.out
    assert {path.name for path in output.iterdir()} == {"baseline-chance", "baseline-longest", "leaderboard.md"}


def test_a_failed_start_leaves_no_folder_and_a_later_failure_does(demo: Path, tmp_path: Path) -> None:
    for answers in (0, 1):
        with pytest.raises(Exception, match="out of memory"):
            evaluate(Fails(answers), data=demo, output=tmp_path / str(answers))
    assert not (tmp_path / "0").exists()
    assert len(load_run(tmp_path / "1").samples) == 1


def test_a_run_is_called_by_its_name(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("--model", "baseline:longest", "--data", demo, "--name", "second prompt") == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("second-prompt-all-")
    assert load_run(folder).record.model.name == "second prompt"
    assert "second prompt" in (folder / "leaderboard.md").read_text()


def test_a_name_is_for_one_run(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--model", "baseline:longest", "--model", "baseline:chance", "--data", demo, "--name", "x") == 2
    assert "--model SPEC,name=TEXT" in capsys.readouterr().err


def test_chosen_questions_are_asked_and_no_others(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = json.loads((demo / "egocross_testbed" / "egocross_testbed_answers.json").read_text())
    key = answers[10]["question_id"]
    command: list[str | Path] = ["--model", "baseline:longest", "--data", demo, "--output", tmp_path / "run"]
    assert call(*command, "--ids", f"3, {key}") == 0
    samples = load_run(tmp_path / "run").samples
    assert {sample.question.id for sample in samples} == {3, answers[10]["id"]}
    assert call(*command, "--ids", key[:-1] + "x") == 2
    assert key in capsys.readouterr().err


def test_a_spec_without_its_option_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "baseline:chance") == 2
    assert "did you mean --model baseline:chance?" in capsys.readouterr().err


def test_a_pipe_gets_lines_of_progress(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reporter, "SHORTEST_SILENCE", 0.0)
    monkeypatch.setattr(pace, "_TOGETHER", 0.0)
    assert call("--model", "baseline:longest", "--data", demo, "--output", tmp_path / "run") == 0
    said = capsys.readouterr().err
    assert "baseline:longest: 100 questions to ask" in said
    assert "50/100 (50%), " in said
    assert " left, accuracy " in said


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("hf:x,dtype=fp16", "it must be auto, bfloat16, float16 or float32"),
        ("openai:x,concurrency=many", "'concurrency' is 'many'; it must be a whole number from 1"),
    ],
)
def test_a_wrong_option_of_a_model_is_said_in_plain_words(
    model: str, says: str, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--model", model, "--data", demo) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "`" not in said


def test_the_cache_is_measured_and_emptied(
    private_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path))
    (tmp_path / "responses.sqlite").write_bytes(b"x" * 5000)
    (tmp_path / "responses.sqlite-wal").write_bytes(b"x" * 1000)
    (tmp_path / "demo-1").mkdir()
    (tmp_path / "demo-1" / "frame.jpg").write_bytes(b"x" * 70)
    assert call("cache") == 0
    assert re.search(r"responses +6 kB", capsys.readouterr().out)
    assert call("cache", "clear", "respones") == 2
    assert "did you mean 'responses'" in capsys.readouterr().err
    assert call("cache", "clear", "responses") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["demo-1"]
    assert call("cache", "clear", "all") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_broken_plugin_is_named_where_its_task_is_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = PluginInfo(name="kit", distribution="egocross-kit", version="1", error="Traceback ...")
    monkeypatch.setattr(registry(), "plugins", [*registry().plugins, broken])
    assert call("--model", "baseline:chance", "--tasks", "kitchen", "--split", "demo") == 2
    assert "broken plugins: kit (see 'egocross-eval plugins')" in capsys.readouterr().err


def test_notes_of_the_data_are_said_once(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = ["--model", "baseline:longest", "--model", "baseline:chance"]
    assert call(*models, "--data", demo, "--output", tmp_path / "runs") == 0
    assert capsys.readouterr().err.count("out of temporal order") == 1


def test_answers_that_are_known_in_part_leave_the_run_open(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = json.loads((demo / "egocross_testbed" / "egocross_testbed_answers.json").read_text())
    half = tmp_path / "half.json"
    half.write_text(json.dumps(answers[:60]))
    command: list[str | Path] = [
        "--model",
        "baseline:longest",
        "--data",
        demo,
        "--answers",
        half,
        "--output",
        tmp_path / "run",
    ]
    assert call(*command) == 1
    assert (
        f"not known here is what is right of {len(answers) - 60} questions: the score is a lower bound"
        in capsys.readouterr().out
    )


def test_lines_to_parse_take_the_letters_of_the_command(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lines = tmp_path / "outputs.jsonl"
    lines.write_text('{"output": "E"}\n{"output": "B"}\n')
    assert call("parse", "--jsonl", lines) == 0
    assert [json.loads(line)["letter"] for line in capsysbinary.readouterr().out.splitlines()] == [None, "B"]
    assert call("parse", "--jsonl", lines, "--letters", "ABCDE") == 0
    assert [json.loads(line)["letter"] for line in capsysbinary.readouterr().out.splitlines()] == ["E", "B"]
