"""A run folder that someone else made: no link in it is followed, for reading or writing, and no pipe is waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.runs.store import (
    LOCK_FILE,
    QUESTIONS_FILE,
    RECORD_FILE,
    RESULTS_FILE,
    SAMPLES_FILE,
    RunFolder,
    SampleWriter,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_bytes(b'{"schema_version": 1}\n')
    return path


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (RECORD_FILE, RunFolder.record),
        (RESULTS_FILE, RunFolder.results),
        (QUESTIONS_FILE, RunFolder.questions),
        (SAMPLES_FILE, RunFolder.samples),
    ],
)
def test_links_and_pipes_in_a_run_folder_are_refused(folder: RunFolder, victim: Path, name: str, read: object) -> None:
    path = folder.path / name
    path.symlink_to(victim)
    with pytest.raises(UsageError, match=rf"{name}: it is a link"):
        read(folder)  # type: ignore[operator]
    path.unlink()
    os.mkfifo(path)
    if name != SAMPLES_FILE:  # a pipe there counts as no samples
        with pytest.raises(UsageError, match=rf"{name}: it is no regular file"):
            read(folder)  # type: ignore[operator]


@pytest.mark.parametrize("name", [SAMPLES_FILE, LOCK_FILE])
def test_samples_are_never_written_through_a_link(folder: RunFolder, victim: Path, name: str) -> None:
    before = victim.read_bytes()
    (folder.path / name).symlink_to(victim)
    with pytest.raises(EgoCrossError, match=f"can't .*{name}"):
        SampleWriter(folder)
    assert victim.read_bytes() == before


@pytest.mark.parametrize("content", ["[" * 100_000, "{", '{"schema_version": "x"}', '{"schema_version": 1}'])
def test_a_record_that_is_none_is_an_error_that_names_it(folder: RunFolder, content: str) -> None:
    (folder.path / RECORD_FILE).write_text(content)
    with pytest.raises(UsageError, match=r"run\.json"):
        folder.record()
