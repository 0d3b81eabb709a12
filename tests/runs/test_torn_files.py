"""Lines that a process was killed at, or is at still: wherever they end, nothing breaks or is lost in silence."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from scored_samples import question, record, sample, score_samples, write_run
from whole_lines import json_lines, whole_lines

from egocross_eval import UsageError
from egocross_eval.runs.activity import ActivityLog, OpenNow, read_activity
from egocross_eval.runs.labels import read_labels, write_label
from egocross_eval.runs.locks import acquire
from egocross_eval.runs.store import RunFolder, SampleWriter

SAMPLES = [sample(question(number), "right") for number in range(3)]

Reading = Callable[[], int]
"""How many lines are there, by what reads them."""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run under way."""
    return write_run(tmp_path / "run", record("m", question_count=3), SAMPLES)


def end(folder: RunFolder) -> None:
    folder.write_results(score_samples(SAMPLES, total=3))


def cuts(path: Path, read: Reading) -> dict[bool, set[tuple[int, bool]]]:
    """What is read, and whether anything was said, where the last of the file's lines is cut all along it; by whether
    more than its newline is gone."""
    whole, found = path.read_bytes(), {False: set[tuple[int, bool]](), True: set[tuple[int, bool]]()}
    for cut in range(1, len(whole_lines(path)[-1]) + 1, 7):
        path.write_bytes(whole[:-cut])
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found[cut > 1].add((read(), bool(said)))
        assert all(f"{path}, line {len(whole.splitlines())} is not written to its end" in str(w.message) for w in said)
    path.write_bytes(whole)
    return found


def test_a_sample_that_is_being_written_is_left_out_and_in_a_finished_run_that_is_told(folder: RunFolder) -> None:
    path = folder.path / "samples.jsonl"
    assert cuts(path, lambda: len(folder.samples())) == {False: {(3, False)}, True: {(2, False)}}
    end(folder)
    assert cuts(path, lambda: len(folder.samples())) == {False: {(3, False)}, True: {(2, True)}}


def test_whoever_goes_on_cuts_a_torn_line_off_and_gives_a_whole_one_its_end(folder: RunFolder) -> None:
    path = folder.path / "samples.jsonl"
    whole = path.read_bytes()
    without = whole[: whole.rindex(b"\n", 0, -1) + 1]

    def left() -> int:
        with SampleWriter(folder):
            pass
        return [without, whole].index(path.read_bytes())

    assert cuts(path, left) == {False: {(1, False)}, True: {(0, False)}}


@pytest.mark.filterwarnings("error")
def test_a_reader_beside_a_writer_sees_whole_samples_alone(folder: RunFolder) -> None:
    long = [sample(question(number), "right", text="A " * 200_000) for number in range(100)]
    counts: list[tuple[int, int]] = []

    def write() -> None:
        with SampleWriter(folder) as writer:
            for one in long:
                writer.write(one)

    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        counts.append((len(json_lines(folder.path / "samples.jsonl")), len(folder.samples())))
    writing.join()
    assert counts == sorted(counts)
    assert len(folder.samples()) == 100


def test_an_answer_that_is_being_written_is_left_out(folder: RunFolder) -> None:
    with SampleWriter(folder) as writer:
        for one in SAMPLES:
            writer.write_answer(one.key, one.answers[0])
    path = folder.path / "answers.jsonl"
    assert cuts(path, lambda: len(folder.loose_answers())) == {False: {(3, False)}, True: {(2, False)}}


def test_a_persons_verdict_is_lost_only_with_a_word_and_others_come_behind(folder: RunFolder) -> None:
    for one in SAMPLES:
        write_label(folder.path, one, True)
    path = folder.path / "labels.jsonl"
    assert cuts(path, lambda: len(read_labels(folder.path))) == {False: {(3, False)}, True: {(2, True)}}

    def after_another() -> int:
        write_label(folder.path, SAMPLES[0], False)
        return len(read_labels(folder.path))

    assert cuts(path, after_another) == {False: {(3, False)}, True: {(2, False)}}


def test_what_a_run_is_doing_is_told_or_not_known(folder: RunFolder) -> None:
    with ActivityLog(folder.path, lambda: OpenNow(0, "", None), lambda: ""):
        pass
    path = folder.path / "activity.json"
    content = path.read_bytes()
    assert read_activity(folder.path) is not None
    for size in range(len(content.rstrip())):
        path.write_bytes(content[:size])
        assert read_activity(folder.path) is None


@pytest.mark.filterwarnings("ignore")
def test_an_owner_of_a_lock_who_is_written_half_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    owner = f"{os.getpid()}\n{platform.node()}\n"
    for size in range(len(owner)):
        (tmp_path / ".lock.owner").write_text(owner[:size])
        with pytest.raises(UsageError, match=r"another process is at work .* \(number \w+ on "):
            acquire(tmp_path / ".lock")
