"""`watch`: which checkpoints are evaluated, what the looks say, and what is left when it's stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from calling import call
from checkpoints import tiny_checkpoint
from scored_samples import question, record, sample
from until import until

from egocross_eval import UsageError, load_run
from egocross_eval.cli.show.watched import unseen_weights
from egocross_eval.runs.options import RunOptions, options_from
from egocross_eval.schema import Figure
from egocross_eval.scoring.comparison import ComparedRun
from egocross_eval.watching.checkpoints import QUIET, Found, found_in, is_whole, schedule_of, spec_of, weights_of
from egocross_eval.watching.curve import bars, curve_svg
from egocross_eval.watching.looks import due, look_at, look_places
from egocross_eval.watching.watch import Asked, Watcher, WatchRecord

HEADER = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
WEIGHTS = len(HEADER).to_bytes(8, "little") + HEADER + b"\0" * 8
SPEC = "baseline:longest,name={}"
"""A model for which the checkpoint is a name."""


def checkpoint(training: Path, step: int, *, weights: bytes = WEIGHTS, state: str | None = None) -> Path:
    """A folder as a trainer writes it."""
    path = training / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(weights)
    text = json.dumps({"global_step": step, "max_steps": 100, "save_steps": 10}) if state is None else state
    if text:
        (path / "trainer_state.json").write_text(text)
    return path


def watch(training: Path, *more: str) -> int:
    return call("watch", training, "--model", SPEC, "--split", "demo", "--limit", "6", "--once", *more)


def points(output: Path) -> list[int]:
    made = msgspec.json.decode((output / "watch.json").read_bytes(), type=WatchRecord)
    return [point.step for point in made.points]


def test_checkpoints_are_evaluated_once_as_they_come_by_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = tmp_path / "training"
    for step in (20, 10, 100):
        checkpoint(training, step)
    assert watch(training) == 0
    output = tmp_path / "training-watched"
    assert points(output) == [10, 20, 100]
    before = (output / "checkpoint-10" / "samples.jsonl").stat().st_mtime_ns
    checkpoint(training, 30)
    assert watch(training) == 0
    assert points(output) == [10, 20, 30, 100]
    assert (output / "checkpoint-10" / "samples.jsonl").stat().st_mtime_ns == before
    said = capsys.readouterr().out
    assert "looks are planned at the checkpoints 2, 4, 6, 8, 10 of 10, against step 10" in " ".join(said.split())
    assert "polyline" in (output / "curve.svg").read_text()
    assert load_run(output / "checkpoint-30").record.model.name.endswith("checkpoint-30")


def test_an_engine_that_does_not_read_the_checkpoint_is_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in (10, 20):
        checkpoint(tmp_path / "training", step)
    assert watch(tmp_path / "training") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("baseline: doesn't say which weights answer") == 1
    model = load_run(tmp_path / "training-watched" / "checkpoint-10").record.model
    assert unseen_weights(model)
    assert not unseen_weights(msgspec.structs.replace(model, details={"architecture": "Qwen"}))


def test_only_every_nth_step_is_evaluated(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        checkpoint(tmp_path / "t", step)
    assert [one.step for one in found_in(tmp_path / "t", 20)] == [20, 40]
    schedule = schedule_of(found_in(tmp_path / "t", 15)[0], 15)
    assert schedule is not None
    assert (schedule.apart, schedule.number) == (30, 3)


def test_one_that_is_being_written_waits(tmp_path: Path) -> None:
    assert not is_whole(Found(1, checkpoint(tmp_path, 1, weights=WEIGHTS[:-1])))
    state = checkpoint(tmp_path, 2) / "trainer_state.json"
    content = state.read_text()
    for size in range(len(content)):
        state.write_text(content[:size])
        assert not is_whole(Found(2, state.parent))
    assert not is_whole(Found(3, checkpoint(tmp_path, 3, weights=b"")))
    assert not is_whole(Found(4, tmp_path / "checkpoint-4"))
    path = checkpoint(tmp_path, 5, state="")
    assert not is_whole(Found(5, path))
    for file in path.iterdir():
        os.utime(file, (time.time() - 2 * QUIET,) * 2)
    assert is_whole(Found(5, path))
    assert is_whole(Found(6, checkpoint(tmp_path, 6)))


def test_those_that_are_passed_over_are_named_with_what_they_lack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = tmp_path / "training"
    checkpoint(training, 1)
    checkpoint(training, 2, weights=b"")
    checkpoint(training, 3, weights=WEIGHTS[:-1])
    checkpoint(training, 4, state="")
    (training / "checkpoint-5").mkdir()
    adapter = training / "checkpoint-6"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    assert watch(training) == 0
    said = capsys.readouterr().err.splitlines()
    passed = {line.split()[2]: line for line in said if line.startswith("passed over: ")}
    assert sorted(passed) == [f"checkpoint-{step}" for step in (2, 3, 4, 5, 6)]
    assert "it is empty" in passed["checkpoint-2"]
    assert f"{len(WEIGHTS) - 1} bytes instead of {len(WEIGHTS)}" in passed["checkpoint-3"]
    assert "no trainer_state.json" in passed["checkpoint-4"]
    assert "there is no config.json; there is no model.safetensors" in passed["checkpoint-5"]
    assert "there is no adapter_model.safetensors" in passed["checkpoint-6"]
    assert points(tmp_path / "training-watched") == [1]


def test_a_folder_without_checkpoints_is_said_to_have_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "training").mkdir()
    assert watch(tmp_path / "training") == 0
    assert "there is no checkpoint-N folder yet" in capsys.readouterr().err


def test_only_those_that_nothing_writes_any_more_are_told_while_a_watch_goes_on(tmp_path: Path) -> None:
    training = tmp_path / "training"
    for step in (1, 2):
        checkpoint(training, step, weights=b"")
    for file in (training / "checkpoint-1").iterdir():
        os.utime(file, (time.time() - 2 * QUIET,) * 2)
    asked = Asked(folder=training, output=tmp_path / "out", model=SPEC, options=options_from(split="demo"))
    watcher = Watcher(asked, lambda one: lambda event: None)
    assert list(watcher.passed_over(under_way=False)) == ["checkpoint-1"]
    assert list(watcher.passed_over(under_way=True)) == ["checkpoint-1", "checkpoint-2"]


def test_an_adapter_needs_its_base_in_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-1"
    path.mkdir()
    (path / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Qwen3-VL-4B-Instruct"}')
    (path / "adapter_model.safetensors").write_bytes(WEIGHTS)
    (path / "trainer_state.json").write_text('{"global_step": 1}')
    one = Found(1, path)
    assert is_whole(one)
    with pytest.raises(UsageError, match=re.escape("--model 'hf:Qwen/Qwen3-VL-4B-Instruct,lora={}'")):
        spec_of("hf:{}", one)
    assert spec_of("hf:base,lora={}", one) == f"hf:base,lora={path}"
    with pytest.raises(UsageError, match=re.escape("holds no LoRA adapter: use --model 'vllm:{}'")):
        spec_of("vllm:base,lora={}", Found(2, checkpoint(tmp_path, 2)))


def test_a_watch_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    training, output = tmp_path / "t", tmp_path / "t-watched"
    checkpoint(training, 10)
    command = [sys.executable, "-m", "egocross_eval", "watch", str(training), "--model", SPEC, "--split", "demo"]
    with subprocess.Popen([*command, "--limit", "6", "--poll", "0.1"]) as process:
        try:
            until(lambda: (output / "watch.json").is_file())
        finally:
            process.send_signal(signal.SIGKILL)
    checkpoint(training, 20)
    assert watch(training) == 0
    assert points(output) == [10, 20]


def test_it_waits_for_more_and_ends_when_all_planned_ones_are_there(tmp_path: Path) -> None:
    training = tmp_path / "t"
    checkpoint(training, 50, state='{"global_step": 50, "max_steps": 100, "save_steps": 50}')
    late = threading.Timer(
        1.0, lambda: checkpoint(training, 100, state='{"global_step": 100, "max_steps": 100, "save_steps": 50}')
    )
    late.start()
    arguments = ("--model", SPEC, "--split", "demo", "--limit", "4", "--poll", "0.2")
    assert call("watch", training, *arguments) == 0
    late.join()
    assert points(tmp_path / "t-watched") == [50, 100]


def test_one_that_breaks_is_named_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = tmp_path / "t"
    checkpoint(training, 10)
    checkpoint(training, 20)
    (tmp_path / "t-watched").mkdir()
    (tmp_path / "t-watched" / "checkpoint-10").write_text("in the way")
    assert watch(training) == 1
    assert points(tmp_path / "t-watched") == [20]
    assert "Error: checkpoint-10: " in capsys.readouterr().err


def test_other_words_for_the_same_watch_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = tmp_path / "t"
    checkpoint(training, 10)
    assert watch(training) == 0
    assert watch(training, "--every", "5") == 2
    assert "watches with --every 1, and looks were planned so" in " ".join(capsys.readouterr().err.split())
    assert watch(training, "--planned", "7") == 2
    assert call("watch", tmp_path / "no", "--once") == 2
    assert "is no folder" in capsys.readouterr().err
    asked = Asked(folder=training, output=tmp_path / "x", model="hf:ckpt", options=RunOptions())
    with pytest.raises(UsageError, match=re.escape("put {} in the place of the checkpoint")):
        Watcher(asked, lambda one: lambda event: None)


def by_epochs(training: Path, steps: tuple[int, ...], last: int = 140) -> None:
    """Checkpoints of ten epochs, as a trainer that saves at the end of each leaves them."""
    for step in steps:
        state = {"global_step": step, "max_steps": last, "save_steps": 500, "epoch": 10 * step / last}
        checkpoint(training, step, state=json.dumps(state))


def test_a_training_that_saves_each_epoch_has_planned_looks_and_ends(tmp_path: Path) -> None:
    training = tmp_path / "t"
    by_epochs(training, (14, 28, 140))
    assert call("watch", training, "--model", SPEC, "--split", "demo", "--limit", "6", "--poll", "0.1") == 0
    made = msgspec.json.decode((tmp_path / "t-watched" / "watch.json").read_bytes(), type=WatchRecord)
    assert (made.planned, made.apart) == (10, 14)
    assert [point.look is not None for point in made.points] == [False, True, True]


def test_steps_of_the_trainer_count_where_it_keeps_to_them(tmp_path: Path) -> None:
    last = {"global_step": 90, "max_steps": 90, "save_steps": 40, "epoch": 3.0}
    schedule = schedule_of(Found(90, checkpoint(tmp_path, 90, state=json.dumps(last))), 1)
    assert schedule is not None
    assert (schedule.apart, schedule.number) == (40, 2)
    within = {"global_step": 7, "max_steps": 90, "save_steps": 500, "epoch": 0.2333}
    assert schedule_of(Found(7, checkpoint(tmp_path, 7, state=json.dumps(within))), 1) is None


def test_steps_that_no_checkpoint_has_are_an_error_and_those_that_none_has_yet_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = tmp_path / "t"
    by_epochs(training, (14, 28))
    assert watch(training, "--every", "50") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--every 50 divides the step of none of the checkpoints that are there: 14, 28, and of none" in said
    assert watch(training, "--every", "42") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "that are there: 14, 28" in said
    assert "there is no checkpoint-N folder" not in said


def test_it_ends_with_the_training_where_no_looks_are_planned(tmp_path: Path) -> None:
    training = tmp_path / "t"
    for step in (7, 30):
        checkpoint(training, step, state=json.dumps({"global_step": step, "max_steps": 30}))
    assert call("watch", training, "--model", SPEC, "--split", "demo", "--limit", "6", "--poll", "0.1") == 0
    assert points(tmp_path / "t-watched") == [7, 30]


def test_looks_that_are_planned_late_are_made_at_what_was_evaluated_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = tmp_path / "t"
    for step in (70, 140):
        checkpoint(training, step, state=json.dumps({"global_step": step}))
    assert watch(training) == 0
    assert "so no looks are planned" in " ".join(capsys.readouterr().out.split())
    assert watch(training, "--planned", "2") == 0
    made = msgspec.json.decode((tmp_path / "t-watched" / "watch.json").read_bytes(), type=WatchRecord)
    assert [point.look is not None for point in made.points] == [False, True]
    said = capsys.readouterr().out
    assert "the one compared with" in said
    assert "within noise" in said or "too few" in said


def made_in(output: Path) -> WatchRecord:
    return msgspec.json.decode((output / "watch.json").read_bytes(), type=WatchRecord)


def sixty(step: int) -> str:
    return json.dumps({"global_step": step, "max_steps": 60, "save_steps": 10})


CHANCE = ("--model", "baseline:chance,name={}", "--split", "demo", "--limit", "12", "--once")


def test_what_looks_are_made_against_stays_when_a_smaller_step_comes_late(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first checkpoint was torn, and is made whole later."""
    monkeypatch.setenv("COLUMNS", "120")
    training, output = tmp_path / "t", tmp_path / "t-watched"
    torn = checkpoint(training, 10, weights=WEIGHTS[:-1], state=sixty(10))
    for step in (20, 30):
        checkpoint(training, step, state=sixty(step))
    assert call("watch", training, *CHANCE) == 0
    before = made_in(output)
    assert [point.look is not None for point in before.points] == [False, True]
    (torn / "model.safetensors").write_bytes(WEIGHTS)
    capsys.readouterr()
    assert call("watch", training, *CHANCE) == 0
    made = made_in(output)
    assert (made.base, before.base) == (20, 20)
    assert [point.step for point in made.points] == [10, 20, 30]
    assert made.points[2].look == before.points[1].look
    said = capsys.readouterr().out
    assert "against step 20" in " ".join(said.split())
    assert {line.split()[0] for line in said.splitlines() if "the one compared with" in line} == {"20"}


