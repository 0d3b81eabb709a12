"""The folder that a maintainer copies for a board of their own: its workflows' steps are run as they stand there."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from calling import call

from egocross_eval.runs.store import RunFolder, questions_hash

BOARD = Path(__file__).resolve().parents[2] / "board"
WORKFLOWS = BOARD / ".github" / "workflows"


def workflow(name: str) -> dict[Any, Any]:
    """A workflow; its key `on` is read as True."""
    content: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    return content


def steps(name: str) -> list[dict[str, Any]]:
    (job,) = workflow(name)["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def script(name: str, step: str) -> str:
    """The script of a step."""
    (found,) = [one["run"] for one in steps(name) if one.get("name") == step]
    assert isinstance(found, str)
    return found


def run_step(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """As the workflow's machine calls it: bash -e, in the repository's folder."""
    home = folder.parent / "home"
    command = home / "bin" / "egocross-eval"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m egocross_eval "$@"\n')
    command.chmod(0o755)
    settings = {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "EGOCROSS_CACHE": str(home / "cache"),
        "RUNNER_TEMP": str(home),
        **environment,
    }
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def answers(demo: Path) -> str:
    """What the secret holds: letters alone, packed as the board's README says."""
    known = json.loads((demo / "egocross_testbed" / "egocross_testbed_answers.json").read_text())
    kept = [{name: one[name] for name in ("id", "question_id", "correct_option_letter")} for one in known]
    return packed(kept)


def packed(answers: list[dict[str, Any]]) -> str:
    return base64.b64encode(gzip.compress(json.dumps(answers).encode(), mtime=0)).decode()


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    """Submissions of two."""
    folder = tmp_path_factory.mktemp("submitted") / "submissions"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EGOCROSS_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name, spec in {"longest": "baseline:longest", "b": "baseline:constant,letter=B"}.items():
            place = folder / name
            assert call("--model", spec, "--data", demo, "--limit", "12", "--output", place / "run") == 0
            write_rows(place)
    return folder


def write_rows(place: Path) -> None:
    assert call("leaderboard", place / "run", "--no-published", "--output", place / "rows.json") == 0


@pytest.fixture
def checkout(tmp_path: Path, demo: Path) -> Path:
    """A maintainer's checkout, of a board over the demo's questions."""
    folder = tmp_path / "board"
    shutil.copytree(BOARD, folder)
    shutil.copy(demo / "egocross_testbed" / "egocross_testbed_imgs.json", folder / "questions.json")
    return folder


@pytest.fixture
def board(checkout: Path, submitted: Path) -> Path:
    """The same, and in it what a pull request brings."""
    shutil.copytree(submitted, checkout / "submitted" / "submissions")
    return checkout


def verified(board: Path, answers: str) -> subprocess.CompletedProcess[str]:
    return run_step(script("check.yml", "Verify and grade"), board, ANSWERS=answers)


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A JSON file, or a file of JSON lines, with a change by hand in each document."""
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            change(line)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.slow
def test_honest_submissions_pass_and_are_graded(board: Path, answers: str) -> None:
    done = verified(board, answers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" is what ") == 2
    assert done.stdout.count("micro") == 2
    assert "REFUSED" not in done.stdout


def add_row_without_run(place: Path) -> None:
    def add(content: dict[str, Any]) -> None:
        row = json.loads(json.dumps(content["rows"][0]))
        row["row"].update(model="OracleVLM", origin_hash="0" * 64)
        content["rows"].append(row)

    edited(place / "rows.json", add)


def add_row_with_the_same_run(place: Path) -> None:
    def add(content: dict[str, Any]) -> None:
        row = json.loads(json.dumps(content["rows"][0]))
        row["row"].update(model="OracleVLM")
        content["rows"].append(row)

    edited(place / "rows.json", add)


def remove_rows(place: Path) -> None:
    (place / "rows.json").unlink()


def remove_run(place: Path) -> None:
    shutil.rmtree(place / "run")


def add_run_without_row(place: Path) -> None:
    (place / "runs").mkdir()
    (place / "run").rename(place / "runs" / "first")
    (place / "runs").rename(place / "run")
    shutil.copytree(place / "run" / "first", place / "run" / ".second")
    edited(place / "run" / ".second" / "run.json", lambda record: record["model"].update(name="OracleVLM"))


def empty_rows(place: Path) -> None:
    edited(place / "rows.json", lambda content: content.update(rows=[]))


def raise_outputs(place: Path) -> None:
    """Other outputs than those that the row came from."""
    edited(place / "run" / "samples.jsonl", lambda line: line["answers"][0]["response"].update(text="A"))


def grade_by_own_answers(place: Path) -> None:
    """All that was answered is called right, and the row is made of that."""
    samples = place / "run" / "samples.jsonl"
    edited(samples, lambda line: line["question"].update(target=line["grade"]["prediction"]))
    assert call("score", place / "run") == 0
    write_rows(place)
    assert json.loads((place / "rows.json").read_text())["rows"][0]["row"]["micro"]["accuracy"] == 1.0


def grade_by_hand(place: Path) -> None:
    """The row is honest, what the folder says of its outputs isn't."""
    edited(place / "run" / "samples.jsonl", lambda line: line["grade"].update(outcome="right", credit=1.0))
    found = json.loads((place / "rows.json").read_text())

    import hashlib

    digest = hashlib.sha256((place / "run" / "samples.jsonl").read_bytes()).hexdigest()
    found["rows"][0]["row"]["origin_hash"] = digest
    (place / "rows.json").write_text(json.dumps(found))


