"""`tune`: its file, its runs, and the strategy file that comes out."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from calling import call
from checkpoints import tiny_checkpoint
from fake_server import Call, FakeServer
from killed import killed_between_rounds

from egocross_eval import UsageError, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.strategy import named_strategies, read_strategy, treatment
from egocross_eval.schema import Question
from egocross_eval.sweeps.planned import PlannedRun, Plans
from egocross_eval.tasks.egocross.tasks import EGOCROSS
from egocross_eval.tuning.check import checked
from egocross_eval.tuning.file import read_tuning
from egocross_eval.tuning.strategy_file import strategy_yaml


def write(path: Path, **content: Any) -> Path:
    base = {"models": ["baseline:chance"], "options": {"split": "demo"}}
    path.write_text(yaml.safe_dump(base | content, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The demo's right letters by the question with its options, as a prompt has them."""
    run = evaluate("baseline:chance", split="demo", output=tmp_path_factory.mktemp("runs") / "chance")
    return {_block(sample.question): sample.question.target or "" for sample in run.samples}


def _block(question: Question) -> str:
    return "\n".join([question.text, *(f"{letter}: {text}" for letter, text in question.options.items())])


@pytest.mark.slow
def test_what_helps_is_found_through_a_server_and_nothing_is_asked_twice(
    tmp_path: Path, right: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(call: Call) -> str:
        """Three of four right where the frames' times are told, and otherwise always the same letter."""
        target = next(letter for block, letter in right.items() if block in call.text)
        return target if " seconds>" in call.text and len(call.text) % 4 else "B"

    with FakeServer(answers=answer) as server:
        file = write(
            tmp_path / "t.yaml",
            models=[f"openai:fake,base_url={server.base_url}"],
            options={"split": "demo", "frames": "uniform:2", "max_pixels": 20000},
            settings={"plain": {}, "timed": {"timestamps": True}, "warm": {"temperature": 0.5}},
        )
        assert call("tune", file) == 0
        said = capsys.readouterr().out
        asked = server.count
        assert call("tune", file) == 0
        assert server.count == asked
    report = json.loads((tmp_path / "t" / "tuned.json").read_text())
    assert set(report["choice"].values()) == {"timed"}
    assert "choice: timed for all questions; no domain is shown to need another way" in said
    assert "3 ways were looked at" in said
    (rule,) = read_strategy(tmp_path / "t" / "chosen.yaml", registry()).rules
    assert rule.settings == {"frames": "uniform:2", "max_pixels": 20000, "timestamps": True}


@pytest.mark.slow
def test_ways_to_ask_for_free_answers_are_chosen_by_rules(tmp_path: Path, demo: Path) -> None:
    run = evaluate("baseline:longest", "open", data=demo, split="demo", output=tmp_path / "r", frames="uniform:1")
    known = {
        (sample.question.text, (demo / sample.answers[0].sent.frames[0].name).read_bytes()): sample.question.target
        or ""
        for sample in run.samples
    }

    def answer(call: Call) -> str:
        """Right where the frame's time is told, and else as often as chance has it that a word fits."""
        (_, frame), (text,) = call.images[0], [text for text, _ in known if text in call.text][:1]
        target = next(
            (target for (asked, shown), target in known.items() if asked in call.text and shown == frame), text
        )
        return target if " seconds>" in call.text else "a purple elephant"

    options = {"data": str(demo), "split": "demo", "tasks": "open", "frames": "uniform:1", "judge": "rules"}
    with FakeServer(answers=answer) as server:
        file = write(
            tmp_path / "t.yaml",
            models=[f"openai:fake,base_url={server.base_url}"],
            options=options,
            settings={"plain": {}, "timed": {"timestamps": True}},
        )
        assert call("tune", file) == 0
    report = json.loads((tmp_path / "t" / "tuned.json").read_text())
    assert set(report["choice"].values()) == {"timed"}
    plain, timed = (way["accuracy"] for way in report["ways"])
    assert plain == 0
    assert timed > 0.9


@pytest.mark.parametrize("judge", [[], ["openai:gpt-4.1"], ["rules", "openai:gpt-4.1"], ["judge"]])
def test_free_answers_are_chosen_by_no_other_judge(tmp_path: Path, judge: list[str]) -> None:
    options = {"split": "demo", "tasks": "open", **({"judge": judge} if judge else {})}
    with pytest.raises(UsageError) as refused:
        read_tuning(write(tmp_path / "t.yaml", options=options, settings={"a": {}, "b": {}}), None, registry())
    said = str(refused.value)
    assert "'judge: rules' under 'options'" in said
    assert all(name in said for name in judge)
    assert ", line " in said


def asked_so(strategy: Path, labels: dict[str, str]) -> dict[str, Any]:
    """What a strategy file sets for questions with these labels, prompts and generation and method alone."""
    options = RunOptions()
    found = treatment(options, read_strategy(strategy, registry()), labels, frozenset())
    flat = [msgspec.structs.asdict(part) for part in (found.options.prompt, found.options.generation)]
    method = found.options.method or EGOCROSS.method
    return {"settings": flat, "method": method, "shots": found.options.shots or "0", "text": found.text}


def ways(tmp_path: Path, **settings: dict[str, Any]) -> dict[str, PlannedRun]:
    (tmp_path / "own.j2").write_text("{{ frames }}{{ question }}\n{{ option_block }}\nThe letter:")
    runs = read_tuning(write(tmp_path / "t.yaml", settings=settings), None, registry()).sweep.runs
    return {next(iter(run.setting)): run for run in runs}


SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "timed": {"timestamps": True, "frames": "uniform:8"},
    "verify": {"method": "verify", "answer": "choose"},
    "words": {"style": "own.j2", "max_pixels": 100000},
    "omniego": {"strategy": "omniego"},
    "mixed": {"strategy": "domainwise", "timestamps": False},
}


