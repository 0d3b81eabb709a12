"""Run folders of others: neither what they say nor what lies in them opens a file or asks a model of their choice."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from calling import call
from hostile import rewrite

from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.leaderboard.collect import run_folders
from egocross_eval.leaderboard.site.build import build_site
from egocross_eval.runs.own import FOLDER, is_own
from egocross_eval.runs.store import RunFolder

MORE_WORDS = {"compare": (".",), "export": ("--to", "predictions"), "site": ("--output", "../site")}
VERBS = ("score", "view", "leaderboard", "compare", "export", "submit", "site")


@pytest.fixture
def foreign(run: Path, demo: Path, tmp_path: Path) -> Path:
    """A run that names a folder of the user's as its data root, and a picture in it as its frame."""
    private = tmp_path / "private"
    private.mkdir()
    picture = next(demo.rglob("*.jpg"))
    shutil.copyfile(picture, private / "passport.jpg")

    def lie(sample: Any) -> None:
        frames = [{"name": "passport.jpg", "time": 0.0}]
        sample["question"]["frames"] = frames
        sample["answers"][0]["sent"]["frames"] = frames

    rewrite(run / "samples.jsonl", lie)
    rewrite(run / "run.json", lambda record: record.update(data_root=str(private)))
    return run


def test_frames_come_from_no_folder_that_a_foreign_run_names(
    foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("view", foreign, "--frames") == 2
    assert "give the data root by --data" in capsys.readouterr().err
    with pytest.raises(UsageError, match="--data"):
        build_site([foreign], tmp_path / "site", frames=True)
    assert not (tmp_path / "site").exists()


def test_frames_of_a_foreign_run_come_from_the_folder_that_the_user_names(foreign: Path, demo: Path) -> None:
    assert call("view", foreign, "--frames", "--data", foreign.parent / "private") == 0
    assert call("view", foreign, "--frames", "--data", demo) == 2  # its frame isn't there


def test_a_run_that_was_made_here_shows_its_frames_until_it_is_changed(run: Path, private_cache: Path) -> None:
    assert call("view", run, "--frames", "--most", "1") == 0
    record = RunFolder(run).record()
    assert is_own(record)
    for mark in (private_cache / FOLDER).iterdir():
        assert mark.stat().st_mode & 0o077 == 0
    rewrite(run / "run.json", lambda record: record.update(data_root="/"))
    assert not is_own(RunFolder(run).record())


@pytest.mark.parametrize("root", ["/", "/dev", "/proc/self", "", "~", "relative", "\x00", "/etc/passwd"])
def test_a_data_root_that_is_none_is_no_way_in(foreign: Path, root: str) -> None:
    rewrite(foreign / "run.json", lambda record: record.update(data_root=root))
    assert call("view", foreign, "--frames") == 2


@pytest.mark.parametrize("name", ["../victim", "/../victim", "link/passport.jpg", "pipe", "zero", "victim"])
def test_frames_lead_out_of_no_data_root(foreign: Path, name: str, victim: Path) -> None:
    root = foreign.parent / "private"
    (root / "link").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    (root / "zero").symlink_to("/dev/zero")
    (root / "victim").symlink_to(victim)
    frames = [{"name": name, "time": 0.0}]
    rewrite(foreign / "samples.jsonl", lambda sample: sample["answers"][0]["sent"].update(frames=frames))
    assert call("view", foreign, "--frames", "--data", root) == 2


@pytest.mark.parametrize("spec", ["hf:evil/model,trust_remote_code=true", "openai:x,base_url=http://evil.example/v1"])
def test_an_audit_asks_no_model_that_a_foreign_run_names(
    run: Path, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(run / "run.json", lambda record: record["model"].update(spec=spec))
    assert call("audit", run) == 2
    said = capsys.readouterr().err
    assert spec in said
    assert "--foreign" in said
    assert not run.with_name("run-audit").exists()


@pytest.mark.parametrize("name", ["run.json", "questions.jsonl", "samples.jsonl", "results.json", "answers.jsonl"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "device", "folder", "socket", "nothing"])
def test_nothing_but_a_plain_file_is_read_in_a_run_folder(
    run: Path, name: str, kind: str, victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = victim.read_bytes()
    path = run / name
    path.unlink(missing_ok=True)
    monkeypatch.chdir(run)
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "planted")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(name)
        listener.close()
    for verb in VERBS:
        call(verb, run, *MORE_WORDS.get(verb, ()))
    call("--model", "baseline:longest", "--split", "demo", "--limit", "4", "--output", run)
    assert victim.read_bytes() == before
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("name", ["run.json", "questions.jsonl", "results.json"])
def test_a_sparse_file_of_a_terabyte_is_not_read(run: Path, name: str) -> None:
    with (run / name).open("ab") as file:
        file.truncate(2**40)
    read = {"run.json": RunFolder.record, "questions.jsonl": RunFolder.questions, "results.json": RunFolder.results}
    with pytest.raises(UsageError, match="more than"):
        read[name](RunFolder(run))


def test_derived_files_that_are_links_are_replaced_and_not_written_through(run: Path, victim: Path) -> None:
    for name in ("predictions.json", "leaderboard.md", "results.json", "submission.zip"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(victim)
    assert call("score", run) in (0, 1, 2)
    assert call("submit", run) in (0, 1, 2)
    assert call("export", run, "--to", "predictions") in (0, 1, 2)
    assert victim.read_text() == "precious"


def test_a_hard_link_to_a_file_of_the_user_is_not_changed(run: Path, victim: Path) -> None:
    for name in ("predictions.json", "leaderboard.md", "results.json"):
        (run / name).unlink()
        os.link(victim, run / name)
    call("score", run)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("name", ["a\nError: nothing", "\x1b[2J", "\u202egnp", "-rf", "a b", "$(id)", "é", "%s", "{0}"])
def test_a_run_folder_may_be_called_anything(run: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run.rename(run.with_name(name))
    assert call("score", folder) == 0
    assert call("leaderboard", folder, "--no-published") == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\u202e" not in said.out + said.err
    assert not [line for line in said.out.splitlines() if line.startswith("Error: nothing")]


def test_a_folder_of_runs_with_a_loop_of_links_ends(run: Path) -> None:
    (run.parent / "loop").symlink_to(run.parent)
    (run.parent / "gone").symlink_to(run.parent / "nowhere")
    assert [folder.path.name for folder in run_folders(run.parent)] == ["run"]


LINES: dict[str, bytes] = {
    "nesting": b"[" * 100_000,
    "nesting in a field that isn't wanted": b'{"key": "k", "question": {"id": 1}, "x": ' + b"[" * 100_000,
    "no UTF-8": b'{"key": "\xff\xfe", "question": {"id": 1}}',
    "a huge number": b'{"key": "k", "question": {"id": ' + b"9" * 100_000 + b"}}",
    "an infinite number": b'{"key": "k", "question": {"id": 1e400}}',
    "no number": b'{"key": "k", "question": {"id": NaN}}',
    "wrong types": b'{"key": 7, "question": []}',
    "zeros": b"\x00" * 10_000,
    "half a sample": b'{"key": "k", "question": {"id": 1}}',
    "a lone surrogate": b'{"key": "\\ud800", "question": {"id": 1}}',
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("file", ["samples.jsonl", "answers.jsonl", "questions.jsonl"])
def test_a_line_that_is_none_ends_in_no_traceback(run: Path, name: str, file: str, tmp_path: Path) -> None:
    with (run / file).open("ab") as out:
        out.write(LINES[name] + b"\n")
    for verb in ("score", "view", "leaderboard", "submit"):
        call(verb, run)
    call("site", run, "--output", tmp_path / "site")
    call("--model", "baseline:longest", "--split", "demo", "--limit", "4", "--output", run)


NUMBERS: list[Any] = [-1, 10**30, 1e308, "5", None, [], {}, True]


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("place", ["credit", "input_tokens", "seconds", "span", "id"])
def test_an_odd_value_in_a_sample_ends_in_no_traceback(run: Path, place: str, value: Any, tmp_path: Path) -> None:
    def change(sample: Any) -> None:
        answer = sample["answers"][0]
        if place == "credit":
            sample["grade"]["credit"] = value
        elif place == "span":
            answer["reading"]["span"] = [value, value]
        elif place == "id":
            sample["question"]["id"] = value
        else:
            answer["response"][place] = value

    rewrite(run / "samples.jsonl", change)
    (run / "results.json").unlink()
    for verb in ("score", "view", "leaderboard", "submit"):
        call(verb, run)
    call("site", run, "--output", tmp_path / "site")


def test_every_error_of_this_package_is_one_that_the_command_line_prints() -> None:
    assert issubclass(UsageError, EgoCrossError)