def claim_without_answers(place: Path) -> None:
    """A row that says it was made without answers, and has figures."""
    edited(place / "rows.json", lambda content: content["rows"][0]["row"].update(answers_hash=""))


def group_otherwise(place: Path) -> None:
    """The benchmark's macro mean over other groups."""
    edited(place / "run" / "run.json", lambda record: record["benchmark"].update(macro="question_type"))
    assert call("score", place / "run") == 0
    write_rows(place)


def move_to_another_domain(place: Path) -> None:
    """Labels on which macro rests, wherever they stand, with all hashes as they then are."""
    for name in ("questions.jsonl", "samples.jsonl"):
        edited(place / "run" / name, lambda line: line.get("question", line)["labels"].update(domain="animal"))
    digest = questions_hash(RunFolder(place / "run").questions())
    edited(place / "run" / "run.json", lambda record: record.update(questions_hash=digest))
    assert call("score", place / "run") == 0
    write_rows(place)


def link_rows(place: Path) -> None:
    (place / "rows.json").unlink()
    (place / "rows.json").symlink_to("../b/rows.json")


def link_run(place: Path) -> None:
    shutil.rmtree(place / "run")
    (place / "run").symlink_to("../b/run")


def odd_name(place: Path) -> None:
    place.rename(place.with_name("long\n::error::est"))