def test_looks_of_a_record_that_does_not_say_their_base_are_made_again(tmp_path: Path) -> None:
    training, output = tmp_path / "t", tmp_path / "t-watched"
    for step in (10, 30):
        checkpoint(training, step, state=sixty(step))
    assert call("watch", training, *CHANCE) == 0
    whole = made_in(output)
    look = whole.points[1].look
    assert look is not None
    wrong = msgspec.structs.replace(whole.points[1], look=msgspec.structs.replace(look, difference=0.9))
    early = msgspec.structs.replace(whole, base=None, points=(whole.points[0], wrong))
    (output / "watch.json").write_bytes(msgspec.json.encode(early))
    assert call("watch", training, *CHANCE) == 0
    assert made_in(output) == whole


def test_a_training_that_was_moved_is_gone_on_with(tmp_path: Path) -> None:
    checkpoint(tmp_path / "t", 10)
    assert watch(tmp_path / "t") == 0
    checkpoint(tmp_path / "t", 20)
    shutil.move(tmp_path / "t", tmp_path / "new")
    assert watch(tmp_path / "new", "--output", str(tmp_path / "t-watched")) == 0
    assert points(tmp_path / "t-watched") == [10, 20]


def test_a_second_watch_of_the_same_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = tmp_path / "t"
    checkpoint(training, 10)
    options = options_from(split="demo", limit=6)
    asked = Asked(folder=training, output=tmp_path / "t-watched", model=SPEC, options=options)
    with Watcher(asked, lambda one: lambda event: None):
        assert watch(training) == 2
        assert "another process is at work on" in capsys.readouterr().err
    assert watch(training) == 0