PAIRS = (
    "plain timed", "timed plain", "timed verify", "verify words", "words mixed", "words plain", "mixed plain",
    "plain words", "omniego timed", "mixed omniego",
)  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_the_strategy_file_asks_every_question_as_its_way_did(tmp_path: Path, pair: str) -> None:
    common, other = pair.split()
    runs = ways(tmp_path, **SETTINGS)
    files = {}
    for name, others in (("both", [({"domain": ["surgery"]}, runs[other])]), ("one", []), ("two", [])):
        run = runs[other] if name == "two" else runs[common]
        text = strategy_yaml(run, others, EGOCROSS, registry(), description="x", models=False)
        files[name] = tmp_path / f"{name}.yaml"
        files[name].write_text(text)
    for kind in ("object counting", "object not visible identification", "action temporal localization"):
        for domain in ("animal", "industry", "surgery"):
            labels = {"domain": domain, "question_type": kind}
            alone = files["two"] if domain == "surgery" else files["one"]
            assert asked_so(files["both"], labels) == asked_so(alone, labels)


def test_several_models_are_ways_too(tmp_path: Path) -> None:
    file = write(tmp_path / "t.yaml", models=["baseline:longest", "baseline:chance"])
    assert call("tune", file) == 0
    content = yaml.safe_load((tmp_path / "t" / "chosen.yaml").read_text())
    assert content["rules"][0]["model"] in ("baseline:longest", "baseline:chance")
    assert call("run", "--model", "baseline:chance", "--split", "demo", "--strategy", tmp_path / "t/chosen.yaml",
                "--output", tmp_path / "r") == 0  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills processes")
