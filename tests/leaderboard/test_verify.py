"""A row is derived anew from its run, and what differs is said."""

from __future__ import annotations

import json
import re
import shutil
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import call
from msgspec import structs

from egocross_eval import Benchmark, Question, Questions, Task, UsageError, evaluate, hookimpl
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataOptions
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.leaderboard.known_questions import known_questions
from egocross_eval.leaderboard.rows import read_row_file
from egocross_eval.leaderboard.site.inputs import read_inputs
from egocross_eval.runs.store import RunFolder, questions_hash

Verify = Callable[..., int]
"""Calls the verb with the demo's data, and returns its exit code."""


@pytest.fixture
def verify(demo: Path) -> Verify:
    return lambda *arguments: call("leaderboard", "verify", *arguments, "--data", demo)


@pytest.fixture
def run(demo: Path, tmp_path: Path) -> Path:
    return evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=12, cache=False).path


@pytest.fixture
def board(run: Path, tmp_path: Path) -> Path:
    path = tmp_path / "board.json"
    assert call("leaderboard", run, "--no-published", "--output", path) == 0
    return path


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A file of rows whose first was changed by hand."""
    content = json.loads(path.read_text())
    change(content["rows"][0]["row"])
    path.write_text(json.dumps(content))
    return path


def test_a_row_is_what_its_run_gives(
    verify: Verify, board: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(board, run) == 0
    assert "is what" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("date", "2020-01-01", "date: 2020-01-01 in the row"),
        ("fingerprint", "other", "fingerprint: other in the row"),
        ("origin_hash", "0" * 64, "origin_hash: 000"),
        ("answers_hash", "", "answers_hash: nothing in the row"),
        ("settings", {"style": "other"}, "settings: style other in the row"),
    ],
)
def test_what_was_changed_by_hand_is_named(
    verify: Verify, name: str, value: Any, said: str, board: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(board, lambda row: row.update({name: value}))
    assert verify(board, run) == 1
    out = capsys.readouterr().out
    assert said in out
    assert out.count("in the row") == 1


def of_an_earlier_version(row: dict[str, Any]) -> None:
    """Gives a row or results other intervals."""
    for figure in (row["micro"], row["macro"], *row.get("parts", {}).values()):
        figure.update(low=figure["accuracy"] / 2, high=(figure["accuracy"] + 1) / 2)


def test_intervals_of_an_earlier_version_are_no_difference_and_a_board_finds_them_anew(
    verify: Verify, board: Path, run: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = rows_from([board])
    edited(board, of_an_earlier_version)
    assert read_row_file(board) != honest
    assert rows_from([board]) == honest
    assert [row.micro for row in read_inputs([board]).rows] == [row.micro for row in honest]
    answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
    assert verify(board, run, "--answers", answers, "--strict") == 0
    found = capsys.readouterr()
    assert "is what" in found.out
    assert "note: intervals of an earlier version, which a board finds anew: baseline:chance" in found.err
    edited(board, lambda row: row["micro"].update(clusters=1))
    assert verify(board, run) == 1


def test_a_run_whose_grades_were_changed_does_not_give_its_row(
    verify: Verify, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    wrong = [line for line in lines if line["grade"]["outcome"] == "wrong"]
    for line in wrong:
        line["grade"].update(outcome="right", credit=1.0)
    (run / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert call("leaderboard", run, "--no-published", "--output", tmp_path / "board.json") == 0
    capsys.readouterr()
    assert verify(tmp_path / "board.json", run) == 1
    found = capsys.readouterr()
    assert f"{len(wrong)} outputs are read or graded otherwise" in found.err
    assert "micro: 100.00% (12 of 12 right" in found.out
    assert f"({12 - len(wrong)} of 12 right" in found.out


def test_a_run_with_the_answers_of_other_questions_is_found_out(
    verify: Verify, board: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (run / "samples.jsonl").read_text()
    question = json.loads(text.splitlines()[0])["question"]["text"]
    (run / "samples.jsonl").write_text(text.replace(json.dumps(question)[1:-1], "An easier one?"))
    assert verify(board, run) == 1
    assert "to other questions than the run asked, e.g. " in capsys.readouterr().out


def test_a_joined_row_is_verified_by_all_of_its_runs(
    verify: Verify, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [evaluate("baseline:chance", data=demo, output=tmp_path / f"r{seed}", seed=seed).path for seed in (0, 1)]
    assert call("leaderboard", *runs, "--no-published", "--output", tmp_path / "board.json") == 0
    assert '"repeats": 2' in (tmp_path / "board.json").read_text()
    assert verify(tmp_path / "board.json", *runs) == 0
    capsys.readouterr()
    assert verify(tmp_path / "board.json", runs[0]) == 1
    assert "repeats: 2 in the row, 1 from the run" in capsys.readouterr().out


def test_other_answers_than_those_of_the_run_are_named(
    verify: Verify, board: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    key = [
        {
            "question_id": s["key"],
            "id": s["question"]["id"],
            "correct_option_letter": "A",
            "answer_text": s["question"]["options"]["A"],
        }
        for s in samples
    ]
    (tmp_path / "answers.json").write_text(json.dumps(key))
    assert verify(board, run, "--answers", tmp_path / "answers.json") == 1
    assert "answers_hash: " in capsys.readouterr().out


def test_whose_answers_it_was_graded_by_is_said(
    verify: Verify, board: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(board, run) == 0
    assert "the right answers in the run folder itself, which whoever sends it can change" in capsys.readouterr().err


def test_answers_to_a_part_of_the_questions_are_refused(
    verify: Verify, board: Path, run: Path, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
    assert verify(board, run, "--answers", answers) == 0
    assert "which whoever sends it" not in capsys.readouterr().err
    part = tmp_path / "part.json"
    part.write_text(json.dumps(json.loads(answers.read_text())[:3]))
    assert verify(board, run, "--answers", part) == 2
    assert "give the whole file" in capsys.readouterr().err


def test_a_folder_of_runs_verifies_every_row_of_a_board(
    verify: Verify, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, board = tmp_path / "runs", tmp_path / "board.json"
    for name in ("longest", "position"):
        evaluate(f"baseline:{name}", data=demo, output=runs / name, limit=12, cache=False)
    for seed in (0, 1):
        evaluate("baseline:chance", data=demo, output=runs / f"chance-{seed}", seed=seed)
    assert call("leaderboard", runs, "--no-published", "--output", board) == 0
    assert verify(board, runs) == 0
    found = capsys.readouterr()
    assert found.out.count(" is what ") == 3
    assert f"baseline:chance is what {runs / 'chance-0'} and {runs / 'chance-1'} give" in found.out
    assert "not looked at" not in found.err
    edited(board, lambda row: row.update(date="2020-01-01"))
    assert verify(board, runs) == 1
    assert capsys.readouterr().out.count("is not what") == 1


def test_rows_of_which_no_run_is_given_are_named(
    verify: Verify, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, board = tmp_path / "runs", tmp_path / "board.json"
    for name in ("longest", "position"):
        evaluate(f"baseline:{name}", data=demo, output=runs / name, limit=12, cache=False)
    assert call("leaderboard", runs, "--no-published", "--output", board) == 0
    assert verify(board, runs / "longest") == 0
    assert "not looked at, as no run of theirs was given: baseline:position" in capsys.readouterr().err


def test_strictly_every_row_needs_its_run_and_your_answers(
    verify: Verify, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, board = tmp_path / "runs", tmp_path / "board.json"
    answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
    for name in ("longest", "position"):
        evaluate(f"baseline:{name}", data=demo, output=runs / name, limit=12, cache=False)
    assert call("leaderboard", runs, "--no-published", "--output", board) == 0
    strictly = (board, "--strict", "--answers", answers)
    assert verify(*strictly, runs) == 0
    assert verify(*strictly, runs / "longest") == 1
    assert "not verified, as no run of theirs was given: baseline:position" in capsys.readouterr().err
    assert verify(board, runs, "--strict") == 2
    assert "--strict needs --answers" in capsys.readouterr().err


def test_answers_that_say_less_of_what_is_right_change_no_grade(
    verify: Verify, board: Path, run: Path, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = json.loads((demo / "egocross_testbed" / "egocross_testbed_answers.json").read_text())
    letters = [{name: one[name] for name in ("id", "question_id", "correct_option_letter")} for one in known]
    assert letters != known
    (tmp_path / "letters.json").write_text(json.dumps(letters))
    assert verify(board, run, "--answers", tmp_path / "letters.json", "--strict") == 0
    assert "otherwise" not in capsys.readouterr().err


def test_a_row_that_claims_no_figure_is_held_against_its_run_in_all_else(
    verify: Verify, run: Path, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board, answers = tmp_path / "board.json", demo / "egocross_testbed" / "egocross_testbed_answers.json"
    without_answers(run)
    assert call("leaderboard", run, "--no-published", "--output", board) == 0
    assert json.loads(board.read_text())["rows"][0]["row"]["micro"] is None
    assert verify(board, run, "--answers", answers, "--strict") == 0
    assert "without figures, as no right answer was known: baseline:chance" in capsys.readouterr().err
    edited(board, lambda row: row.update(model="OracleVLM"))
    assert verify(board, run, "--answers", answers, "--strict") == 1
    assert "model: OracleVLM in the row" in capsys.readouterr().out


def without_answers(run: Path) -> None:
    """Makes a run what it is where no right answer is known."""
    for name in ("questions.jsonl", "samples.jsonl"):
        lines = [json.loads(line) for line in (run / name).read_text().splitlines()]
        for line in lines:
            line.get("question", line).update(target=None, references={})
        (run / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert call("score", run) == 0


def test_what_a_judge_said_is_refused_by_name(
    verify: Verify, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, board = tmp_path / "run", tmp_path / "board.json"
    evaluate("baseline:longest", "open-animal", data=demo, output=run, limit=2, judge="rules", cache=False)
    assert call("leaderboard", run, "--no-published", "--output", board) == 0
    assert verify(board, run) == 2
    assert f"judge the run yourself: egocross-eval judge {run} --judge SPEC" in capsys.readouterr().err


def test_a_file_without_a_row_of_a_run_is_named(
    verify: Verify, board: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(board.read_text())
    board.write_text(json.dumps({**content, "rows": []}))
    assert verify(board, run) == 2
    assert "there is no row to verify" in capsys.readouterr().err


def test_rows_that_stand_apart_are_verified_apart(verify: Verify, demo: Path, tmp_path: Path) -> None:
    runs, board = tmp_path / "runs", tmp_path / "board.json"
    for seed in (0, 1):
        evaluate("baseline:chance", data=demo, output=runs / str(seed), seed=seed)
    assert call("leaderboard", runs, "--no-published", "--no-join", "--output", board) == 0
    assert verify(board, runs) == 0


@pytest.mark.parametrize("verb", ["view", "score", "submit", "compare"])
def test_a_verb_of_one_run_names_those_of_a_folder_of_runs(
    verb: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(verb, run.parent) == 2
    assert f"but it holds runs: give one of them ({run})" in capsys.readouterr().err


def forged(run: Path, change: Callable[[dict[str, Any]], None], *, record: dict[str, Any] | None = None) -> Path:
    """A run whose questions were changed wherever they stand, with all hashes as they then are, and its row."""
    for name in ("questions.jsonl", "samples.jsonl"):
        lines = [json.loads(line) for line in (run / name).read_text().splitlines()]
        for line in lines:
            change(line.get("question", line))
        (run / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    content = json.loads((run / "run.json").read_text())
    folder = RunFolder(run)
    content["questions_hash"] = questions_hash(folder.questions())
    content["settings"].update(record or {})
    (run / "run.json").write_text(json.dumps(content))
    assert call("score", run) == 0
    board = run.with_name("forged.json")
    assert call("leaderboard", run, "--no-published", "--output", board) == 0
    return board


def in_an_easy_domain(question: dict[str, Any]) -> None:
    question["labels"]["domain"] = "animal"


def with_the_answer_told(question: dict[str, Any]) -> None:
    question["text"] += f" (It is {question['target']}.)"


def with_one_option_alone(question: dict[str, Any]) -> None:
    question["options"] = dict.fromkeys(question["options"], question["options"][question["target"]])


def each_a_video_of_its_own(question: dict[str, Any]) -> None:
    question["cluster"] = question["key"]


CHANGES = [
    (in_an_easy_domain, "domain 'animal', there '"),
    (with_the_answer_told, "text '"),
    (with_one_option_alone, "options {"),
    (each_a_video_of_its_own, "cluster '"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_run_whose_questions_are_others_is_refused_though_all_its_hashes_fit(
    verify: Verify,
    change: Callable[[dict[str, Any]], None],
    said: str,
    run: Path,
    demo: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    board = forged(run, change)
    answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
    assert (
        call("leaderboard", "verify", board, run, "--questions", answers.with_name("egocross_testbed_imgs.json")) == 1
    )
    assert verify(board, run, "--answers", answers) == 1
    out = capsys.readouterr().out
    assert re.search(rf"questions? asked otherwise than in {demo}, e\.g\. .* \({re.escape(said)}", out), out


def test_a_grader_that_the_benchmark_does_not_have_is_refused(
    verify: Verify, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = forged(run, lambda question: None, record={"grader": "rules"})
    assert verify(board, run) == 1
    assert "graded by 'rules', and EgoCross is graded by 'letter'" in capsys.readouterr().out


def test_groups_are_those_of_the_benchmark_whatever_the_run_says(
    verify: Verify, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((run / "run.json").read_text())
    content["benchmark"]["macro"] = "question_type"
    (run / "run.json").write_text(json.dumps(content))
    assert verify(forged(run, lambda question: None), run) == 1
    found = capsys.readouterr()
    assert "macro: " in found.out
    assert "run.json describes EgoCross otherwise than is known here" in found.err


def test_questions_that_nobody_knows_are_said_and_strictly_refused(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, board = tmp_path / "run", tmp_path / "board.json"
    evaluate("baseline:longest", data=demo, split="support", output=run, cache=False)
    questions = RunFolder(run).questions()
    answers = tmp_path / "answers.json"
    answers.write_text(
        json.dumps([{"id": q.id, "question_id": q.key, "correct_option_letter": q.target} for q in questions])
    )
    assert call("leaderboard", run, "--no-published", "--output", board) == 0
    asked = ("leaderboard", "verify", board, run, "--answers", answers)
    assert call(*asked) == 0
    assert "nothing is known here of its questions" in capsys.readouterr().err
    assert call(*asked, "--strict") == 1
    assert call(*asked, "--strict", "--data", demo) == 0


def test_the_published_testbed_is_known_without_any_file(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, board = tmp_path / "run", tmp_path / "board.json"
    evaluate("baseline:longest", data=shared_data, output=run, limit=40, cache=False, frames="none")
    assert call("leaderboard", run, "--no-published", "--output", board) == 0
    assert call("leaderboard", "verify", board, run) == 0
    assert call("leaderboard", "verify", forged(run, in_an_easy_domain), run) == 1
    assert "asked otherwise than in EgoCross, testbed, as published, e.g. " in capsys.readouterr().out


def test_rows_of_boards_and_sites_say_what_was_asked_wherever_the_frames_lie(
    run: Path, demo: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(demo / "egocross_testbed", elsewhere)
    again = evaluate("baseline:chance", data=elsewhere, output=tmp_path / "again", limit=12, cache=False).path
    assert RunFolder(again).record().questions_hash != RunFolder(run).record().questions_hash
    rows = [*rows_from([run, again]), *read_inputs([run, again]).rows]
    assert {row.asked_hash for row in rows} == {RunFolder(run).asked_hash()}
    forged(again, in_an_easy_domain)
    assert rows_from([again])[0].asked_hash != rows[0].asked_hash


@pytest.fixture
def two_roots(tmp_path: Path) -> Iterator[None]:
    """A plugin's benchmark whose tasks have data roots of their own."""
    benchmark = Benchmark(name="two", title="Two", splits=("test",))

    def task(name: str, first: int) -> Task:
        (tmp_path / name).mkdir()
        asked = [
            Question(id=first + place, key=f"{name}{place}", text="What?", options={"A": "x", "B": "y"}, target="A")
            for place in range(3)
        ]
        return Task(
            name=f"two_{name}",
            benchmark=benchmark,
            description="d",
            load=lambda source: Questions(questions=tuple(asked), root=tmp_path / name),
        )

    module = types.ModuleType("two")
    module.egocross_tasks = hookimpl(lambda: [task("a", 0), task("b", 10)], specname="egocross_tasks")  # type: ignore[attr-defined]
    assert registry().add("two", lambda: module, distribution="two", version="1").error is None
    registry().collect()
    yield
    registry.cache_clear()