def test_other_settings_for_the_same_watch_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = tmp_path / "t"
    checkpoint(training, 10)
    assert watch(training) == 0
    checkpoint(training, 20)
    assert watch(training, "--frames", "uniform:2") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "checkpoint-10 isn't as it was evaluated in" in said
    assert "frames: 'all' there, 'uniform:2' now" in said
    assert points(tmp_path / "t-watched") == [10]


def test_files_that_are_no_part_of_the_model_change_as_they_like_and_other_weights_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkpoint(tmp_path / "t", 10)
    (path / "optimizer.pt").write_bytes(b"x" * 100)
    (path / "rng_state.pth").write_bytes(b"x")
    assert watch(tmp_path / "t") == 0
    (path / "optimizer.pt").unlink()  # it is the largest file, and only a training needs it
    (path / "rng_state.pth").write_bytes(b"y")
    (path / "trainer_state.json").write_text(json.dumps({"global_step": 10, "max_steps": 200, "save_steps": 10}))
    (path / "tokenizer_config.json").write_text("{}")
    assert watch(tmp_path / "t") == 0
    (path / "model.safetensors").write_bytes(WEIGHTS[:-1] + b"x")
    assert watch(tmp_path / "t") == 2
    assert "checkpoint-10 isn't as it was evaluated in" in " ".join(capsys.readouterr().err.split())
    (path / "model.safetensors").write_bytes(WEIGHTS)
    (path / "config.json").write_text('{"a": 1}')
    assert watch(tmp_path / "t") == 2
    assert "weights and configuration: " in " ".join(capsys.readouterr().err.split())


