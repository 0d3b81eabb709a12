"""Folders on file systems without locks: a file that names its owner stands for one."""

from __future__ import annotations

import errno
import os
import platform
import subprocess
import sys
import tomllib
import warnings
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from egocross_eval import RunError, UsageError, evaluate
from egocross_eval.runs.locks import acquire

fcntl = pytest.importorskip("fcntl")


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that answers every lock with an error; no machine of the tests has one."""

    def refuse(*arguments: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.filterwarnings("ignore")
def test_a_run_is_made_and_gone_on_with_and_leaves_no_owner_behind(demo: Path, tmp_path: Path) -> None:
    for _ in range(2):
        run = evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=4)
    assert run.results.complete
    assert not (tmp_path / "run" / ".lock.owner").exists()


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock on a file system without locks, of a process that is gone, as its owner file names it."""

    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (tmp_path / ".lock.owner").write_text(f"{int(gone.stdout)}\n{platform.node()}\n")
    return tmp_path / ".lock"


def test_an_owner_that_is_gone_is_taken_over_and_a_living_one_keeps_its_folder(owned: Path) -> None:
    with pytest.warns(UserWarning, match="without locks: .lock.owner names the process"):
        held = acquire(owned)
    assert (owned.parent / ".lock.owner").read_text().split()[:2] == [str(os.getpid()), platform.node()]
    with warnings.catch_warnings(), held:
        warnings.simplefilter("ignore")
        with pytest.raises(UsageError, match=rf"number {os.getpid()} on {platform.node()}\)"):
            acquire(owned)


@pytest.mark.filterwarnings("ignore")
def test_an_owner_on_another_host_keeps_its_folder(owned: Path) -> None:
    (owned.parent / ".lock.owner").write_text("1\nanother-host\n")
    with pytest.raises(
        UsageError, match=r"number 1 on another-host\); wait for it, choose another --output, or remove"
    ):
        acquire(owned)


def test_what_else_a_lock_fails_by_is_said(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(RunError, match="can't lock"):
        acquire(tmp_path / ".lock")


def test_the_package_asks_for_a_filelock_whose_owner_files_name_the_host() -> None:
    """Version 3.21 makes empty files, which no other host can read an owner from (filelock's `_soft.py`)."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (wanted,) = (found for found in map(Requirement, project["dependencies"]) if found.name == "filelock")
    assert not wanted.specifier.contains("3.21.2")
    assert wanted.specifier.contains(version("filelock"))
