"""The cache is a folder of the user's own, and there is one whatever the machine lacks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from egocross_eval.directories import cache_directory
from egocross_eval.errors import UsageError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners and modes of POSIX")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, without a cache that was named."""
    for name in ("EGOCROSS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / "home"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_cache_is_private(home: Path) -> None:
    assert cache_directory().is_relative_to(home)
    assert mode(cache_directory()) == 0o700


def test_a_named_cache_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path / "mine" / "cache"))
    assert cache_directory() == tmp_path / "mine" / "cache"
    assert mode(cache_directory()) == 0o700


def test_without_a_home_the_cache_is_a_private_folder_among_the_temporary_ones(tmp_path: Path) -> None:
    """In a process without HOME whose user has no entry in the list of users."""
    code = (
        "import os, pwd\n"
        "def unknown(*_): raise KeyError\n"
        "pwd.getpwuid = unknown\n"
        "from egocross_eval.directories import cache_directory\n"
        "print(cache_directory())"
    )
    keep = {key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**keep, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == str(tmp_path / f"egocross-eval-{os.getuid()}"), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [f"egocross-eval-{os.getuid()}"]
    assert mode(tmp_path / f"egocross-eval-{os.getuid()}") == 0o700


def test_a_home_that_cannot_be_written_to_is_no_obstacle(home: Path, tmp_path: Path) -> None:
    home.write_text("no folder")
    assert cache_directory() == tmp_path / f"egocross-eval-{os.getuid()}"


def test_a_named_cache_that_cannot_be_written_to_is_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UsageError, match=r"EGOCROSS_CACHE: can't write to .*file/cache: Not a directory"):
        cache_directory()


def test_a_cache_that_all_can_write_to_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="can be written to by all"):
        cache_directory()


def test_a_strangers_cache_is_not_believed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_directory()
    monkeypatch.setattr("egocross_eval.directories.os.getuid", lambda: 4711)
    if cache.stat().st_uid == 0:
        os.chown(cache, 4712, -1)
    with pytest.raises(UsageError, match="belongs to another user"):
        cache_directory()


def test_a_planted_link_among_the_temporary_folders_is_not_followed(home: Path, tmp_path: Path) -> None:
    home.write_text("no folder")
    (tmp_path / "trap").mkdir()
    (tmp_path / f"egocross-eval-{os.getuid()}").symlink_to(tmp_path / "trap")
    with pytest.raises(UsageError, match="belongs to another user"):
        cache_directory()