def test_a_record_that_says_nothing_of_weights_is_gone_on_with(tmp_path: Path) -> None:
    path, output = checkpoint(tmp_path / "t", 10), tmp_path / "t-watched"
    assert watch(tmp_path / "t") == 0
    made = made_in(output)
    assert made.points[0].weights
    early = tuple(msgspec.structs.replace(point, weights="") for point in made.points)
    (output / "watch.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(made, points=early)))
    (path / "optimizer.pt").write_bytes(b"x")
    checkpoint(tmp_path / "t", 20)
    assert watch(tmp_path / "t") == 0
    assert points(output) == [10, 20]


@pytest.mark.parametrize("late", [False, True])
def test_a_checkpoint_that_the_trainer_removes_while_it_is_looked_at_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """Before the weights are read, or between two of the files."""
    path = checkpoint(tmp_path / "t", 10)
    assert watch(tmp_path / "t") == 0
    checkpoint(tmp_path / "t", 20)

    def removing(one: Found) -> str:
        if one.step == 10:
            if late:
                (path / "model.safetensors").unlink()
                weights = weights_of(one)
                shutil.rmtree(path)
                return weights
            shutil.rmtree(path)
        return weights_of(one)

    monkeypatch.setattr("egocross_eval.watching.watch.weights_of", removing)
    assert watch(tmp_path / "t") == 0
    assert points(tmp_path / "t-watched") == [10, 20]


def test_an_adapter_that_the_trainer_removes_as_its_turn_comes_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t" / "checkpoint-10"
    path.mkdir(parents=True)
    (path / "adapter_config.json").write_text("{}")
    (path / "adapter_model.safetensors").write_bytes(WEIGHTS)
    (path / "trainer_state.json").write_text(sixty(10))

    def removing(one: Found) -> bool:
        whole = is_whole(one)
        shutil.rmtree(path, ignore_errors=True)
        return whole

    monkeypatch.setattr("egocross_eval.watching.watch.is_whole", removing)
    asked = Asked(
        folder=tmp_path / "t", output=tmp_path / "out", model="hf:b,lora={}", options=options_from(split="demo")
    )
    with Watcher(asked, lambda one: lambda event: None) as watcher:
        assert watcher.step(lambda made: None) == []
    assert not path.exists()


@pytest.mark.slow
def test_other_weights_under_an_old_name_are_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A training was begun anew in its folder: while it's watched, and between two commands."""
    training, output = tmp_path / "t", tmp_path / "t-watched"
    first, other = (tiny_checkpoint(weight_spread=0.5, seed=seed) for seed in (1, 2))
    shutil.copytree(first, training / "checkpoint-10")
    (training / "checkpoint-10" / "trainer_state.json").write_text(sixty(10))
    spec, options = "hf:{},dtype=float32", ("--split", "demo", "--limit", "4", "--frames", "none", "--answer", "choose")
    command = ("watch", training, "--model", spec, *options, "--once")
    assert call(*command) == 0
    asked = Asked(
        folder=training,
        output=output,
        model=spec,
        options=options_from(split="demo", limit=4, frames="none", answer="choose"),
    )
    with Watcher(asked, lambda one: lambda event: None) as watcher:
        watcher.step(lambda made: None)
        for file in first.iterdir():  # written anew as it was
            shutil.copyfile(file, training / "checkpoint-10" / file.name)
        watcher.step(lambda made: None)
        shutil.copyfile(other / "model.safetensors", training / "checkpoint-10" / "model.safetensors")
        with pytest.raises(UsageError, match=r"checkpoint-10 isn't as it was evaluated in .*: weights and conf"):
            watcher.step(lambda made: None)
    assert call(*command) == 2
    assert "choose another --output" in " ".join(capsys.readouterr().err.split())


def test_looks_are_spread_over_the_training_and_the_last_checkpoint_is_one() -> None:
    assert look_places(10) == [2, 4, 6, 8, 10]
    assert look_places(3) == [1, 2, 3]
    assert look_places(12) == [3, 5, 8, 10, 12]
    assert [due(place, 10) for place in range(1, 13)] == [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0]


def compared(label: str, right: np.ndarray) -> ComparedRun:
    asked = [question(n, domain=("animal", "surgery")[n % 2], cluster=f"v{n // 5}") for n in range(len(right))]
    lines = [sample(one, "right" if good else "wrong") for one, good in zip(asked, right, strict=True)]
    return ComparedRun(label=label, record=record(label), samples=tuple(lines))


def test_a_training_that_changes_nothing_is_rarely_called_better_or_worse() -> None:
    """Five looks err in 5 % of trainings altogether."""
    draw, wrong = np.random.default_rng(0), 0
    for _ in range(30):
        hard = draw.normal(size=100)
        runs = [compared(f"c{n}", hard + draw.normal(size=100) * 0.5 < 0) for n in range(6)]
        looks = [look_at(runs[0], runs[n], n, 5) for n in range(1, 6)]
        wrong += any(look is not None and look.verdict in ("better", "worse") for look in looks)
    assert wrong <= 5, "more than chance allows where 1.5 of 30 are expected"


def test_a_checkpoint_that_has_forgotten_is_called_worse() -> None:
    draw = np.random.default_rng(1)
    hard = draw.normal(size=200)
    look = look_at(compared("a", hard < 0.5), compared("b", hard + draw.normal(size=200) * 0.3 < -0.5), 2, 5)
    assert look is not None
    assert look.verdict == "worse"
    assert look.high < 0


def test_the_curve_has_its_band_and_one_point_is_a_curve_too() -> None:
    figures = [(10, Figure(right=4, n=10, accuracy=0.4, low=0.2, high=0.6))]
    assert "o" in bars(figures)[0]
    assert "nan" not in curve_svg(figures).lower()
    figures.append((20, Figure(right=5, n=10, accuracy=0.6, low=0.5, high=0.8)))
    assert [line.find("o") for line in bars(figures)] == [13, 26]


@pytest.mark.slow
def test_checkpoints_of_a_real_engine_are_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = tmp_path / "training"
    for seed, step in enumerate((10, 20), 1):
        shutil.copytree(tiny_checkpoint(weight_spread=0.5, seed=seed), training / f"checkpoint-{step}")
        state = {"global_step": step, "max_steps": 20, "save_steps": 10}
        (training / f"checkpoint-{step}" / "trainer_state.json").write_text(json.dumps(state))
    options = ("--split", "demo", "--limit", "12", "--frames", "uniform:2", "--answer", "choose")
    assert call("watch", training, "--model", "hf:{},dtype=float32", *options, "--poll", "0.1") == 0
    runs = [load_run(tmp_path / "training-watched" / f"checkpoint-{step}") for step in (10, 20)]
    assert runs[0].record.model.fingerprint != runs[1].record.model.fingerprint
    assert all(run.results.complete for run in runs)
    assert "planned look" in capsys.readouterr().out