def test_a_choice_that_is_killed_while_an_engine_is_asked_goes_on_and_ends_the_same(demo: Path, tmp_path: Path) -> None:
    options = {
        "data": str(demo),
        "split": "demo",
        "limit": 8,
        "frames": "uniform:2",
        "answer": "choose",
        "cache": False,
    }
    settings = {"plain": {}, "pairwise": {"method": "pairwise"}, "shots": {"shots": "1", "frames": "uniform:1"}}
    models = [f"hf:{tiny_checkpoint(weight_spread=0.2)},dtype=float32"]
    whole, killed = (
        write(tmp_path / f"{name}.yaml", models=models, options=options, settings=settings) for name in ("w", "k")
    )
    assert call("tune", whole) == 0
    killed_between_rounds(3, "tune", str(killed))
    assert list(tmp_path.glob("k/*/answers.jsonl"))
    assert not (tmp_path / "k" / "tuned.json").exists()
    assert call("tune", killed) == 0
    reports = [json.loads((tmp_path / name / "tuned.json").read_text()) for name in ("w", "k")]
    assert reports[0]["ways"] == reports[1]["ways"]
    assert reports[0]["choice"] == reports[1]["choice"]


def of_ones_own(tmp_path: Path, demo: Path) -> dict[str, Any]:
    """Options for labelled questions about videos of one's own: those of the demo by other names."""
    named = {}
    for what in ("imgs", "answers"):
        content = (demo / "egocross_testbed" / f"egocross_testbed_{what}.json").read_text()
        named[what] = tmp_path / f"{what}.json"
        named[what].write_text(re.sub(r"/frames/|_q(?=[0-9]+_)", lambda found: f"-own{found[0]}", content))
    return {"data": str(demo), "questions": str(named["imgs"]), "answers": str(named["answers"]), "frames": "none"}


TWO: dict[str, Any] = {"plain": {}, "short": {"style": "json"}}