@pytest.mark.usefixtures("two_roots")
def test_a_run_is_held_against_the_tasks_that_it_asked_where_others_have_another_data_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, board = tmp_path / "run", tmp_path / "board.json"
    evaluate("baseline:chance", "two_a", output=run, cache=False)
    assert call("leaderboard", run, "--no-published", "--output", board) == 0
    assert call("leaderboard", "verify", board, run) == 0
    assert "nothing is known here" not in capsys.readouterr().err
    assert call("leaderboard", "verify", forged(run, with_the_answer_told), run) == 1
    assert "asked otherwise than in Two, test" in capsys.readouterr().out


@pytest.mark.usefixtures("two_roots")
@pytest.mark.parametrize("tasks", [["two_a", "two_b"], ["all"], ["nothing"]])
def test_tasks_that_cannot_be_loaded_together_leave_the_questions_unknown(tasks: list[str], tmp_path: Path) -> None:
    run = evaluate("baseline:chance", "two_a", output=tmp_path / "run", cache=False)
    record = structs.replace(run.record, settings=structs.replace(run.record.settings, tasks=tuple(tasks)))
    assert known_questions(run.record, registry(), DataOptions()) is not None
    assert known_questions(record, registry(), DataOptions()) is None


@pytest.mark.usefixtures("two_roots")
def test_a_task_of_another_benchmark_says_nothing_of_a_run(tmp_path: Path) -> None:
    run = evaluate("baseline:chance", "two_a", output=tmp_path / "run", cache=False)
    record = structs.replace(run.record, settings=structs.replace(run.record.settings, tasks=("all",)))
    with pytest.raises(UsageError, match=r"run\.json is of Two, which has no task 'all'"):
        known_questions(record, registry(), DataOptions(data=tmp_path))


def test_what_was_asked_is_not_told_by_a_part_of_its_questions(run: Path) -> None:
    path = run / "questions.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert RunFolder(run).asked_hash() == ""
    assert rows_from([run])[0].asked_hash == ""


def test_runs_of_the_demo_are_none_of_the_testbed(board: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("leaderboard", "verify", board, run) == 1
    assert "if it's of other data, name them by --questions or --data" in capsys.readouterr().out
