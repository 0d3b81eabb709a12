"""Sweeps: their file, their folders, what is skipped and what goes on."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from calling import call

from egocross_eval import DataError, UsageError, load_run
from egocross_eval.contracts.registry import registry
from egocross_eval.sweeps.file import read_sweep
from egocross_eval.sweeps.models import swept_models


def write(path: Path, **content: Any) -> Path:
    path.write_text(yaml.safe_dump({"models": ["baseline:chance"], **content}), encoding="utf-8")
    return path


def test_every_model_is_planned_under_every_setting_with_every_value(tmp_path: Path) -> None:
    file = write(
        tmp_path / "s.yaml",
        models=["baseline:chance", "baseline:longest"],
        options={"split": "demo", "tasks": ["animal", "surgery"]},
        settings={"plain": None, "timed": {"timestamps": True}},
        vary={"frames": ["uniform:2", "none"]},
    )
    sweep = read_sweep(file)
    assert [run.name for run in sweep.runs][:3] == [
        "baseline-chance-plain-frames-uniform-2",
        "baseline-chance-plain-frames-none",
        "baseline-chance-timed-frames-uniform-2",
    ]
    assert len(sweep.runs) == 8
    assert {run.options.tasks for run in sweep.runs} == {"animal,surgery"}
    assert [run.options.prompt.timestamps for run in sweep.runs] == [False, False, True, True] * 2
    assert all(run.folder == tmp_path / "s" / run.name for run in sweep.runs)


def test_a_strategy_is_that_of_the_benchmark_of_each_way_and_blamed_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "timed.yaml").write_text("rules: [{timestamps: true}]")
    tasks = registry().tasks
    benchmark = msgspec.structs.replace(tasks["open"].benchmark, strategies=tmp_path / "own")
    for name, task in list(tasks.items()):
        if task.benchmark.name == benchmark.name:
            monkeypatch.setitem(tasks, name, msgspec.structs.replace(task, benchmark=benchmark))
    options = {"split": "demo", "strategy": "timed"}
    file = write(tmp_path / "s.yaml", options=options, settings={"a": {"tasks": "open"}, "b": {"tasks": ["open"]}})
    assert [run.options.strategy for run in read_sweep(file).runs] == ["timed", "timed"]
    file = write(tmp_path / "s.yaml", options=options, vary={"tasks": ["open", "animal"]})
    with pytest.raises(UsageError, match=r"s.yaml, line 5: options: --strategy: EgoCross has no strategy 'timed'"):
        read_sweep(file)
    file = write(tmp_path / "s.yaml", options={"tasks": "open"}, vary={"strategy": ["timed", "timd"]})
    with pytest.raises(UsageError, match=r"vary: --strategy: .* no strategy 'timd' \(did you mean 'timed'"):
        read_sweep(file)


def test_a_pattern_means_its_checkpoints_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("a/checkpoint-100", "a/checkpoint-20", "b/checkpoint-20"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    found = swept_models(["hf:runs/*/checkpoint-*,dtype=float32", "hf:base,lora=runs/b/*,name=tuned"], tmp_path)
    assert [model.name for model in found] == [
        "hf:a/checkpoint-20",
        "hf:a/checkpoint-100",
        "hf:b/checkpoint-20",
        "tuned checkpoint-20",
    ]
    assert found[1].target == str(tmp_path / "runs/a/checkpoint-100")
    assert found[3].options["lora"] == str(tmp_path / "runs/b/checkpoint-20")
    assert found[3].target == "base"


def test_a_pattern_behind_ray_is_that_of_the_inner_model(tmp_path: Path) -> None:
    for name in ("checkpoint-1", "checkpoint-2"):
        (tmp_path / name).mkdir()
    first, second = swept_models(["ray:hf:checkpoint-*,replicas=2,gpus=1"], tmp_path)
    assert first.text == f"ray:hf:{tmp_path}/checkpoint-1,replicas=2,gpus=1"
    assert second.name == "hf:checkpoint-2"


@pytest.mark.slow
def test_runs_side_by_side_end_as_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content: dict[str, Any] = {"options": {"split": "demo", "limit": 6}, "vary": {"seed": [1, 2, 3]}}
    content["models"] = ["baseline:chance", "hf:./none"]
    assert call("sweep", write(tmp_path / "one.yaml", **content)) == 2
    assert call("sweep", write(tmp_path / "many.yaml", at_once=3, **content)) == 2
    assert "hf:./none: there is no folder" in capsys.readouterr().err
    dated = [(tmp_path / name / "leaderboard.md").read_text() for name in ("one", "many")]
    boards = [re.sub(r"\d{4}-\d\d-\d\d", "today", board) for board in dated]
    assert boards[0] == boards[1]
    assert boards[0].count("baseline:chance") == 3
    records = [json.loads((tmp_path / name / "sweep.json").read_text()) for name in ("one", "many")]
    assert records[0] == records[1]


def test_a_process_that_is_killed_is_one_run_that_broke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from egocross_eval.sweeps import side_by_side

    monkeypatch.setattr(side_by_side, "_child", killed)
    file = write(tmp_path / "s.yaml", options={"split": "demo", "limit": 6})
    (found,) = side_by_side.carry_out_side_by_side(read_sweep(file).runs, 2)
    assert found.run is None
    assert "its process ended with SIGKILL" in str(found.error)


def killed(one: object, answer: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_folder_keeps_its_name_when_models_are_added(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"ckpt-{number}").mkdir()
    file = write(tmp_path / "s.yaml", models=["hf:ckpt-*"])
    before = [run.folder for run in read_sweep(file).runs]
    (tmp_path / "ckpt-10").mkdir()
    (tmp_path / "ckpt-0").mkdir()
    after = [run.folder for run in read_sweep(file).runs]
    assert set(before) < set(after)


def test_paths_are_seen_from_the_file(tmp_path: Path) -> None:
    options = {"data": "data", "style": "asks.j2", "questions": "q.json"}
    (run,) = read_sweep(write(tmp_path / "s.yaml", options=options, output="out")).runs
    assert run.options.data.data == tmp_path / "data"
    assert run.options.data.questions_file == tmp_path / "q.json"
    assert run.options.prompt.style == str(tmp_path / "asks.j2")
    assert run.folder.parent == tmp_path / "out"


def test_a_folder_called_as_a_model_of_a_server_is_not_that_model(tmp_path: Path) -> None:
    """Such as a folder of its runs."""
    for name in ("gpt-4.1", "longest", "published", "checkpoint"):
        (tmp_path / name).mkdir()
    models = ["openai:gpt-4.1,concurrency=2", "ray:openai:gpt-4.1", "baseline:longest", "routed:published"]
    assert [one.target for one in swept_models(models, tmp_path)] == [
        "gpt-4.1",
        "openai:gpt-4.1",
        "longest",
        "published",
    ]
    assert [one.target for one in swept_models(["hf:checkpoint", "ray:hf:checkpoint"], tmp_path)] == [
        str(tmp_path / "checkpoint"),
        f"hf:{tmp_path / 'checkpoint'}",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"models": []}, "no 'models'"),
        ({"model": ["x"]}, "unknown field 'model'.*did you mean 'models'"),
        ({"models": ["hf:none-*"]}, "nothing matches the pattern"),
        ({"models": ["baseline"]}, "is not scheme:target"),
        ({"options": {"frame": "all"}}, r"options: unknown option 'frame' \(did you mean 'frames'"),
        ({"options": {"frames": "uniform:0"}}, "options: .*uniform"),
        ({"options": {"name": "x"}}, "'name' is of one run alone"),
        ({"settings": {"a": {"temprature": 1}}}, r"settings.a: .*did you mean 'temperature'"),
        ({"settings": {"a": {"seed": 1}}, "vary": {"seed": [1, 2]}}, "'seed' stands in vary and in settings.a"),
        ({"vary": {"seed": []}}, "vary.seed has no value"),
        ({"at_once": 0}, "at_once is 0"),
        ({"vary": {"seed": ["x"]}}, "vary: --seed 'x'"),
        (
            {"models": ["baseline:chance", "basline:chance"]},
            "line 3: unknown model adapter 'basline' .did you mean 'bas",
        ),
        ({"options": {"tasks": "animl"}}, "line 4: options: unknown task 'animl' .did you mean 'animal'"),
        (
            {"settings": {"a": {"method": "verifi"}}},
            "line 5: settings.a: unknown method 'verifi' .did you mean 'verify'",
        ),
        (
            {"settings": {"a": {"strategy": "omnego"}}},
            "line 5: settings.a: .*no strategy 'omnego' .did you mean 'omnie",
        ),
        (
            {"vary": {"style": ["json", "leter"]}},
            "line 4: vary: unknown prompt style 'leter' .did you mean 'letter'",
        ),
        ({"models": ["baseline:chance", "baseline:chance"]}, "would share the folder"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=f"(?s)sweep file .*s.yaml.*{message}"):
        read_sweep(write(tmp_path / "s.yaml", **content))


def test_what_only_the_questions_tell_is_said_with_the_way_and_its_line(
    tmp_path: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(
        tmp_path / "s.yaml",
        models=["baseline:longst"],
        options={"data": str(demo), "tasks": "open"},
        settings={"plain": {}, "told": {"answer": "choose"}},
    )
    assert call("sweep", file, "--dry-run") == 2
    assert re.search(
        r"sweep file .*s.yaml, line 8: settings.told: --answer choose: [0-9]+ of [0-9]+ questions have no options",
        capsys.readouterr().err,
    )
    file = write(file, models=["baseline:longst"], options={"data": str(demo)})
    assert call("sweep", file, "--dry-run") == 2
    assert re.search(r"s.yaml, line 2: unknown baseline 'longst' \(did you mean 'longest'", capsys.readouterr().err)


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("- baseline:chance\n")
    with pytest.raises(DataError, match=r"s\.yaml"):
        read_sweep(tmp_path / "s.yaml")


def test_one_that_breaks_does_not_stop_the_rest_and_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"split": "demo", "limit": 4}
    file = write(tmp_path / "s.yaml", models=["hf:./broken", "baseline:longest"], options=options)
    assert call("sweep", file) == 2
    said = capsys.readouterr()
    assert "1 of 2 runs is open, 1 of them broke" in said.err
    assert "baseline:longest" in (tmp_path / "s" / "leaderboard.md").read_text()
    record = json.loads((tmp_path / "s" / "sweep.json").read_text())
    assert ["error" in entry for entry in record["runs"]] == [True, False]

    write(file, models=["baseline:chance,name=broken", "baseline:longest"], options=options)
    assert call("sweep", file) == 0
    assert (tmp_path / "s" / "leaderboard.md").read_text().count("\n| ") == 3
    assert not any("error" in entry for entry in json.loads((tmp_path / "s" / "sweep.json").read_text())["runs"])


def test_finished_runs_are_not_asked_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "s.yaml", options={"split": "demo", "limit": 4}, vary={"seed": [1, 2]})
    assert call("sweep", file) == 0
    samples = {path: path.read_bytes() for path in tmp_path.glob("s/*/samples.jsonl")}
    assert len(samples) == 2
    assert call("sweep", file) == 0
    assert capsys.readouterr().err.count("is finished: nothing to ask") == 2
    assert {path: path.read_bytes() for path in samples} == samples


def test_the_plan_says_what_is_left_and_how_long_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "s.yaml", options={"split": "demo", "limit": 4}, vary={"seed": [1, 2]})
    assert call("sweep", file, "--dry-run") == 0
    assert "time unknown for 2 of them" in capsys.readouterr().out
    assert not (tmp_path / "s").exists()

    assert call("--model", "baseline:chance", "--split", "demo", "--output", tmp_path / "like") == 0
    pace_of(tmp_path / "like", seconds=50)
    assert call("sweep", file) == 0
    for name in ("samples.jsonl", "activity.json"):
        (tmp_path / "s" / "baseline-chance-seed-2" / name).unlink()
    (tmp_path / "s" / "baseline-chance-seed-1" / "activity.json").unlink()
    capsys.readouterr()
    assert call("sweep", file, "--dry-run", "--like", tmp_path / "like") == 0
    said = capsys.readouterr().out
    assert "finished" in said
    # 4 questions at the pace of 99 answers in 50 seconds.
    assert "about 2 s in all, loading left out, judged by like" in said


def pace_of(folder: Path, seconds: int) -> None:
    """Makes the 100 answers of a run come at an even pace."""
    path = folder / "activity.json"
    content = json.loads(path.read_text())
    content["stints"][0] |= {"first": "2026-11-25T12:00:00+00:00", "last": f"2026-11-25T12:00:{seconds}+00:00"}
    path.write_text(json.dumps(content))


def test_the_plan_names_models_that_can_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "s.yaml", models=["hf:./nope", "baseline:chance"], options={"split": "demo"})
    assert call("sweep", file, "--dry-run") == 2
    assert f"Error: hf-nope: sweep file {file}, line 2: hf:./nope: there is no folder" in capsys.readouterr().err


def test_the_activity_of_a_run_says_its_pace(tmp_path: Path) -> None:
    assert call("--model", "baseline:chance", "--split", "demo", "--output", tmp_path / "run") == 0
    (stint,) = json.loads((tmp_path / "run" / "activity.json").read_text())["stints"]
    assert stint["answered"] == 100
    assert stint["ended"]
    assert stint["begun"] <= stint["first"] < stint["last"] <= stint["seen"]
    assert load_run(tmp_path / "run").results.complete