@pytest.mark.slow
def test_labelled_questions_of_ones_own_are_taken(
    tmp_path: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "t.yaml", options=of_ones_own(tmp_path, demo), settings=TWO)
    assert call("tune", file) == 0
    assert "100 questions, source videos by group: " in capsys.readouterr().out


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_questions_without_known_answers_are_refused_before_any_is_asked(
    tmp_path: Path, demo: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    options = of_ones_own(tmp_path, demo) | {"data": str(tmp_path)}  # where no answers are found
    del options["answers"]
    with FakeServer(answers="A") as server:
        models = [f"openai:fake,base_url={server.base_url}"]
        assert call("tune", write(tmp_path / "t.yaml", models=models, options=options, settings=TWO), *more) == 2
        assert server.count == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "t.yaml, line 5: the right answer to none of 100 questions is known" in said
    assert "give 'answers: FILE' under 'options'" in said


def test_how_many_answers_are_not_known_is_said_before_any_is_asked(
    tmp_path: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = of_ones_own(tmp_path, demo) | {"data": str(tmp_path)}
    answers = Path(options["answers"])
    answers.write_text(json.dumps(json.loads(answers.read_text())[:30]))
    assert call("tune", write(tmp_path / "t.yaml", options=options, settings=TWO), "--dry-run") == 0
    assert "the right answers to 70 of 100 questions aren't known" in " ".join(capsys.readouterr().err.split())


def test_questions_of_the_testbed_are_known_by_their_names_and_videos(
    tmp_path: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo's have names of the testbed's source videos."""
    for split in ("testbed", "demo"):
        options = of_ones_own(tmp_path, demo) | {"split": split}
        assert call("tune", write(tmp_path / "t.yaml", options=options, settings=TWO), "--dry-run") == 0
        questions = demo / "egocross_testbed" / "egocross_testbed_imgs.json"
        answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
        options |= {"questions": str(questions), "answers": str(answers)}
        assert call("tune", write(tmp_path / "t.yaml", options=options, settings=TWO), "--dry-run") == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "line 5: 100 of 100 questions bear names of the testbed split or of its source videos" in said
        assert "Choose on 'split: support'" in said


def test_the_real_testbed_is_refused_by_its_file(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((shared_data / "egocross_testbed_imgs.json").read_bytes())[:40]
    for number, question in enumerate(content):
        question |= {"id": 5000 + number, "correct_option_letter": "A"}
    (tmp_path / "own.json").write_text(json.dumps(content))
    options = {"data": str(shared_data), "questions": str(tmp_path / "own.json"), "frames": "none"}
    assert call("tune", write(tmp_path / "t.yaml", options=options, settings=TWO), "--dry-run") == 2
    assert "40 of 40 questions bear names of the testbed split" in " ".join(capsys.readouterr().err.split())


def test_ways_that_differ_in_the_seed_are_asked_the_same_questions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings: dict[str, Any] = {"plain": {}, "s": {"seed": 4}, "t": {"seed": 5}}
    assert call("tune", write(tmp_path / "t.yaml", options={"split": "demo", "limit": 20}, settings=settings)) == 0
    said = capsys.readouterr().out
    assert "20 questions, source videos by group: " in said
    assert "left out" not in said


@pytest.mark.parametrize(
    ("settings", "line", "says"),
    [
        ({"plain": None, "a": {}}, 7, "a: it asks every question as 'plain' does"),
        (
            {"plain": {}, "timed": {"timestamps": True}, "b": {"timestamps": False}},
            9,
            "b: it asks every question as 'plain' does",
        ),
        (
            {"timed": {"timestamps": True}, "strategy": {"strategy": "timestamps"}},
            8,
            "strategy: it asks every question as 'timed' does",
        ),
        ({"plain": {}, "zero": {"shots": 0}}, 7, "zero: it asks every question as 'plain' does"),
        ({"two": {"shots": 2}, "b": {"shots": "2:plain:covered"}}, 8, "b: it asks every question as 'two' does"),
    ],
)
def test_ways_that_ask_alike_are_refused_as_each_counts_as_a_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any], line: int, says: str
) -> None:
    assert call("tune", write(tmp_path / "t.yaml", settings=settings), "--dry-run") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"t.yaml, line {line}: settings.{says}; leave one of them out" in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"a": {}, "b": {"method": "verifi"}}, "line 8: settings.b: unknown method 'verifi'"),
        ({"a": {}, "b": {"method": "locate"}}, "line 7: settings.b: --method locate: options of"),
        ({"a": {}, "b": {"strategy": "omnego"}}, "line 8: settings.b: --strategy: EgoCross has no strategy 'omnego'"),
    ],
)
def test_what_cannot_be_asked_names_way_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any], said: str
) -> None:
    assert call("tune", write(tmp_path / "t.yaml", settings=settings), "--dry-run") == 2
    assert f"t.yaml, {said}" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", sorted(named_strategies(EGOCROSS)))
def test_every_strategy_of_the_package_can_be_asked_on_the_support_set(
    tmp_path: Path, shared_data: Path, name: str
) -> None:
    options = {"data": str(shared_data), "frames": "none"}
    settings: dict[str, Any] = {"two": {"shots": 2}, name: {"strategy": name}}
    plans = Plans()
    tuning = checked(
        read_tuning(write(tmp_path / "t.yaml", options=options, settings=settings), None, registry()), plans
    )
    assert [len(plans(run.options).questions) for run in tuning.sweep.runs] == [80, 80]


def test_a_strategy_of_ones_own_is_asked_with_shots_where_these_are_covered(tmp_path: Path, demo: Path) -> None:
    (tmp_path / "own.yaml").write_text("rules: [{shots: 2, timestamps: true}, {for: {domain: animal}, shots: 0}]")
    settings: dict[str, Any] = {"plain": {}, "own": {"strategy": "own.yaml"}}
    tuning = read_tuning(write(tmp_path / "t.yaml", settings=settings), None, registry())
    run = tuning.sweep.runs[1]
    assert asked_so(_written(tmp_path, run), {"domain": "animal"})["shots"] == "0"
    assert asked_so(_written(tmp_path, run), {"domain": "surgery"})["shots"] == "2:covered"


def test_a_folder_made_before_shots_could_be_covered_is_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "t.yaml", settings={"plain": {}, "two": {"shots": 2, "frames": "uniform:1"}})
    assert call("tune", file) == 0
    path = tmp_path / "t" / "baseline-chance-two" / "run.json"
    content = json.loads(path.read_text())
    assert content["settings"]["shots"] == "2:covered"
    content["settings"]["shots"] = "2"
    path.write_text(json.dumps(content))
    assert call("tune", file) == 0
    assert json.loads(path.read_text())["settings"]["shots"] == "2"
    other = write(tmp_path / "t.yaml", settings={"plain": {}, "two": {"shots": 3, "frames": "uniform:1"}})
    assert call("tune", other) != 0
    assert "shots: '2' there, '3' now" in " ".join(capsys.readouterr().err.split())


def _written(tmp_path: Path, run: PlannedRun) -> Path:
    path = tmp_path / "chosen.yaml"
    path.write_text(strategy_yaml(run, [], EGOCROSS, registry(), description="x", models=False))
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"setings": {}}, "line 5: unknown field 'setings'.*did you mean 'settings'"),
        ({"settings": {"a": {}, "b": {"limit": 3}}}, "line 8: settings.b: ways to ask can't differ in 'limit'"),
        ({"settings": {"a": {}, "b": {"timestamp": True}}}, "line 8: .*'timestamp' .did you mean 'timestamps'"),
        ({"settings": {"a": {"frames": "uniform:0"}}}, "line 7: settings.a: .*uniform"),
        ({"settings": {"a": {}}}, "one way to ask alone"),
        ({"vary": {"frames": ["all", "none"]}, "by": "domian"}, "line 9: unknown grouping.*did you mean 'domain'"),
        (
            {"vary": {"frames": ["all", "none"]}, "options": {"split": "testbed"}},
            "line 4: 'testbed' is the split that results are reported on.*split: support",
        ),
    ],
)
def test_mistakes_in_the_file_are_named_with_their_line(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=f"(?s)tune file .*t.yaml.*{message}"):
        read_tuning(write(tmp_path / "t.yaml", **content), None, registry())


def test_the_support_set_is_asked_where_no_split_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "t.yaml", options={}, vary={"frames": ["all", "none"]})
    assert {run.options.data.split for run in read_tuning(file, None, registry()).sweep.runs} == {"support"}


def test_a_model_that_cannot_be_asked_is_named_before_any_other_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeServer(answers="A") as server:
        models = [f"openai:fake,base_url={server.base_url}", "baseline:chance", "hf:./not-there"]
        assert call("tune", write(tmp_path / "t.yaml", models=models, settings={"plain": {}})) == 2
        assert server.count == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "t.yaml, line 4, for settings.plain: " in said
    assert "not-there" in said


def test_one_source_video_says_nothing_of_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"split": "demo", "ids": "5"}
    file = write(tmp_path / "t.yaml", models=["baseline:longest"], options=options, vary={"frames": ["all", "none"]})
    assert call("tune", file, "--dry-run") == 2
    assert call("tune", file) == 2
    assert capsys.readouterr().err.count("are on one source video, which says nothing of others") == 2
    assert not (tmp_path / "t" / "baseline-longest").exists()


def test_groups_of_one_source_video_each_are_held_out_in_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"split": "demo", "ids": "5,31"}
    settings = {"plain": {}, "none": {"frames": "none"}}
    file = write(tmp_path / "t.yaml", models=["baseline:longest"], options=options, settings=settings)
    assert call("tune", file) == 0
    assert "without each of 2 folds of source videos" in " ".join(capsys.readouterr().out.split())


def test_nothing_is_chosen_before_all_ways_are_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "t.yaml", models=["baseline:longest", "baseline:chance"])
    (tmp_path / "t" / "baseline-chance").mkdir(parents=True)
    (tmp_path / "t" / "baseline-chance" / "notes.txt").write_text("in the way")
    assert call("tune", file) != 0
    assert "nothing is chosen before all runs are finished" in capsys.readouterr().err
    assert not (tmp_path / "t" / "chosen.yaml").exists()