FORGERIES = [
    (add_row_without_run, "not verified, as no run of theirs was given: OracleVLM"),
    (add_row_with_the_same_run, "not verified, as no run of theirs was given: OracleVLM"),
    (remove_rows, "there is no file 'graded/longest/rows.json'"),
    (remove_run, "'graded/longest/run'"),
    (add_run_without_row, "OracleVLM"),
    (empty_rows, "there is no row to verify"),
    (raise_outputs, "is not what graded/longest/run gives"),
    (grade_by_own_answers, "answers_hash: "),
    (grade_by_hand, "are read or graded otherwise than the folder says"),
    (claim_without_answers, "answers_hash: nothing in the row"),
    (group_otherwise, "run.json describes EgoCross otherwise"),
    (move_to_another_domain, "asked otherwise than in questions.json"),
    (link_rows, "is a link or no file"),
    (link_run, "is a link or no file"),
    (odd_name, "name it by letters"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("forge", "said"), FORGERIES, ids=[forge.__name__ for forge, _ in FORGERIES])
def test_what_does_not_hold_is_red(forge: Callable[[Path], None], said: str, board: Path, answers: str) -> None:
    forge(board / "submitted" / "submissions" / "longest")
    done = verified(board, answers)
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_board_without_questions_of_its_own_is_over_the_published_testbed(board: Path, answers: str) -> None:
    (board / "questions.json").unlink()
    done = verified(board, answers)
    assert done.returncode == 1
    assert "in EgoCross, testbed, as published, e.g. " in done.stdout


@pytest.mark.parametrize(("secret", "said"), [("", "nothing is graded"), ("[]", "isn't what 'gzip")])
def test_without_the_maintainers_answers_the_check_is_red(secret: str, said: str, checkout: Path) -> None:
    (checkout / "submitted" / "submissions" / "any").mkdir(parents=True)
    done = verified(checkout, secret)
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.slow
def test_without_answers_to_all_questions_the_check_is_red(board: Path) -> None:
    done = verified(board, packed([]))
    assert done.returncode == 1
    assert "has no answer to 12 of the run's questions" in done.stderr
    assert " is what " not in done.stdout


@pytest.mark.parametrize("folder", ["submitted", "submitted/submissions"])
def test_without_a_submission_the_check_is_red(folder: str, answers: str, checkout: Path) -> None:
    (checkout / folder).mkdir(parents=True)
    done = verified(checkout, answers)
    assert done.returncode == 1
    assert "Refused: " in done.stdout


@pytest.mark.slow
def test_a_run_made_without_answers_is_graded_by_the_maintainers(board: Path, answers: str) -> None:
    place = board / "submitted" / "submissions" / "longest"
    shutil.rmtree(place / "run" / "predictions.json", ignore_errors=True)
    for name in ("questions.jsonl", "samples.jsonl"):
        edited(place / "run" / name, lambda line: line.get("question", line).update(target=None, references={}))
    assert call("score", place / "run") == 0
    write_rows(place)
    assert json.loads((place / "rows.json").read_text())["rows"][0]["row"]["micro"] is None
    done = verified(board, answers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without figures, as no right answer was known: baseline:longest" in done.stderr
    results = json.loads((board / "graded" / "longest" / "run" / "results.json").read_text())
    assert results["micro"]["n"] == 12
    assert json.loads((place / "run" / "results.json").read_text())["micro"] is None, "what was submitted is left alone"
    shutil.rmtree(board / "graded")
    assert verified(board, answers).returncode == 0


def test_nothing_of_a_pull_request_is_run() -> None:
    """By the event that GitHub gives the secrets at, only the board's own files are run."""
    check = workflow("check.yml")
    assert list(check[True]) == ["pull_request_target"]
    assert check["permissions"] == {"contents": "read"}
    foreign = [one for one in steps("check.yml") if "head" in str(one.get("with", {}).get("ref", ""))]
    (taken,) = foreign
    assert taken["with"]["path"] == "submitted"
    assert taken["with"]["persist-credentials"] is False
    names = [one.get("name") for one in steps("check.yml")]
    assert names.index("Install") < names.index("Take what was submitted")
    for name in ("check.yml", "board.yml"):
        for one in steps(name):
            assert "${{" not in one.get("run", ""), "text of others would become part of a script"
            assert re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40}", one.get("uses", "a/b@" + "0" * 40))


@pytest.mark.slow
def test_text_of_a_submission_gives_the_workflow_no_commands(board: Path, answers: str) -> None:
    place = board / "submitted" / "submissions" / "longest"
    edited(place / "rows.json", lambda content: content["rows"][0]["row"].update(model="::add-mask::a"))
    lines = verified(board, answers).stdout.splitlines()
    silence = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch(r"[0-9a-f]{32}", silence)
    assert lines[-1] == f"::{silence}::"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def forked(folder: Path) -> tuple[Path, str]:
    """A fork of a board that has a submission of somebody else's, and its commit."""
    fork = folder / "board" / "submitted"
    shutil.copytree(BOARD, fork)
    (fork / "submissions" / "theirs").mkdir(parents=True)
    (fork / "submissions" / "theirs" / "rows.json").write_text("{}")
    git(fork, "init", "--quiet", "--initial-branch=main")
    git(fork, "add", ".")
    git(fork, "commit", "--quiet", "-m", "The board")
    return fork, git(fork, "rev-parse", "HEAD").strip()


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ("submissions/new/rows.json", 0),
        ("submissions/theirs/rows.json", 1),
        ("submissions/theirs/run/more.json", 1),
        ("submissions/rows.json", 1),
        ("grade.sh", 1),
        (".github/workflows/board.yml", 1),
        ("submissions/n\new/rows.json", 1),
        ("::error::x", 1),
    ],
)
def test_a_pull_request_changes_submissions_alone(changed: str, code: int, tmp_path: Path) -> None:
    fork, base = forked(tmp_path)
    (fork / changed).parent.mkdir(parents=True, exist_ok=True)
    (fork / changed).write_text("changed")
    git(fork, "add", ".")
    git(fork, "commit", "--quiet", "-m", "A submission")
    done = run_step(script("check.yml", "Look at what is changed"), fork.parent, BASE=base)
    assert done.returncode == code, done.stdout + done.stderr
    assert not [line for line in done.stdout.splitlines() if line.startswith("::")]
    unknown = run_step(script("check.yml", "Look at what is changed"), fork.parent, BASE="0" * 40)
    assert unknown.returncode != 0


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rm", "-r", "submissions/theirs"), "submissions/theirs is on the board already"),
        (("mv", "submissions/theirs", "submissions/mine"), "A pull request brings one submission"),
    ],
)
def test_a_pull_request_takes_nobodys_submission_away(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    fork, base = forked(tmp_path)
    git(fork, *words)
    git(fork, "commit", "--quiet", "-m", "Away with it")
    done = run_step(script("check.yml", "Look at what is changed"), fork.parent, BASE=base)
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(("forged", "codes"), [(False, [0, 0]), (True, [0, 1])], ids=["honest", "forged"])
def test_a_pull_request_goes_through_all_steps_of_the_check(
    forged: bool, codes: list[int], submitted: Path, demo: Path, answers: str, tmp_path: Path
) -> None:
    """From the commit that is submitted to the verdict; the board's own files are those of its branch."""
    fork, _ = forked(tmp_path)
    board = fork.parent
    shutil.copytree(BOARD, board, dirs_exist_ok=True)
    shutil.copy(demo / "egocross_testbed" / "egocross_testbed_imgs.json", board / "questions.json")
    git(fork, "rm", "--quiet", "-r", "submissions/theirs")
    git(fork, "commit", "--quiet", "--amend", "-m", "The board")
    base = git(fork, "rev-parse", "HEAD").strip()
    shutil.copytree(submitted / "longest", fork / "submissions" / "longest")
    if forged:
        raise_outputs(fork / "submissions" / "longest")
    git(fork, "add", ".")
    git(fork, "commit", "--quiet", "-m", "A submission")
    scripts = [one["run"] for one in steps("check.yml") if "run" in one and one["name"] != "Install"]
    done = [run_step(one, board, BASE=base, ANSWERS=answers) for one in scripts]
    assert [one.returncode for one in done] == codes, [one.stdout + one.stderr for one in done]


@pytest.mark.parametrize("name", ["check.yml", "board.yml"])
def test_what_is_installed_must_be_named(name: str, checkout: Path) -> None:
    assert "EGOCROSS_EVAL" in (BOARD / "README.md").read_text()
    done = run_step(script(name, "Install"), checkout, EGOCROSS_EVAL="")
    assert done.returncode == 1
    assert "Set the variable EGOCROSS_EVAL" in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("identity")
def test_the_board_is_built_of_runs_as_they_are_graded_there(
    board: Path, submitted: Path, answers: str, tmp_path: Path
) -> None:
    pytest.importorskip("vl_convert")
    shutil.rmtree(board / "submitted")
    shutil.copytree(submitted, board / "submissions")
    place = board / "submissions" / "longest"
    honest = json.loads((place / "run" / "results.json").read_text())
    # What is sent along says whatever its maker likes, in files that nobody verifies.
    edited(place / "run" / "results.json", lambda results: results["micro"].update(right=12, wrong=0, accuracy=1.0))
    edited(place / "rows.json", lambda content: content["rows"][0]["row"].update(source="https://example.org/fame"))
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(board, "init", "--quiet", "--initial-branch=main")
    git(board, "add", ".")
    git(board, "commit", "--quiet", "-m", "The board")
    git(board, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(board, "push", "--quiet", "origin", "main")
    for step in ("Verify and grade", "Write board and site", "Publish"):
        done = run_step(script("board.yml", step), board, ANSWERS=answers, GITHUB_TOKEN="token-of-the-job")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "token-of-the-job" not in done.stdout + done.stderr
    accuracy = f"{100 * honest['micro']['accuracy']:.2f}"
    text = git(tmp_path / "origin.git", "show", "main:BOARD.md")
    assert re.search(rf"baseline:longest +\| {accuracy} ", text)
    assert "fame" not in text
    assert git(tmp_path / "origin.git", "show", "--stat", "--format=", "main").split()[0] == "BOARD.md"
    page = git(tmp_path / "origin.git", "show", "gh-pages:index.html")
    assert accuracy in page
    assert json.loads((board / "site" / "egocross-site.json").read_text())["answers"] is False


def test_the_token_of_the_job_is_handed_to_git_by_its_own_way(checkout: Path) -> None:
    helper = script("board.yml", "Publish").split("git add")[0]
    asked = "printf 'protocol=https\\nhost=github.com\\n\\n' | git credential fill"
    done = run_step(helper + asked, checkout, GITHUB_TOKEN="token-of-the-job")
    assert "username=x-access-token\npassword=token-of-the-job" in done.stdout


@pytest.mark.slow
def test_no_board_is_built_of_a_submission_that_does_not_hold(board: Path, submitted: Path, answers: str) -> None:
    shutil.copytree(submitted, board / "submissions")
    add_row_without_run(board / "submissions" / "b")
    done = run_step(script("board.yml", "Verify and grade"), board, ANSWERS=answers)
    assert done.returncode == 1
    names = [one.get("name") for one in steps("board.yml")]
    assert names.index("Verify and grade") < names.index("Write board and site") < names.index("Publish")
